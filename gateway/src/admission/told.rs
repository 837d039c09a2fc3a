//! What clients hear of a limit that is full: whose, how much, and until when.

use std::fmt::Write;

use limits::{Level, Timestamp, Unit};

use crate::cost::NanoUsd;
use crate::snapshot::Charge;

/// A limit that has no room for a request.
#[derive(Clone, Debug)]
pub(crate) struct OverLimit {
    /// The BudgetPolicy or VirtualKey, or whom the store has the limit for.
    pub(crate) owner: String,
    pub(crate) limit: String,
    pub(crate) subject: Option<String>,
    pub(crate) unit: Unit,
    pub(crate) level: Level,
    /// What the request asked for.
    pub(crate) asked: u64,
    /// When there is room again.
    pub(crate) resets_at: Option<Timestamp>,
}

impl OverLimit {
    pub(super) fn new(charge: &Charge, level: Level, asked: u64, resets_at: Option<Timestamp>) -> Self {
        let (owner, limit) = (charge.rule.owner.to_string(), charge.rule.limit.clone());
        let subject = charge.subject().map(str::to_owned);
        Self { owner, limit, subject, unit: charge.rule.unit, level, asked, resets_at }
    }

    /// Money is a budget; all else is a rate.
    pub(crate) fn is_budget(&self) -> bool {
        self.unit == Unit::NanoUsd
    }

    /// In seconds from `now`, at least one.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<u64> {
        let left = self.resets_at?.duration_since(now);
        Some(u64::try_from(left.as_millis()).unwrap_or_default().div_ceil(1000).max(1))
    }

    /// For people.
    pub(crate) fn message(&self) -> String {
        let mut text = format!("limit {} of {}", self.limit, self.owner);
        if let Some(subject) = &self.subject {
            let _infallible = write!(text, " for {subject}");
        }
        let Level { spent, reserved, amount } = self.level;
        let (spent, reserved, amount) = (self.shown(spent), self.shown(reserved), self.shown(amount));
        let _infallible =
            write!(text, " has no room: {spent} of {amount} used, {reserved} held by running requests");
        if self.asked > 1 {
            let _infallible = write!(text, ", and this one may need {}", self.shown(self.asked));
        }
        match self.resets_at {
            Some(at) => {
                let _infallible = write!(text, "; there is room again at {:.0}", at);
            }
            None if self.asked > self.level.amount => {
                text.push_str("; it is larger than the whole limit: ask for fewer tokens (max_tokens)");
            }
            None => text.push_str("; try again when they have ended"),
        }
        text
    }

    fn shown(&self, amount: u64) -> String {
        match self.unit {
            Unit::NanoUsd => format!("${}", NanoUsd::saturating(amount)),
            Unit::Tokens | Unit::InputTokens | Unit::OutputTokens => format!("{amount} tokens"),
            Unit::Requests | Unit::Concurrency => format!("{amount} requests"),
        }
    }
}

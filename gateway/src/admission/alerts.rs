//! Tells people that a budget is used so far: once for each threshold, subject and window, however many pods see it. What
//! the operator is to make an event of goes on a board that it reads; `posts.rs` posts to webhooks.
//!
//! A threshold is told once until its window ends. Where a window rolls, or there is none, it is told again when it was
//! below for as long as the window is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use limits::{Away, Claim, Limiter, Notice, Timestamp, Unit};
use serde::Serialize;

use super::posts::{ATTEMPTS_TAKE, Post, Posts};
use super::roll::Seen;
use crate::cost::NanoUsd;
use crate::pipeline::Metrics;
use crate::snapshot::{Alert, Charge, Owner, Rule, Snapshot, Turn, Webhook};

/// Thresholds that this process knows to be told. Of others it asks again, which costs a call.
const KNOWN: usize = 16_384;

/// How long a claim of this process holds: longer than all attempts to post.
const CLAIM: Duration = ATTEMPTS_TAKE.saturating_mul(2);

/// What was told, as far as this process knows.
#[derive(Debug)]
pub(crate) struct Teller {
    limiter: Limiter,
    metrics: Arc<Metrics>,
    /// Until when nothing needs to be asked, in milliseconds since 1970.
    known: Mutex<HashMap<String, i64>>,
}

/// What is told, to receivers of webhooks and to the operator. `docs/budgets.md` has it.
#[derive(Debug, Serialize)]
struct Told<'a> {
    text: String,
    event: &'static str,
    budget: &'a config::ObjectName,
    limit: &'a str,
    unit: &'static str,
    subject: Option<&'a str>,
    /// `null` for the soft amount.
    at_percent: Option<u16>,
    percent: u64,
    spent: u64,
    amount: u64,
    window_start: Option<String>,
    window_end: Option<String>,
    /// The reset since which it counts, in Unix seconds.
    reset_at: Option<u64>,
    time: String,
}

/// A threshold of a limit.
#[derive(Clone, Copy, Debug)]
enum Mark<'a> {
    Percent(&'a Alert),
    Soft(u64),
}

/// A threshold that one counter has reached.
struct Reached<'a> {
    budget: &'a config::ObjectName,
    seen: &'a Seen,
    mark: Mark<'a>,
    turn: Turn,
    now: Timestamp,
}

impl Teller {
    pub(crate) fn new(limiter: Limiter, metrics: Arc<Metrics>) -> Self {
        Self { limiter, metrics, known: Mutex::default() }
    }

    /// Tells what `seen` has reached, to webhooks by way of `posts`. Whether it was all told.
    ///
    /// # Errors
    /// [`Away`]: it must be looked at again.
    pub(super) async fn raise(
        &self,
        snapshot: &Snapshot,
        seen: &Seen,
        posts: &mut Posts,
        now: Timestamp,
    ) -> Result<bool, Away> {
        let rule = &seen.charge.rule;
        // What the store limits is nobody's policy.
        let Owner::Object(budget) = &rule.owner else { return Ok(true) };
        let alerts = snapshot.alerts.of(budget).iter().map(Mark::Percent);
        let marks = alerts.chain(rule.soft.map(Mark::Soft)).filter(|mark| mark.is_reached(seen));
        let mut is_done = true;
        for mark in marks {
            let reached = Reached { budget, seen, mark, turn: rule.turn(now), now };
            if mark.has_event() {
                self.put_up(&reached).await?;
            }
            if let Some(webhook) = mark.webhook() {
                is_done &= self.post(&reached, webhook, posts).await?;
            }
        }
        Ok(is_done)
    }

    /// For the receiver of a webhook. Whether it needs not be looked at again.
    async fn post(&self, reached: &Reached<'_>, webhook: &Webhook, posts: &mut Posts) -> Result<bool, Away> {
        let name = format!("{}/post", reached.name());
        if self.is_known(&name, reached.now) {
            return Ok(true);
        }
        if !posts.has_room() {
            return Ok(false);
        }
        match self.limiter.claim(&Notice { name: &name, kept: CLAIM, entry: None }, reached.now).await? {
            Claim::Told => self.noted(&name, reached).await.map(|()| true),
            // Until it is told, or its process has not lived to tell it.
            Claim::Others => Ok(false),
            Claim::Mine => {
                let (body, kept) = (reached.told(), reached.turn.lasts);
                let budget = reached.budget.clone();
                posts.start(Post { webhook: webhook.clone(), name, body, kept, budget });
                Ok(true)
            }
        }
    }

    /// For the operator to see.
    async fn put_up(&self, reached: &Reached<'_>) -> Result<(), Away> {
        let name = reached.name();
        if self.is_known(&name, reached.now) {
            return Ok(());
        }
        let (rule, entry) = (&reached.seen.charge.rule, reached.told());
        let notice = Notice { name: &name, kept: reached.turn.lasts, entry: Some((rule.board(), &entry)) };
        if self.limiter.claim(&notice, reached.now).await? == Claim::Mine {
            // Not for whom: that may be an end user's name.
            let at_percent = reached.mark.at_percent();
            tracing::warn!(budget = %reached.budget, limit = rule.limit, at_percent, "a budget is used so far");
            self.metrics.alerted(reached.budget, "raised");
        }
        self.noted(&name, reached).await
    }

    fn is_known(&self, name: &str, now: Timestamp) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).is_some_and(|until| *until > now.as_millisecond())
    }

    /// It was told: nothing to ask until it may be told again.
    async fn noted(&self, name: &str, reached: &Reached<'_>) -> Result<(), Away> {
        let Turn { lasts, renews, .. } = reached.turn;
        if renews {
            self.limiter.renew(name, lasts, reached.now).await?;
        }
        // Renewed well before it ends.
        let asked_again = if renews { lasts / 2 } else { lasts };
        let now_ms = reached.now.as_millisecond();
        let until = now_ms.saturating_add(i64::try_from(asked_again.as_millis()).unwrap_or(i64::MAX));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN {
            known.retain(|_, until| *until > now_ms);
        }
        if known.len() < KNOWN {
            known.insert(name.to_owned(), until);
        }
        Ok(())
    }
}

impl<'a> Mark<'a> {
    fn is_reached(&self, seen: &Seen) -> bool {
        match self {
            Self::Soft(amount) => seen.used() > *amount,
            Self::Percent(alert) => {
                let threshold = u128::from(seen.level.amount) * u128::from(alert.at_percent);
                u128::from(seen.used()) * 100 >= threshold
            }
        }
    }

    fn has_event(&self) -> bool {
        match self {
            Self::Soft(_) => true,
            Self::Percent(alert) => alert.event,
        }
    }

    fn webhook(&self) -> Option<&'a Webhook> {
        match self {
            Self::Soft(_) => None,
            Self::Percent(alert) => alert.webhook.as_ref(),
        }
    }

    fn at_percent(&self) -> Option<u16> {
        match self {
            Self::Soft(_) => None,
            Self::Percent(alert) => Some(alert.at_percent),
        }
    }
}

impl Reached<'_> {
    /// Another for each window.
    fn name(&self) -> String {
        let mark = self.mark.at_percent().map_or_else(|| "soft".to_owned(), |percent| percent.to_string());
        format!("{}/{}/{mark}", self.seen.charge.counter.key().as_str(), self.turn.id)
    }

    fn told(&self) -> String {
        let Charge { rule, counter } = &self.seen.charge;
        let span = rule.span(self.now);
        let told = Told {
            text: self.text(rule, rule.subject_of(counter)),
            event: "budget_alert",
            budget: self.budget,
            limit: &rule.limit,
            unit: super::usage::word(rule.unit),
            subject: rule.subject_of(counter),
            at_percent: self.mark.at_percent(),
            percent: self.percent(),
            spent: self.seen.spent(),
            amount: self.seen.level.amount,
            window_start: span.map(|span| format!("{:.0}", span.start)),
            window_end: span.map(|span| format!("{:.0}", span.end)),
            reset_at: rule.reset_at,
            time: format!("{:.0}", self.now),
        };
        serde_json::to_string(&told).unwrap_or_default()
    }

    /// In whole percent, rounded down.
    fn percent(&self) -> u64 {
        let used = u128::from(self.seen.spent()) * 100;
        let percent = used.checked_div(u128::from(self.seen.level.amount)).unwrap_or(100);
        u64::try_from(percent).unwrap_or(u64::MAX)
    }

    /// For people.
    fn text(&self, rule: &Rule, subject: Option<&str>) -> String {
        let whose = subject.map(|subject| format!(" for {subject}")).unwrap_or_default();
        let (spent, amount) = (shown(rule.unit, self.seen.spent()), shown(rule.unit, self.seen.level.amount));
        let (percent, budget, limit) = (self.percent(), self.budget, &rule.limit);
        let reached = match self.mark {
            Mark::Soft(soft) => format!("has passed its soft amount of {}", shown(rule.unit, soft)),
            Mark::Percent(alert) if percent < u64::from(alert.at_percent) => "is used up".to_owned(),
            Mark::Percent(_) => format!("is used to {percent} %"),
        };
        let resets = rule.span(self.now).map(|span| format!("; it begins anew at {:.0}", span.end));
        let resets = resets.unwrap_or_default();
        format!("BudgetPolicy {budget}: limit {limit}{whose} {reached} ({spent} of {amount}){resets}")
    }
}

fn shown(unit: Unit, amount: u64) -> String {
    match unit {
        Unit::NanoUsd => format!("${}", NanoUsd::saturating(amount)),
        Unit::Tokens | Unit::InputTokens | Unit::OutputTokens => format!("{amount} tokens"),
        Unit::Requests | Unit::Concurrency => format!("{amount} requests"),
    }
}

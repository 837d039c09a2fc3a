//! One limit of one budget, compiled.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use config::{
    Budget, CalendarUnit, Enforcement, FailureMode, Limit, ObjectName, OnExceed, ReservationEstimate, Unit,
    Window,
};
use limits::{AtLimit, Counter, CounterKey, Group, Span, Timestamp, WhenAway, WindowError};

use super::{Charge, Owner, Subject};
use crate::snapshot::{OwnLimit, Whose};

/// Why a budget cannot run: the config was rendered by another release.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BudgetError {
    #[error("budget {budget}: limit {limit}: {reason}")]
    Window { budget: ObjectName, limit: String, reason: WindowError },
    #[error("budget {budget}: its parent {parent} is not in the config")]
    NoParent { budget: ObjectName, parent: ObjectName },
}

/// For how long what is told of a limit need not be told again.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// Differs between the windows of a calendar.
    pub(crate) id: String,
    pub(crate) lasts: Duration,
    /// From each time on that it is still so: there is no end of the window to wait for.
    pub(crate) renews: bool,
}

/// Of what is under way.
const AN_HOUR: Duration = Duration::from_secs(3600);

/// How a limit is counted, and what happens above it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) owner: Owner,
    pub(crate) limit: String,
    /// Where what the store says is in the name of the limit, what stands for it in metrics.
    kind: Option<&'static str>,
    pub(crate) unit: limits::Unit,
    pub(crate) amount: u64,
    /// People are told above this.
    pub(crate) soft: Option<u64>,
    pub(crate) on_exceed: OnExceed,
    enforcement: Enforcement,
    pub(crate) estimate: ReservationEstimate,
    /// Of a reservation.
    pub(crate) ttl: Duration,
    window: limits::Window,
    at_limit: AtLimit,
    when_away: WhenAway,
    /// Its counters' keys, up to the subject.
    prefix: String,
    /// Names its budget for good.
    board: String,
    /// The reset since which it counts, in Unix seconds.
    pub(crate) reset_at: Option<u64>,
    /// The counter that all share, if there is one.
    shared: Option<Arc<Counter>>,
    /// Its counters together, for those who are told how full it is. A key's own limits have none.
    pub(crate) group: Option<Group>,
}

impl Rule {
    pub(super) fn compile(budget: &Budget, limit: &Limit) -> Result<Self, BudgetError> {
        let window = window(&limit.window).map_err(|reason| BudgetError::Window {
            budget: budget.id.clone(),
            limit: limit.name.clone(),
            reason,
        })?;
        let watched = budget.enforcement == Enforcement::Shadow || limit.on_exceed == OnExceed::Warn;
        let prefix = prefix(budget, limit);
        let mut rule = Self {
            owner: Owner::Object(budget.id.clone()),
            limit: limit.name.clone(),
            kind: None,
            unit: unit(limit.unit),
            amount: limit.amount,
            soft: limit.soft,
            on_exceed: limit.on_exceed.clone(),
            enforcement: budget.enforcement,
            when_away: when_away(budget.failure_mode),
            estimate: budget.estimate,
            ttl: Duration::from_millis(budget.reservation_ttl_ms),
            group: Some(Group::new(&prefix, window.clone())),
            window,
            at_limit: if watched { AtLimit::Count } else { AtLimit::Refuse },
            prefix,
            board: owner(budget),
            reset_at: reset_at(budget, limit),
            shared: None,
        };
        if !budget.per_target {
            rule.shared = Some(rule.make(Subject::All));
        }
        Ok(rule)
    }

    /// The counter of one subject. The same subject has the same key in every pod and after every reload.
    pub(super) fn counter(&self, subject: Subject<'_>) -> Arc<Counter> {
        match &self.shared {
            Some(shared) if subject == Subject::All => Arc::clone(shared),
            _ => self.make(subject),
        }
    }

    /// The counter of one member of its group.
    pub(crate) fn counter_of(&self, member: &str) -> Arc<Counter> {
        self.make(member)
    }

    /// What its group calls one of its counters.
    pub(crate) fn member<'c>(&self, counter: &'c Counter) -> &'c str {
        let key = counter.key().as_str();
        key.strip_prefix(&self.prefix).unwrap_or(key)
    }

    /// The counter that all share, if they do.
    pub(crate) fn shared(&self) -> Option<&Arc<Counter>> {
        self.shared.as_ref()
    }

    /// The window that `now` lies in, where windows have boundaries.
    pub(crate) fn span(&self, now: Timestamp) -> Option<Span> {
        match &self.window {
            limits::Window::Calendar(_) => self.window.span(now),
            limits::Window::Rolling(_) | limits::Window::Forever => None,
        }
    }

    /// For how long what is told of it at `now` is told.
    pub(crate) fn turn(&self, now: Timestamp) -> Turn {
        let length = |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from));
        match (&self.window, self.window.span(now)) {
            (limits::Window::Calendar(_), Some(span)) => {
                let lasts = length(now, span.end).unwrap_or_default();
                Turn { id: span.id.to_string(), lasts, renews: false }
            }
            (_, Some(span)) => {
                let lasts = length(span.start, span.end).unwrap_or_default();
                Turn { id: String::new(), lasts, renews: true }
            }
            (_, None) => Turn { id: String::new(), lasts: AN_HOUR, renews: true },
        }
    }

    /// Where its budget's alerts are put up.
    pub(crate) fn board(&self) -> &str {
        &self.board
    }

    fn make(&self, subject: impl Display) -> Arc<Counter> {
        let key = CounterKey::new(&format!("{}{subject}", self.prefix));
        let counter = Counter::new(key, self.unit, self.amount, self.window.clone(), self.at_limit);
        Arc::new(counter.with_when_away(self.when_away))
    }

    /// For whom one of its counters is, as people are told; `None` where all share it.
    pub(crate) fn subject_of<'c>(&self, counter: &'c Counter) -> Option<&'c str> {
        let subject = counter.key().as_str().strip_prefix(&self.prefix);
        subject.filter(|subject| !self.is_shared(subject))
    }

    fn is_shared(&self, subject: &str) -> bool {
        subject.is_empty() || subject == Subject::All.to_string() || subject == Subject::Below.to_string()
    }

    /// What a key limits for itself: over the last minute, or what is under way.
    pub(in crate::snapshot) fn of_key(key: &config::Key) -> Vec<OwnLimit> {
        let config::KeyLimits { requests_per_minute, tokens_per_minute, max_concurrent } = key.limits;
        let all = [
            ("requests-per-minute", limits::Unit::Requests, requests_per_minute),
            ("tokens-per-minute", limits::Unit::Tokens, tokens_per_minute),
            ("max-concurrent", limits::Unit::Concurrency, max_concurrent),
        ];
        let limits = all.into_iter().filter_map(|(limit, unit, amount)| {
            let own = Own {
                owner: Owner::Object(key.id.clone()),
                limit: limit.to_owned(),
                kind: limit,
                unit,
                amount: amount?,
                soft: None,
                window: match unit {
                    limits::Unit::Concurrency => limits::Window::Forever,
                    _ => limits::Window::rolling(Duration::from_secs(60)).ok()?,
                },
                at_limit: AtLimit::Refuse,
                prefix: format!("key/{}@{}/{limit}/", key.id, key.uid),
            };
            Some(OwnLimit { rule: Self::own(own), whose: Whose::VirtualKey, model: None })
        });
        limits.collect()
    }

    /// A limit with one counter, which is no budget's.
    pub(crate) fn own(own: Own) -> Arc<Self> {
        let mut rule = Self {
            owner: own.owner,
            limit: own.limit,
            kind: Some(own.kind),
            unit: own.unit,
            amount: own.amount,
            soft: own.soft,
            on_exceed: OnExceed::Reject,
            enforcement: Enforcement::Enforce,
            estimate: ReservationEstimate::MaxTokens,
            ttl: KEY_TTL,
            window: own.window,
            at_limit: own.at_limit,
            when_away: WhenAway::Estimate,
            prefix: own.prefix,
            board: String::new(),
            reset_at: None,
            shared: None,
            group: None,
        };
        rule.shared = Some(rule.make(Subject::All));
        Arc::new(rule)
    }

    /// What metrics call it.
    pub(crate) fn label(&self) -> &str {
        self.kind.unwrap_or(&self.limit)
    }

    /// It only watches.
    pub(crate) fn is_shadow(&self) -> bool {
        self.enforcement == Enforcement::Shadow
    }

    /// What it charges where all share one counter.
    pub(crate) fn charge(self: &Arc<Self>) -> Charge {
        Charge { counter: self.counter(Subject::All), rule: Arc::clone(self) }
    }
}

/// What a key brings with it, or those whose it is.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) owner: Owner,
    pub(crate) limit: String,
    /// Its name in metrics, which must not grow with what the store has.
    pub(crate) kind: &'static str,
    pub(crate) unit: limits::Unit,
    pub(crate) amount: u64,
    pub(crate) soft: Option<u64>,
    pub(crate) window: limits::Window,
    pub(crate) at_limit: AtLimit,
    /// Of its counter's key. Nothing else has the same.
    pub(crate) prefix: String,
}

/// Of what such limits reserve.
const KEY_TTL: Duration = Duration::from_secs(600);

fn when_away(mode: FailureMode) -> WhenAway {
    match mode {
        FailureMode::FailOpen => WhenAway::FailOpen,
        FailureMode::FailClosed => WhenAway::FailClosed,
        FailureMode::Estimate => WhenAway::Estimate,
    }
}

/// With the uid, so that a successor of the same name begins at nothing; outside a cluster the name. A reset makes new
/// keys.
fn prefix(budget: &Budget, limit: &Limit) -> String {
    let reset = reset_at(budget, limit).unwrap_or_default();
    format!("{}/{}/{reset}/", owner(budget), limit.name)
}

/// What is under way goes on.
fn reset_at(budget: &Budget, limit: &Limit) -> Option<u64> {
    budget.reset_at.filter(|_| limit.unit != Unit::Concurrency)
}

fn owner(budget: &Budget) -> String {
    if budget.uid.is_empty() { budget.id.to_string() } else { budget.uid.clone() }
}

fn window(from: &Window) -> Result<limits::Window, WindowError> {
    match from {
        Window::Forever => Ok(limits::Window::Forever),
        Window::Rolling { ms } => limits::Window::rolling(Duration::from_millis(*ms)),
        Window::Calendar { every, time_zone, start_day } => {
            let every = match every {
                CalendarUnit::Minute => limits::CalendarUnit::Minute,
                CalendarUnit::Hour => limits::CalendarUnit::Hour,
                CalendarUnit::Day => limits::CalendarUnit::Day,
                CalendarUnit::Week => limits::CalendarUnit::Week,
                CalendarUnit::Month => limits::CalendarUnit::Month,
                CalendarUnit::Quarter => limits::CalendarUnit::Quarter,
                CalendarUnit::Year => limits::CalendarUnit::Year,
            };
            limits::Window::calendar(every, time_zone, *start_day)
        }
    }
}

fn unit(from: Unit) -> limits::Unit {
    match from {
        Unit::NanoUsd => limits::Unit::NanoUsd,
        Unit::Tokens => limits::Unit::Tokens,
        Unit::InputTokens => limits::Unit::InputTokens,
        Unit::OutputTokens => limits::Unit::OutputTokens,
        Unit::Requests => limits::Unit::Requests,
        Unit::Concurrency => limits::Unit::Concurrency,
    }
}

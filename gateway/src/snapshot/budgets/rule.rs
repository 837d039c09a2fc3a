//! One limit of one budget, compiled.

use std::sync::Arc;
use std::time::Duration;

use config::{
    Budget, CalendarUnit, Enforcement, FailureMode, Limit, ObjectName, OnExceed, ReservationEstimate, Unit,
    Window,
};
use limits::{AtLimit, Counter, CounterKey, WindowError};

use super::Subject;

/// Why a budget cannot run: the config was rendered by another release.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BudgetError {
    #[error("budget {budget}: limit {limit}: {reason}")]
    Window { budget: ObjectName, limit: String, reason: WindowError },
    #[error("budget {budget}: its parent {parent} is not in the config")]
    NoParent { budget: ObjectName, parent: ObjectName },
}

/// How a limit is counted, and what happens above it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) budget: ObjectName,
    pub(crate) limit: String,
    pub(crate) unit: limits::Unit,
    pub(crate) amount: u64,
    /// People are told above this.
    pub(crate) soft: Option<u64>,
    pub(crate) on_exceed: OnExceed,
    pub(crate) enforcement: Enforcement,
    pub(crate) failure_mode: FailureMode,
    pub(crate) estimate: ReservationEstimate,
    /// Of a reservation.
    pub(crate) ttl: Duration,
    window: limits::Window,
    at_limit: AtLimit,
    /// Its counters' keys, up to the subject.
    prefix: String,
    /// The counter that all share, if there is one.
    shared: Option<Arc<Counter>>,
}

impl Rule {
    pub(super) fn compile(budget: &Budget, limit: &Limit) -> Result<Self, BudgetError> {
        let window = window(&limit.window).map_err(|reason| BudgetError::Window {
            budget: budget.id.clone(),
            limit: limit.name.clone(),
            reason,
        })?;
        let watched = budget.enforcement == Enforcement::Shadow || limit.on_exceed == OnExceed::Warn;
        let mut rule = Self {
            budget: budget.id.clone(),
            limit: limit.name.clone(),
            unit: unit(limit.unit),
            amount: limit.amount,
            soft: limit.soft,
            on_exceed: limit.on_exceed.clone(),
            enforcement: budget.enforcement,
            failure_mode: budget.failure_mode,
            estimate: budget.estimate,
            ttl: Duration::from_millis(budget.reservation_ttl_ms),
            window,
            at_limit: if watched { AtLimit::Count } else { AtLimit::Refuse },
            prefix: prefix(budget, limit),
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

    fn make(&self, subject: Subject<'_>) -> Arc<Counter> {
        let key = CounterKey::new(&format!("{}{subject}", self.prefix));
        Arc::new(Counter::new(key, self.unit, self.amount, self.window.clone(), self.at_limit))
    }
}

/// The uid, so that a successor of the same name begins at nothing; outside a cluster the name. A reset makes new keys,
/// but not for what is under way.
fn prefix(budget: &Budget, limit: &Limit) -> String {
    let reset = budget.reset_at.filter(|_| limit.unit != Unit::Concurrency).unwrap_or_default();
    if budget.uid.is_empty() {
        format!("{}/{}/{reset}/", budget.id, limit.name)
    } else {
        format!("{}/{}/{reset}/", budget.uid, limit.name)
    }
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

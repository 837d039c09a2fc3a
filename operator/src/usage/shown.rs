//! What a status shows of what a pod told: text for people, no finer than they look at.

use config::Unit;
use crds::{BudgetPolicyStatus, BudgetUsage, LimitUsage, SubjectUsage, ToldAlert};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::alerts;
use super::ask::{Budget, Limit, Window};

/// Subjects that a status names.
const TOP: usize = 10;

/// An hour, also where a change of the clock cuts it.
const SHORTEST: SignedDuration = SignedDuration::from_mins(30);

/// What a status shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) usage: Option<BudgetUsage>,
    pub(crate) limits: Vec<LimitUsage>,
    pub(crate) top: Vec<SubjectUsage>,
    /// The limits that somebody has used up, for people; `None` if there are none.
    pub(crate) exceeded: Option<String>,
    /// What was reached of late; the newest last.
    pub(crate) alerts: Vec<ToldAlert>,
}

impl Shown {
    pub(super) fn of(budget: &Budget) -> Self {
        // Of equals, money matters most, then the first.
        let fullness = |limit: &&Limit| (percent(limit, limit.taken()), limit.unit == Unit::NanoUsd);
        let fullest = budget.limits.iter().rev().max_by_key(fullness);
        let mut top: Vec<_> = budget.limits.iter().flat_map(subjects).collect();
        // Sorting is stable: of equals, the one of the limit that is named first.
        top.sort_by_key(|subject| std::cmp::Reverse(subject.percent));
        top.truncate(TOP);
        let full: Vec<_> = budget.limits.iter().filter(|limit| limit.exceeded > 0).map(exceeded).collect();
        Self {
            usage: fullest.map(usage),
            limits: budget.limits.iter().map(limit).collect(),
            top,
            exceeded: (!full.is_empty()).then(|| full.join(", ")),
            alerts: alerts::of(&budget.alerts),
        }
    }

    /// Whether a status shows these numbers already.
    pub(crate) fn is_in(&self, status: &BudgetPolicyStatus) -> bool {
        status.usage == self.usage && status.limits == self.limits && status.top == self.top
    }

    /// Whether `new` is to be told at once: somebody has used up a limit or may ask again, a
    /// threshold was reached, or a window has turned.
    pub(super) fn is_less_urgent_than(&self, new: &Self) -> bool {
        let turning = |shown: &Self| -> Vec<_> {
            shown.limits.iter().map(|limit| (limit.name.clone(), limit.window_start.clone())).collect()
        };
        self.exceeded.is_some() != new.exceeded.is_some()
            || self.alerts != new.alerts
            || turning(self) != turning(new)
    }
}

impl Limit {
    fn taken(&self) -> (u64, u64) {
        (self.spent, self.reserved)
    }
}

fn usage(limit: &Limit) -> BudgetUsage {
    BudgetUsage {
        limit: limit.name.clone(),
        subject: limit.top.first().map(|fullest| fullest.subject.clone()),
        spent: text(limit, limit.used(limit.taken())),
        remaining: text(limit, limit.remaining),
        percent: percent(limit, limit.taken()),
        resets_at: boundaries(limit).map(|window| window.end.clone()),
    }
}

fn limit(limit: &Limit) -> LimitUsage {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    LimitUsage {
        name: limit.name.clone(),
        spent: text(limit, limit.spent),
        reserved: text(limit, limit.reserved),
        remaining: text(limit, limit.remaining),
        percent: percent(limit, limit.taken()),
        subjects: limit.subjects.map(count),
        exceeded_subjects: count(limit.exceeded),
        window_start: boundaries(limit).map(|window| window.start.clone()),
        window_end: boundaries(limit).map(|window| window.end.clone()),
    }
}

/// Of a window that people can follow. Those of minutes would be written every minute, though nothing happens.
fn boundaries(limit: &Limit) -> Option<&Window> {
    let window = limit.window.as_ref()?;
    let (start, end): (Timestamp, Timestamp) = (window.start.parse().ok()?, window.end.parse().ok()?);
    (end.duration_since(start) >= SHORTEST).then_some(window)
}

fn subjects(limit: &Limit) -> impl Iterator<Item = SubjectUsage> {
    limit.top.iter().map(|subject| {
        let taken = (subject.spent, subject.reserved);
        SubjectUsage {
            subject: subject.subject.clone(),
            limit: limit.name.clone(),
            spent: text(limit, limit.used(taken)),
            percent: percent(limit, taken),
        }
    })
}

fn exceeded(limit: &Limit) -> String {
    match (limit.top.first(), limit.exceeded) {
        (Some(fullest), 1) => format!("{} of {}", limit.name, fullest.subject),
        (Some(fullest), more) => format!("{} of {} and {} more", limit.name, fullest.subject, more - 1),
        (None, _) => limit.name.clone(),
    }
}

/// In whole percent, rounded down: 100 is really all of it.
fn percent(limit: &Limit, taken: (u64, u64)) -> i64 {
    let used = u128::from(limit.used(taken));
    // Of nothing, all is used.
    let percent = (used * 100).checked_div(u128::from(limit.amount)).unwrap_or(100);
    i64::try_from(percent).unwrap_or(i64::MAX)
}

/// Money in dollars, to a ten-thousandth of the amount, at least to the cent; all else as it is.
fn text(limit: &Limit, amount: u64) -> String {
    const NANO: u32 = 9;
    if limit.unit != Unit::NanoUsd {
        return amount.to_string();
    }
    let finest = (limit.amount / 10_000).max(1);
    let decimals = (2..=NANO).find(|decimals| 10_u64.pow(NANO - decimals) <= finest).unwrap_or(NANO);
    let step = 10_u64.pow(NANO - decimals);
    let rounded = amount.saturating_add(step / 2) / step;
    let (whole, fraction) = (rounded / 10_u64.pow(decimals), rounded % 10_u64.pow(decimals));
    format!("{whole}.{fraction:0width$}", width = usize::try_from(decimals).unwrap_or_default())
}

//! How full each budget is, for the operator, which shows it as the policy's status. `roll.rs` knows whom to read.

use std::sync::Arc;

use config::ObjectName;
use futures::future::join_all;
use limits::{Away, Counter, Fullest, Level, Limiter, Timestamp, Unit};
use serde::Serialize;
use serde_json::value::RawValue;

use super::roll::{BATCH, is_nearly_full, used};
use crate::snapshot::{Rule, Snapshot};

/// Subjects of a limit that are told.
const TOLD: usize = 10;

/// All budgets of a gateway.
#[derive(Debug, Serialize)]
pub(crate) struct Usage {
    /// Whether all pods count together: then each tells the same.
    shared: bool,
    budgets: Vec<BudgetUsage>,
}

#[derive(Debug, Serialize)]
struct BudgetUsage {
    id: ObjectName,
    uid: String,
    limits: Vec<LimitUsage>,
    /// Those that the policy gets an event for, of late; the newest last. See `alerts.rs`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<Box<RawValue>>,
}

/// One limit. The numbers are in its unit; money is in nano-dollars.
#[derive(Debug, Serialize)]
struct LimitUsage {
    name: String,
    unit: &'static str,
    amount: u64,
    /// Of a calendar window: others have no boundaries.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<WindowUsage>,
    /// Of the subject that has used most; where all share one amount, of all together.
    #[serde(flatten)]
    most: Taken,
    remaining: u64,
    /// How many have used something, up to a bound of ten thousand. Absent where all share one amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    subjects: Option<u64>,
    /// How many of them have used it up.
    exceeded: u64,
    /// The fullest first. Empty where all share one amount.
    top: Vec<SubjectUsage>,
}

#[derive(Debug, Serialize)]
struct WindowUsage {
    start: String,
    end: String,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Taken {
    spent: u64,
    reserved: u64,
}

#[derive(Debug, Serialize)]
struct SubjectUsage {
    subject: String,
    #[serde(flatten)]
    taken: Taken,
}

/// Reads them.
///
/// # Errors
/// [`Away`].
pub(super) async fn read(limiter: &Limiter, snapshot: &Snapshot, now: Timestamp) -> Result<Usage, Away> {
    let budgets = &snapshot.budgets;
    let rules: Vec<_> = budgets.each().flat_map(|(_, _, rules)| rules).collect();
    let mut read = Vec::with_capacity(rules.len());
    for some in rules.chunks(BATCH) {
        read.extend(join_all(some.iter().map(|rule| read_one(limiter, rule, now))).await);
    }
    let mut read = read.into_iter();
    let mut told = Vec::new();
    for (id, uid, rules) in budgets.each() {
        let limits = read.by_ref().take(rules.len()).collect::<Result<_, _>>()?;
        let has_events = snapshot.alerts.of(id).iter().any(|alert| alert.event);
        let board = rules.iter().find(|rule| has_events || rule.soft.is_some()).map(|rule| rule.board());
        let alerts = match board {
            Some(board) => limiter.board(board, now).await?,
            None => Vec::new(),
        };
        let alerts = alerts.into_iter().filter_map(|entry| RawValue::from_string(entry).ok()).collect();
        told.push(BudgetUsage { id: id.clone(), uid: uid.to_owned(), limits, alerts });
    }
    Ok(Usage { shared: limiter.is_shared(), budgets: told })
}

async fn read_one(limiter: &Limiter, rule: &Rule, now: Timestamp) -> Result<LimitUsage, Away> {
    let fullest = match &rule.group {
        Some(group) => limiter.fullest(group, rule.amount, TOLD, now).await?,
        None => Fullest::default(),
    };
    let members = fullest.first.iter().map(|(name, _)| rule.counter_of(name));
    let counters: Vec<Arc<Counter>> =
        rule.shared().map_or_else(|| members.collect(), |all| vec![Arc::clone(all)]);
    let levels = limiter.levels(&counters, now).await?;
    // What was full when it was noted may have room again, where a window rolls.
    let noted_full = fullest.first.iter().zip(&levels).filter(|((_, noted), _)| *noted >= rule.amount);
    let roomy = noted_full.filter(|(_, level)| !is_nearly_full(rule.unit, **level)).count();
    let exceeded = fullest.full.saturating_sub(u64::try_from(roomy).unwrap_or(u64::MAX));
    let mut all: Vec<_> = counters.iter().zip(levels).collect();
    all.sort_by_key(|(_, level)| std::cmp::Reverse(used(rule.unit, *level)));
    let most = all.first().map(|(_, level)| Taken::from(*level)).unwrap_or_default();
    let top = all.iter().filter_map(|(counter, level)| {
        let subject = rule.subject_of(counter)?.to_owned();
        Some(SubjectUsage { subject, taken: Taken::from(*level) })
    });
    Ok(LimitUsage {
        name: rule.limit.clone(),
        unit: word(rule.unit),
        amount: rule.amount,
        window: rule.span(now).map(|span| WindowUsage { start: text(span.start), end: text(span.end) }),
        remaining: rule.amount.saturating_sub(most.spent.saturating_add(most.reserved)),
        most,
        subjects: rule.shared().is_none().then_some(fullest.members),
        exceeded,
        top: top.collect(),
    })
}

impl From<Level> for Taken {
    fn from(level: Level) -> Self {
        Self { spent: level.spent, reserved: level.reserved }
    }
}

fn text(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// As the rendered config has it.
pub(super) fn word(unit: Unit) -> &'static str {
    match unit {
        Unit::NanoUsd => "nano_usd",
        Unit::Tokens => "tokens",
        Unit::InputTokens => "input_tokens",
        Unit::OutputTokens => "output_tokens",
        Unit::Requests => "requests",
        Unit::Concurrency => "concurrency",
    }
}

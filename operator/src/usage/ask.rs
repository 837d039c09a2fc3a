//! `GET /internal/budgets` of a gateway pod. The shape is in `ARCHITECTURE.md`.

use std::net::SocketAddr;
use std::time::Duration;

use config::{ObjectName, Unit};
use serde::Deserialize;

/// For an answer: a pod that takes longer is asked again in the next round.
const PATIENCE: Duration = Duration::from_secs(3);

/// Subjects of a limit that are worth to be shown.
const TOP: usize = 10;

/// What a pod tells.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    /// All pods tell the same.
    pub(super) shared: bool,
    pub(super) budgets: Vec<Budget>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Budget {
    pub(super) id: ObjectName,
    pub(super) uid: String,
    pub(super) limits: Vec<Limit>,
    /// Those to make events of; the newest last.
    #[serde(default)]
    pub(super) alerts: Vec<Alert>,
}

/// A threshold that was reached.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Alert {
    pub(super) text: String,
    pub(super) limit: String,
    pub(super) subject: Option<String>,
    /// `None` for the soft amount.
    pub(super) at_percent: Option<i64>,
    pub(super) window_start: Option<String>,
    pub(super) reset_at: Option<i64>,
    pub(super) time: String,
}

/// One limit, in its unit; money in nano-dollars.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Limit {
    pub(super) name: String,
    pub(super) unit: Unit,
    pub(super) amount: u64,
    /// Where it has boundaries.
    #[serde(default)]
    pub(super) window: Option<Window>,
    /// Of the fullest subject, or of all that share it.
    pub(super) spent: u64,
    pub(super) reserved: u64,
    pub(super) remaining: u64,
    /// Absent where all share the amount.
    #[serde(default)]
    pub(super) subjects: Option<u64>,
    pub(super) exceeded: u64,
    /// The fullest first.
    pub(super) top: Vec<Subject>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Window {
    pub(super) start: String,
    pub(super) end: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Subject {
    pub(super) subject: String,
    pub(super) spent: u64,
    pub(super) reserved: u64,
}

impl Limit {
    /// What counts as used: of what is under way there is nothing else.
    pub(super) fn used(&self, (spent, reserved): (u64, u64)) -> u64 {
        if self.unit == Unit::Concurrency { reserved } else { spent }
    }
}

/// Asks once.
///
/// # Errors
/// Why there is no answer, for people.
pub(super) async fn ask(http: &reqwest::Client, place: SocketAddr) -> Result<Answer, String> {
    let request = http.get(format!("http://{place}/internal/budgets")).timeout(PATIENCE);
    let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
    if !answer.status().is_success() {
        return Err(format!("the admin port answers {}", answer.status().as_u16()));
    }
    answer.json().await.map_err(|error| error.without_url().to_string())
}

/// Adds what another pod has counted by itself. Of how many subjects there are, the most that one has seen is told.
pub(super) fn add(sum: &mut Vec<Budget>, other: Vec<Budget>) {
    for budget in other {
        match sum.iter_mut().find(|known| known.id == budget.id && known.uid == budget.uid) {
            Some(known) => {
                budget.limits.into_iter().for_each(|limit| add_limit(known, limit));
                known.alerts.extend(budget.alerts);
            }
            None => sum.push(budget),
        }
    }
}

fn add_limit(budget: &mut Budget, other: Limit) {
    let Some(limit) = budget.limits.iter_mut().find(|limit| limit.name == other.name) else {
        // This pod serves a newer config.
        return budget.limits.push(other);
    };
    limit.subjects = limit.subjects.max(other.subjects);
    limit.exceeded = limit.exceeded.max(other.exceeded);
    let is_shared = limit.subjects.is_none();
    for subject in other.top {
        match limit.top.iter_mut().find(|known| known.subject == subject.subject) {
            Some(known) => {
                known.spent = known.spent.saturating_add(subject.spent);
                known.reserved = known.reserved.saturating_add(subject.reserved);
            }
            None => limit.top.push(subject),
        }
    }
    let (spent, reserved) = if is_shared {
        (limit.spent.saturating_add(other.spent), limit.reserved.saturating_add(other.reserved))
    } else {
        let mut top = std::mem::take(&mut limit.top);
        // Pods are asked in any order: equal ones must not change places, or statuses would never rest.
        top.sort_by_cached_key(|subject| {
            (std::cmp::Reverse(limit.used((subject.spent, subject.reserved))), subject.subject.clone())
        });
        top.truncate(TOP);
        limit.top = top;
        limit.top.first().map_or((0, 0), |fullest| (fullest.spent, fullest.reserved))
    };
    (limit.spent, limit.reserved) = (spent, reserved);
    limit.remaining = limit.amount.saturating_sub(spent.saturating_add(reserved));
}

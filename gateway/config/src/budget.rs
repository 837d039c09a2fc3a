//! Budgets and rate limits, as rendered: what is counted for whom, over which time, and what happens above it.
//! The gateway compiles them to counters.

use serde::{Deserialize, Serialize};

use crate::{CredentialRef, ObjectName};

/// The highest amount of any unit: the largest whole number that every backend counts exactly (2^53 - 1).
/// Of money it is 9,007,199.25 dollars.
pub const MAX_AMOUNT: u64 = (1 << 53) - 1;

/// One BudgetPolicy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The BudgetPolicy. What was counted outlives a reload and an edit: it is kept by `id` and `uid` together.
    pub id: ObjectName,
    /// Tells an object from its successor of the same name. Empty outside a cluster.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Whose requests count, sorted, each once. Empty where only children, or keys that name it, are counted here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// Whether each subject has counters of its own; else all that match share one set.
    pub per_target: bool,
    /// Never empty; sorted by name, names are unique.
    pub limits: Vec<Limit>,
    /// Whether limits hold or are only watched.
    pub enforcement: Enforcement,
    /// What happens while the counters are away. Resolved: the gateway's where the policy has none.
    pub failure_mode: FailureMode,
    /// What a request reserves before its usage is known.
    pub estimate: ReservationEstimate,
    /// How long a reservation lives that nobody settles.
    pub reservation_ttl_ms: u64,
    /// The budget whose limits hold for the requests of this one too; it is in the same config, and following
    /// parents always ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ObjectName>,
    /// Who is told when, sorted by `at_percent`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// Another value than the one before: count from nothing again. Unix seconds of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<u64>,
}

/// Whose requests count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// What kind of subject.
    pub kind: TargetKind,
    /// Which one; `None` is every one of this kind. A model is named by its public name, never by an alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only requests whose key lives in this namespace; `None` is any. With a name it is also the key's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// What a request can be counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// All requests.
    Gateway,
    /// The namespace that the key lives in.
    Namespace,
    /// The key's team.
    Team,
    /// The key's user.
    User,
    /// The key.
    VirtualKey,
    /// The public model name.
    Model,
    /// A tag of the request or of its key.
    Tag,
    /// The end user that the request names.
    Customer,
}

/// How much of what, in which time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Unique in its budget. Counters are kept by it: an edit of anything else keeps what was counted.
    pub name: String,
    /// What is counted.
    pub unit: Unit,
    /// In that unit; at most [`MAX_AMOUNT`].
    pub amount: u64,
    /// The time it counts over.
    pub window: Window,
    /// What happens to a request that does not fit.
    pub on_exceed: OnExceed,
    /// People are told above this. Below `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft: Option<u64>,
    /// Those of the budget's targets that this limit does not count for: an older budget's limit of this name does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Target>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Whole nano-dollars.
    NanoUsd,
    /// All tokens.
    Tokens,
    /// Tokens that are sent.
    InputTokens,
    /// Tokens that are made.
    OutputTokens,
    /// Requests begun.
    Requests,
    /// Requests under way.
    Concurrency,
}

/// The time a limit counts over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// From one boundary of the calendar to the next.
    Calendar {
        /// Which boundaries.
        every: CalendarUnit,
        /// Whose calendar: a name of the IANA database.
        time_zone: String,
        /// Of a week 2 (Tuesday) to 7; of the first month of the others 2 to 31, clipped to its end. `None` is Monday
        /// or the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_day: Option<u8>,
    },
    /// Always the last so many milliseconds.
    Rolling {
        /// Never zero.
        ms: u64,
    },
    /// What is under way has no window.
    Forever,
}

/// How often a calendar window begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarUnit {
    /// At second 0.
    Minute,
    /// At minute 0.
    Hour,
    /// At midnight.
    Day,
    /// At midnight of a week day.
    Week,
    /// At midnight of a day of the month.
    Month,
    /// In January, April, July and October.
    Quarter,
    /// In January.
    Year,
}

/// What happens to a request that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExceed {
    /// It is refused.
    Reject,
    /// It is served, and people are told.
    Warn,
    /// It waits for room as long as is bearable, and is then refused.
    Throttle,
    /// Another model serves it.
    Fallback {
        /// A public name in the same config.
        model: String,
    },
}

/// Whether limits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// They hold.
    #[default]
    Enforce,
    /// All is counted and told, and nothing is refused.
    Shadow,
}

/// What happens while the counters that pods share are away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureMode {
    /// Requests pass uncounted.
    FailOpen,
    /// Requests are refused.
    FailClosed,
    /// Each pod counts by itself.
    #[default]
    Estimate,
}

/// What a request reserves before its usage is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationEstimate {
    /// The most that it can use.
    #[default]
    MaxTokens,
    /// What requests of this model used of late.
    Average,
    /// Nothing.
    None,
}

/// Who is told when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Of any limit's amount.
    pub at_percent: u16,
    /// Whether the BudgetPolicy gets a Kubernetes event.
    pub event: bool,
    /// The address that is posted to: a secret, since addresses of webhooks are passwords.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<CredentialRef>,
}

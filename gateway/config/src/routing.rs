//! How requests are spread over deployments, and what is done when one of them fails.

use serde::{Deserialize, Serialize};

use crate::ObjectName;

/// How the deployments of one model are chosen from, and what becomes of those that fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Routing {
    /// Among those of one priority.
    pub strategy: Strategy,
    /// Whether requests of one conversation go to the same deployment while it stands, where clients name the
    /// conversation: providers cache what it begins with.
    pub session_affinity: SessionAffinity,
    /// How often it is tried again.
    pub retries: Retries,
    /// When one that fails is left alone, and for how long.
    pub cooldown: Cooldown,
}

/// How one deployment is chosen among those of one priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// At random, by weight.
    #[default]
    Weighted,
    /// In turn. Weights count for nothing, but for 0.
    RoundRobin,
    /// The one with the fewest calls under way for its weight.
    LeastBusy,
    /// The one that has begun to answer soonest of late; one in twenty requests tries another.
    LeastLatency,
    /// The one with the most left of its requests and tokens per minute.
    UsageBased,
    /// The one where the request is expected to cost least.
    LowestCost,
}

/// See [`Routing::session_affinity`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionAffinity {
    /// It decides before the strategy.
    #[default]
    Preferred,
    /// It does not count.
    Off,
}

/// How often a request is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retries {
    /// Further calls of deployments after the first, in one model.
    pub attempts: u32,
    /// The pause before the same deployment is called again; doubled each time, and cut at random.
    pub backoff_ms: u64,
    /// The longest of these pauses. 0: the same deployment is not called again.
    pub max_backoff_ms: u64,
    /// Further calls are at most so many percent of requests, and ten in a second, so that an outage is not made worse.
    /// Those to deployments that stand are not counted.
    pub budget_percent: u32,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 3, backoff_ms: 250, max_backoff_ms: 2_000, budget_percent: 20 }
    }
}

/// When a deployment that fails is left alone while others stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cooldown {
    /// After so many failures in a row. 0: never.
    pub failures: u32,
    /// Or when so many percent of its calls failed in the last half minute, of at least ten. 0: never.
    pub failure_percent: u8,
    /// How long at first, unless the provider says. Then one call tries; if it fails too, twice as long.
    pub duration_ms: u64,
    /// The longest.
    pub max_duration_ms: u64,
}

impl Default for Cooldown {
    fn default() -> Self {
        Self { failures: 3, failure_percent: 50, duration_ms: 5_000, max_duration_ms: 300_000 }
    }
}

/// Other models that are asked when none of a model's own deployments can answer, in order. Names of models or aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fallbacks {
    /// Where deployments fail, or cannot take the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_error: Vec<String>,
    /// Where the input is too large.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_context_window: Vec<String>,
    /// Where a provider's filter refuses it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_content_policy: Vec<String>,
    /// Where a budget in dollars is used up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_budget: Vec<String>,
    /// Where a limit in tokens, requests or requests at a time, a provider's or the gateway's, has no room.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_rate_limit: Vec<String>,
}

impl Fallbacks {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Every model named.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        let lists = [
            &self.on_error,
            &self.on_context_window,
            &self.on_content_policy,
            &self.on_budget,
            &self.on_rate_limit,
        ];
        lists.into_iter().flatten()
    }
}

/// A model with no deployments of its own: its requests go to those of other models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The ModelRoute.
    pub id: ObjectName,
    /// Tells an object from its successor of the same name. Empty outside a cluster.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The name that clients ask for. No model has it.
    pub name: String,
    /// Other names of the same route, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Never empty; in the order of its author.
    pub targets: Vec<RouteTarget>,
    /// Resolved already.
    pub routing: Routing,
    /// When none of the targets can answer.
    #[serde(default, skip_serializing_if = "Fallbacks::is_empty")]
    pub fallbacks: Fallbacks,
}

/// A model that a route sends requests to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTarget {
    /// Unique in its route.
    pub name: String,
    /// A model of this config, by its name. Never a route.
    pub model: String,
    /// Share of the traffic among targets of one priority. 0 takes none while another stands.
    pub weight: u32,
    /// Lower is tried first.
    pub priority: u8,
    /// A CEL expression over the facts of a request; the target is one only of those requests that it holds for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// What a deployment's provider allows in a minute. Absent: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capacity {
    /// Requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Input and output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
}

impl Capacity {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

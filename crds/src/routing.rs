//! How requests are spread over deployments, and what is done when one of them fails: what ModelGateways and ModelRoutes
//! say in the same words.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DurationText;

/// What a ModelGateway or a ModelRoute says about how deployments are chosen. What is absent is inherited.
#[derive(Clone, Copy, Debug)]
pub struct RoutingSpec<'a> {
    /// How one is chosen among those of one priority.
    pub strategy: Option<RoutingStrategy>,
    /// Whether conversations stay.
    pub session_affinity: Option<SessionAffinity>,
    /// How often it is tried again.
    pub retries: &'a RetriesSpec,
    /// When one that fails is left alone.
    pub cooldown: &'a CooldownSpec,
}

/// How one is chosen among the deployments of one priority. Weighted: at random, by weight. RoundRobin: in turn.
/// LeastBusy: the one with the fewest calls under way for its weight. LeastLatency: the one that begins to answer soonest.
/// UsageBased: the one with the most left of its capacity. LowestCost: the one where the request costs least.
/// Default: Weighted, or what the gateway says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RoutingStrategy {
    /// At random, by weight.
    Weighted,
    /// In turn.
    RoundRobin,
    /// The one with the fewest calls under way for its weight.
    LeastBusy,
    /// The one that begins to answer soonest.
    LeastLatency,
    /// The one with the most left of its capacity.
    UsageBased,
    /// The one where the request costs least.
    LowestCost,
}

/// Whether requests of one conversation go to the same deployment while it stands, where clients name the conversation:
/// providers cache what it begins with. Preferred: yes. None: no. Default: Preferred, or
/// what the gateway says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SessionAffinity {
    /// While it stands.
    Preferred,
    /// No.
    None,
}

/// How often a request is tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "!has(self.backoff) || !has(self.maxBackoff) || duration(self.backoff) <= duration(self.maxBackoff)")
    .message("backoff is at most maxBackoff"))]
#[x_kube(validation = Rule::new("!has(self.maxBackoff) || duration(self.maxBackoff) <= duration('10m')")
    .message("maxBackoff is at most 10m"))]
pub struct RetriesSpec {
    /// Further calls of deployments after the first. Default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 16))]
    pub attempts: Option<i64>,
    /// The pause before the same deployment is called again; doubled each time, and cut at random. Default 250ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<DurationText>,
    /// The longest of these pauses, at most 10m. For what a provider says in Retry-After nobody waits longer than that: the
    /// client is told. 0s: the same deployment is not called again. Default 2s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_backoff: Option<DurationText>,
    /// Further calls of deployments that fail are at most so many percent of requests, and ten in a second, so that an
    /// outage is not made worse. Default 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub budget_percent: Option<i64>,
}

/// When a deployment that fails is left alone while others stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "!has(self.duration) || !has(self.maxDuration) || duration(self.duration) <= duration(self.maxDuration)")
    .message("duration is at most maxDuration"))]
#[x_kube(validation = Rule::new("!has(self.maxDuration) || duration(self.maxDuration) <= duration('24h')")
    .message("maxDuration is at most 24h"))]
pub struct CooldownSpec {
    /// After so many failures in a row; 0 is never. Default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub failures: Option<i64>,
    /// Or when so many percent of its calls failed in the last half minute, of at least ten; 0 is never. Default 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub failure_percent: Option<i64>,
    /// For how long at first, unless the provider says. Then one call tries; if it fails too, twice as long. Default 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<DurationText>,
    /// The longest, at most 24h. Default 5m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_duration: Option<DurationText>,
}

/// Other models or routes of the same gateway that are asked, in order, when no deployment can answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FallbacksSpec {
    /// Where deployments fail, or cannot take the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$")))]
    pub on_error: Vec<String>,
    /// Where the input is too large.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$")))]
    pub on_context_window: Vec<String>,
    /// Where a provider's filter refuses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$")))]
    pub on_content_policy: Vec<String>,
    /// Where a budget in dollars is used up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$")))]
    pub on_budget: Vec<String>,
    /// Where a limit in tokens, requests or requests at a time, a provider's or the gateway's, has no room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$")))]
    pub on_rate_limit: Vec<String>,
}

/// How requests are spread over the deployments of a gateway's models, and what is done when one of them fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayRoutingSpec {
    /// How one is chosen among the deployments of one priority. Weighted: at random, by weight. RoundRobin: in turn.
    /// LeastBusy: the one with the fewest calls under way for its weight. LeastLatency: the one that begins to answer
    /// soonest. UsageBased: the one with the most left of its capacity. LowestCost: the one where the request costs
    /// least. Default Weighted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RoutingStrategy>,
    /// Whether requests of one conversation go to the same deployment while it stands. Default Preferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_affinity: Option<SessionAffinity>,
    /// How often a request is tried again.
    #[serde(default)]
    pub retries: RetriesSpec,
    /// When a deployment that fails is left alone while others stand.
    #[serde(default)]
    pub cooldown: CooldownSpec,
    /// Models or routes that are asked, in order, after the fallbacks that a model or route has itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$")))]
    pub fallbacks: Vec<String>,
    /// Fallbacks of models. Those of a ModelRoute are in the route.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["model"]))]
    pub models: Vec<ModelFallbacks>,
}

/// The fallbacks of one model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelFallbacks {
    /// The model, by its name or an alias.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$"))]
    pub model: String,
    /// Other models or routes that are asked, in order, when none of its deployments can answer.
    #[serde(default)]
    pub fallbacks: FallbacksSpec,
}

impl GatewayRoutingSpec {
    /// What it says about how deployments are chosen.
    #[must_use]
    pub fn routing(&self) -> RoutingSpec<'_> {
        RoutingSpec {
            strategy: self.strategy,
            session_affinity: self.session_affinity,
            retries: &self.retries,
            cooldown: &self.cooldown,
        }
    }
}

impl FallbacksSpec {
    /// Each list with the name of its field.
    pub fn lists(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        let all: [(_, &[String]); 5] = [
            ("onError", &self.on_error),
            ("onContextWindow", &self.on_context_window),
            ("onContentPolicy", &self.on_content_policy),
            ("onBudget", &self.on_budget),
            ("onRateLimit", &self.on_rate_limit),
        ];
        all.into_iter()
    }
}

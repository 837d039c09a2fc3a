//! `ModelRoute`: a name whose requests go to other models, by weight, priority and what the request is like.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CooldownSpec, FallbacksSpec, GatewayRef, RetriesSpec, RoutingSpec, RoutingStrategy, ServingGateway,
    SessionAffinity,
};

/// A name whose requests go to other models, by weight, priority and what the request is like.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "fairlead.dev",
    version = "v1alpha1",
    kind = "ModelRoute",
    namespaced,
    status = "ModelRouteStatus",
    derive = "PartialEq",
    shortname = "mroute",
    category = "fairlead",
    doc = "A name whose requests go to other models, by weight, priority and what the request is like.",
    selectable = ".spec.gatewayRef.name",
    selectable = ".spec.modelName",
    printcolumn(
        json_path = ".status.resolved.model",
        name = "Model",
        type_ = "string",
        description = "The name that clients ask for."
    ),
    printcolumn(
        json_path = ".status.resolved.targets",
        name = "Targets",
        type_ = "string",
        description = "How many of its targets take requests."
    ),
    printcolumn(
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        name = "Ready",
        type_ = "string",
        description = "Whether every Ready pod of its gateway serves it as written."
    ),
    printcolumn(
        json_path = ".status.summary",
        name = "Pods",
        type_ = "string",
        description = "How many pods serve it."
    ),
    printcolumn(
        json_path = ".status.resolved.strategy",
        name = "Strategy",
        type_ = "string",
        priority = 1,
        description = "How a deployment is chosen, also where the gateway says it."
    ),
    printcolumn(
        json_path = ".status.resolved.fallbacks",
        name = "Fallbacks",
        type_ = "string",
        priority = 1,
        description = "The models that are asked when no target can answer."
    ),
    printcolumn(
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        name = "Reason",
        type_ = "string",
        priority = 1,
        description = "Why it is Ready, or not."
    ),
    printcolumn(
        json_path = ".metadata.creationTimestamp",
        name = "Age",
        type_ = "date",
        description = "Since it was made."
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.gatewayRef == oldSelf.gatewayRef")
    .message("gatewayRef cannot change: make a new ModelRoute and delete this one"))]
pub struct ModelRouteSpec {
    /// The ModelGateway that serves it. Cannot change.
    #[serde(default)]
    pub gateway_ref: GatewayRef,
    /// The name that clients ask for. No model may have it. Default: the object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$"))]
    pub model_name: Option<String>,
    /// Other names of the same route.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$")))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub aliases: Vec<String>,
    /// The models that its requests go to.
    #[schemars(length(min = 1, max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub targets: Vec<RouteTarget>,
    /// How one is chosen among the deployments of one priority. Weighted: at random, by weight. RoundRobin: in turn.
    /// LeastBusy: the one with the fewest calls under way for its weight. LeastLatency: the one that begins to answer
    /// soonest. UsageBased: the one with the most left of its capacity. LowestCost: the one where the request costs
    /// least. Default: the gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RoutingStrategy>,
    /// Whether requests of one conversation go to the same deployment while it stands. Default: the gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_affinity: Option<SessionAffinity>,
    /// How often a request is tried again. What is absent is the gateway's.
    #[serde(default)]
    pub retries: RetriesSpec,
    /// When a deployment that fails is left alone while others stand. What is absent is the gateway's.
    #[serde(default)]
    pub cooldown: CooldownSpec,
    /// Other models or routes of the same gateway that are asked, in order, when no target can answer.
    #[serde(default)]
    pub fallbacks: FallbacksSpec,
    /// Takes the route out of service without deleting it. It keeps its name.
    #[serde(default)]
    pub suspend: bool,
}

impl ModelRouteSpec {
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

/// A model that requests go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteTarget {
    /// The target's name, in logs and metrics.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// A model of the same gateway, by its name or an alias; not a route.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$"))]
    pub model: String,
    /// Share of the traffic among the targets of one priority. Default 1; with 0 it takes none while another stands.
    #[serde(default = "default_weight")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub weight: i64,
    /// Targets of the lowest number are tried first. Default 0.
    #[serde(default)]
    #[schemars(range(min = 0, max = 31))]
    pub priority: i64,
    /// A CEL expression over the facts of a request, for example `tokens > 100000` or `'gold' in tags`: the target takes
    /// only requests that it holds for. Facts: model, tags, tokens, max_tokens, stream, tools, images, json_schema,
    /// customer, key, team, user, language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub when: Option<String>,
}

fn default_weight() -> i64 {
    1
}

/// What the operator found and did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelRouteStatus {
    /// The generation that this status speaks of; -1 before the first visit.
    pub observed_generation: i64,
    /// Accepted, ResolvedRefs, Programmed, Ready; Reconciling and Stalled only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The gateway that it is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<ServingGateway>,
    /// What the spec came to. Absent where it is not served, or in an older version only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<ResolvedRoute>,
    /// One line for people, for example `2/2 pods current`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

/// What the spec came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedRoute {
    /// The name that clients ask for.
    pub model: String,
    /// How many of its targets take requests, of all that are written: `2/3`.
    pub targets: String,
    /// How a deployment is chosen, also where the gateway says it.
    pub strategy: RoutingStrategy,
    /// The models that are asked when no target can answer, each once: `gpt-4o-mini, hello`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fallbacks: String,
}

//! `ModelGateway`: the scope of one routing config, and its settings.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    DurationText, EgressSpec, GatewayBudgetsSpec, GatewayPricingSpec, GatewayRoutingSpec, NamespaceSelection,
};

/// A set of gateway pods that serve one routing config. Its pods are those in its namespace that carry
/// the label `fairlead.dev/gateway` with its name; the Helm chart makes them.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "fairlead.dev",
    version = "v1alpha1",
    kind = "ModelGateway",
    namespaced,
    status = "ModelGatewayStatus",
    derive = "PartialEq",
    shortname = "mgw",
    category = "fairlead",
    doc = "A set of gateway pods that serve one routing config.",
    printcolumn(
        json_path = ".status.models.served",
        name = "Models",
        type_ = "integer",
        description = "Models that are served."
    ),
    printcolumn(
        json_path = ".status.models.rejected",
        name = "Rejected",
        type_ = "integer",
        description = "Deployments that are not served as written."
    ),
    printcolumn(
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        name = "Ready",
        type_ = "string",
        description = "Whether every Ready pod serves the latest config."
    ),
    printcolumn(
        json_path = ".status.summary",
        name = "Pods",
        type_ = "string",
        description = "How many Ready pods serve it."
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
pub struct ModelGatewaySpec {
    /// Whose ModelDeployments are served.
    #[serde(default)]
    pub models: ModelsSpec,
    /// Who may call.
    #[serde(default)]
    pub auth: AuthSpec,
    /// Whose VirtualKeys open it.
    #[serde(default)]
    pub keys: KeysSpec,
    /// Where clients reach it, for example `https://llm.example.com/v1`. Secrets of VirtualKeys hold it on request.
    #[serde(default, rename = "baseURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^https?://[!-~]+$"))]
    pub base_url: Option<String>,
    /// What a single request may cost the gateway.
    #[serde(default)]
    pub limits: LimitsSpec,
    /// How requests are translated where client and provider speak different wire languages.
    #[serde(default)]
    pub translation: TranslationSpec,
    /// What becomes of models whose price nobody knows.
    #[serde(default)]
    pub pricing: GatewayPricingSpec,
    /// How long to wait for an upstream, unless a deployment says otherwise. Absent ones are
    /// connect 5s, firstByte 120s, streamIdle 120s, request 600s.
    #[serde(default)]
    pub timeouts: TimeoutsSpec,
    /// What all budgets have in common.
    #[serde(default)]
    pub budgets: GatewayBudgetsSpec,
    /// How requests are spread over deployments, and what is done when one of them fails. A ModelRoute may say
    /// otherwise for its own.
    #[serde(default)]
    pub routing: GatewayRoutingSpec,
    /// How providers and webhooks are reached.
    #[serde(default)]
    pub egress: EgressSpec,
}

/// Whose ModelDeployments are served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelsSpec {
    /// The namespaces whose ModelDeployments may attach.
    #[serde(default)]
    pub namespaces: NamespaceSelection,
    /// Whether deployments of several namespaces may share a model name, and routes may send requests to models of
    /// other namespaces. If not, the namespace with the oldest deployment of a name owns it, and the others are refused.
    #[serde(default)]
    pub group_across_namespaces: bool,
}

/// Who may call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthSpec {
    /// The Secret that holds the master key, the key that may do everything. Without one, the gateway's
    /// pods must bring it in the environment variable FAIRLEAD_MASTER_KEY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_key_secret_ref: Option<SecretKeyRef>,
}

/// Whose VirtualKeys open a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeysSpec {
    /// The namespaces whose VirtualKeys may open it. Withdrawing the consent revokes them at once.
    #[serde(default)]
    pub namespaces: NamespaceSelection,
}

/// One value of a Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in the Secret's data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// What a single request may cost the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitsSpec {
    /// A request body above this many bytes is refused with status 413. Default 33554432 (32 MiB).
    #[serde(default = "default_max_request_body_bytes")]
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub max_request_body_bytes: i64,
    /// An upstream's answer above this many bytes, unless it is a stream, is refused with status 502. Default 134217728
    /// (128 MiB): the most that OpenAI sends is 2048 vectors of 3072 numbers, some 90 MB.
    #[serde(default = "default_max_answer_bytes")]
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub max_answer_bytes: i64,
    /// A stream with an event above this many bytes is broken off; images come in one event. A stream as a whole has no
    /// limit. Default 33554432 (32 MiB).
    #[serde(default = "default_max_stream_event_bytes")]
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub max_stream_event_bytes: i64,
}

impl Default for LimitsSpec {
    fn default() -> Self {
        Self {
            max_request_body_bytes: default_max_request_body_bytes(),
            max_answer_bytes: default_max_answer_bytes(),
            max_stream_event_bytes: default_max_stream_event_bytes(),
        }
    }
}

fn default_max_request_body_bytes() -> i64 {
    32 << 20
}

fn default_max_answer_bytes() -> i64 {
    128 << 20
}

fn default_max_stream_event_bytes() -> i64 {
    32 << 20
}

/// How long to wait for an upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeoutsSpec {
    /// For the TCP and TLS handshake, for example 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<DurationText>,
    /// From the request sent to the first frame of a stream, for example 120s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<DurationText>,
    /// Between two chunks of a stream, for example 120s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_idle: Option<DurationText>,
    /// From the request sent to the whole answer, for example 600s. Streams are not bound by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<DurationText>,
}

/// How requests are translated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TranslationSpec {
    /// What to do about a field that the provider's language has no place for. Report: tuning hints are left out and
    /// named in the response header x-fairlead-losses, what changes the meaning is refused with status 400. Reject:
    /// any is refused. Ignore: nothing is refused, all is named. Default: Report, or what the gateway says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_loss: Option<OnLoss>,
}

/// What to do about a field that cannot be translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnLoss {
    /// Hints are left out and named, what changes the meaning is refused.
    Report,
    /// Any is refused.
    Reject,
    /// Nothing is refused, all is named.
    Ignore,
}

/// What the operator found and did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelGatewayStatus {
    /// The generation that this status speaks of; -1 before the first visit.
    pub observed_generation: i64,
    /// Accepted, ResolvedRefs, Programmed, Ready; Reconciling and Stalled only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The config that is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigStatus>,
    /// Counts of what the config serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<ModelsStatus>,
    /// Counts of the gateway's Ready pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<PodsStatus>,
    /// Ready pods that do not serve the published config, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub lagging_pods: Vec<LaggingPod>,
    /// One line for people, for example `2/2 pods current`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

/// The config that is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigStatus {
    /// Names the content: 16 hex digits.
    pub revision: String,
    /// ConfigMaps in use besides the index.
    pub shards: i64,
    /// All files together.
    pub bytes: i64,
}

/// Counts of what the config serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelsStatus {
    /// Model names that answer.
    pub served: i64,
    /// Deployments behind them.
    pub deployments: i64,
    /// Deployments attached to this gateway that are not served as written.
    pub rejected: i64,
}

/// Counts of the gateway's Ready pods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodsStatus {
    /// Ready pods, and those not yet Ready only because they wait for this config.
    pub total: i64,
    /// Of these, those that serve the published config.
    pub current: i64,
    /// Of these, those that do not.
    pub lagging: i64,
}

/// A pod that does not serve the published config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LaggingPod {
    /// The pod's name.
    pub name: String,
    /// Lagging: on its way. Rejected: it refused the config. Unreachable: its admin port does not answer.
    pub state: PodState,
    /// What the pod or the network said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Why a pod is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PodState {
    /// On its way.
    Lagging,
    /// It refused the config.
    Rejected,
    /// Its admin port does not answer.
    Unreachable,
}

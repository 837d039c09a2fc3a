//! `ModelDeployment`: one upstream that serves a model. Several of one model name share its traffic.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ParametersSpec, PricingSpec, TimeoutsSpec, TranslationSpec};

/// One upstream that serves a model. Several of one `modelName` form a group and share its traffic.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "fairlead.dev",
    version = "v1alpha1",
    kind = "ModelDeployment",
    namespaced,
    status = "ModelDeploymentStatus",
    derive = "PartialEq",
    shortname = "mdep",
    category = "fairlead",
    doc = "One upstream that serves a model. Several of one modelName share its traffic.",
    selectable = ".spec.gatewayRef.name",
    selectable = ".spec.modelName",
    selectable = ".spec.provider.type",
    printcolumn(
        json_path = ".status.resolved.model",
        name = "Model",
        type_ = "string",
        description = "The name that clients ask for."
    ),
    printcolumn(
        json_path = ".spec.provider.type",
        name = "Provider",
        type_ = "string",
        description = "The catalogue's id of the provider."
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
        json_path = ".spec.provider.model",
        name = "Upstream",
        type_ = "string",
        priority = 1,
        description = "The model's name at the provider."
    ),
    printcolumn(
        json_path = ".spec.weight",
        name = "Weight",
        type_ = "integer",
        priority = 1,
        description = "Share of the traffic."
    ),
    printcolumn(
        json_path = ".spec.priority",
        name = "Priority",
        type_ = "integer",
        priority = 1,
        description = "Lower is tried first."
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
    .message("gatewayRef cannot change: make a new ModelDeployment and delete this one"))]
#[x_kube(validation = Rule::new("self.provider.type != 'mock' || !has(self.credentialsRef)")
    .message("the mock provider takes no credentialsRef"))]
pub struct ModelDeploymentSpec {
    /// The ModelGateway that serves it. Cannot change.
    #[serde(default)]
    pub gateway_ref: GatewayRef,
    /// The name that clients ask for. Default: the object's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$"))]
    pub model_name: Option<String>,
    /// Other names of the same model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253), regex(pattern = r"^[^\s*]+$")))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub aliases: Vec<String>,
    /// Where requests go.
    pub provider: ProviderSpec,
    /// The ProviderSecret whose credential is sent. Absent: none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_ref: Option<CredentialsRef>,
    /// Share of the traffic among the deployments of one model and priority. Default 1; with 0 it takes
    /// none while another stands.
    #[serde(default = "default_weight")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub weight: i64,
    /// Deployments of the lowest number are tried first. Default 0.
    #[serde(default)]
    #[schemars(range(min = 0, max = 31))]
    pub priority: i64,
    /// What the provider allows, where that is known: strategy UsageBased goes by what is left of it.
    #[serde(default)]
    pub capacity: CapacitySpec,
    /// How long to wait for this upstream. Absent ones are the gateway's.
    #[serde(default)]
    pub timeouts: TimeoutsSpec,
    /// How requests are translated for this upstream. What is absent is the gateway's.
    #[serde(default)]
    pub translation: TranslationSpec,
    /// What its calls cost. Default: what the catalogue says of the provider's model.
    #[serde(default)]
    pub pricing: PricingSpec,
    /// What is changed in the body of each request before it is sent to this upstream.
    #[serde(default)]
    pub parameters: ParametersSpec,
    /// Sent to the upstream with every request. Not for secrets: use credentialsRef.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub headers: Vec<HeaderEntry>,
    /// Takes the deployment out of service without deleting it.
    #[serde(default)]
    pub suspend: bool,
}

fn default_weight() -> i64 {
    1
}

/// A ModelGateway by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayRef {
    /// The ModelGateway's name. Default `main`.
    #[serde(default = "default_gateway")]
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// Its namespace. Default: the deployment's own. The gateway must let this namespace attach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

impl Default for GatewayRef {
    fn default() -> Self {
        Self { name: default_gateway(), namespace: None }
    }
}

fn default_gateway() -> String {
    "main".into()
}

/// Where requests go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.type != 'mock' || !has(self.baseURL)")
    .message("the mock provider has no baseURL"))]
#[x_kube(validation = Rule::new("self.type != 'mock' || !has(self.dialect)")
    .message("the mock provider answers every client in its own language: leave dialect out"))]
#[x_kube(validation = Rule::new("self.type != 'custom' || has(self.baseURL)")
    .message("provider custom needs a baseURL"))]
#[x_kube(validation = Rule::new(
    "!has(self.baseURL) || (isURL(self.baseURL) && url(self.baseURL).getScheme() in ['http', 'https'] && url(self.baseURL).getHostname() != '')")
    .message("baseURL must be an http or https URL with a host"))]
#[x_kube(validation = Rule::new(
    "!has(self.baseURL) || !isURL(self.baseURL) || !(url(self.baseURL).getHostname() == 'localhost' || url(self.baseURL).getHostname().startsWith('127.') || url(self.baseURL).getHostname().startsWith('169.254.') || url(self.baseURL).getHostname() in ['0.0.0.0', '[::1]', '::1', '[::]', '::'])")
    .message("baseURL must not be a loopback or link-local address: in a pod that is the gateway itself or the node's metadata"))]
pub struct ProviderSpec {
    /// The catalogue's id of the provider, for example openai, azure, ollama, hosted_vllm; `custom` for any
    /// server that speaks OpenAI's API; `mock` for canned answers with no upstream.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9][a-z0-9_-]*$"))]
    pub type_: String,
    /// The model's name at the provider. Default: the deployment's model name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub model: Option<String>,
    /// The address that the API's paths are appended to, for example https://api.openai.com/v1. Default:
    /// the catalogue's; needed where the provider is self-hosted or has an address per customer.
    #[serde(default, rename = "baseURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub base_url: Option<String>,
    /// The wire language that the server at baseURL speaks. Default: the catalogue's for this provider;
    /// for `custom`, openai-chat. Clients of other languages are translated to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<WireDialect>,
}

/// A wire language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WireDialect {
    /// OpenAI's chat completions.
    OpenaiChat,
    /// OpenAI's responses.
    OpenaiResponses,
    /// OpenAI's older completions of one text. What is a conversation, or has tools or pictures, is refused.
    OpenaiCompletions,
    /// Anthropic's messages.
    Anthropic,
    /// Google's generateContent.
    Gemini,
}

/// What a deployment's provider allows in a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapacitySpec {
    /// Requests. Default: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub requests_per_minute: Option<i64>,
    /// Input and output tokens. Default: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000_000_i64))]
    pub tokens_per_minute: Option<i64>,
}

/// A ProviderSecret by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsRef {
    /// The ProviderSecret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its namespace. Default: the deployment's own. The ProviderSecret must let this namespace use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// A fixed header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "!(self.name.lowerAscii() in ['authorization', 'api-key', 'x-api-key', 'host', 'content-length', 'content-type', 'transfer-encoding', 'connection', 'accept-encoding'])")
    .message("this header is the gateway's own to set; credentials go into a ProviderSecret"))]
pub struct HeaderEntry {
    /// The header's name.
    #[schemars(length(min = 1, max = 128), regex(pattern = "^[A-Za-z0-9-]+$"))]
    pub name: String,
    /// Its value: visible ASCII.
    #[schemars(length(max = 1024), regex(pattern = "^[ -~]*$"))]
    pub value: String,
}

/// What the operator found and did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelDeploymentStatus {
    /// The generation that this status speaks of; -1 before the first visit.
    pub observed_generation: i64,
    /// Accepted, ResolvedRefs, Programmed, Ready; Reconciling and Stalled only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The gateway that it is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<ServingGateway>,
    /// What the spec came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<ResolvedStatus>,
    /// One line for people, for example `2/2 pods current`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

/// The gateway that a deployment is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServingGateway {
    /// The ModelGateway's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// What the spec came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedStatus {
    /// The name that clients ask for.
    pub model: String,
    /// The upstream's host; empty for the mock provider.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub endpoint_host: String,
}

//! `ProviderSecret`: where a provider's credential comes from, and who may use it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::NamespaceSelection;

/// A provider's credential: where it comes from, and who may use it.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "fairlead.dev",
    version = "v1alpha1",
    kind = "ProviderSecret",
    namespaced,
    status = "ProviderSecretStatus",
    derive = "PartialEq",
    shortname = "psec",
    category = "fairlead",
    doc = "A provider's credential: where it comes from, and who may use it.",
    validation = Rule::new("has(self.spec.kubernetes)").message("name a source: spec.kubernetes"),
    printcolumn(json_path = ".spec.kubernetes.secretRef.name", name = "Secret", type_ = "string",
        description = "The Secret that holds the material."),
    printcolumn(json_path = ".status.usedBy", name = "Used By", type_ = "integer",
        description = "Deployments that use it."),
    printcolumn(json_path = ".status.conditions[?(@.type==\"Ready\")].status", name = "Ready", type_ = "string",
        description = "Whether the material is there and on every pod that needs it."),
    printcolumn(json_path = ".status.conditions[?(@.type==\"Ready\")].reason", name = "Reason", type_ = "string",
        priority = 1, description = "Why it is Ready, or not."),
    printcolumn(json_path = ".metadata.creationTimestamp", name = "Age", type_ = "date",
        description = "Since it was made.")
)]
#[serde(rename_all = "camelCase")]
pub struct ProviderSecretSpec {
    /// A Kubernetes Secret in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesSource>,
    /// What happens to deployments that use the credential when its source is gone or incomplete.
    #[serde(default)]
    pub on_source_error: OnSourceError,
    /// Who may use it.
    #[serde(default)]
    pub consumers: ConsumersSpec,
}

/// A Kubernetes Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesSource {
    /// Which Secret.
    pub secret_ref: SecretName,
    /// Which of its keys holds what. Default: `apiKey` in the key `apiKey`.
    #[serde(default = "default_data")]
    #[schemars(length(min = 1, max = 1))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["field"]))]
    pub data: Vec<SecretData>,
}

fn default_data() -> Vec<SecretData> {
    vec![SecretData { field: CredentialField::ApiKey, key: "apiKey".into() }]
}

/// A Secret by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretName {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Maps a credential's field to a key of the Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretData {
    /// What the value is to the provider.
    pub field: CredentialField,
    /// The key in the Secret's data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// What a value is to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CredentialField {
    /// The key that authenticates requests.
    ApiKey,
}

impl CredentialField {
    /// As written in manifests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "apiKey",
        }
    }
}

/// What happens when the source is gone or incomplete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnSourceError {
    /// Deployments go on with the last good material.
    #[default]
    KeepLast,
    /// Deployments that use it stop serving.
    Revoke,
}

/// Who may use a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsumersSpec {
    /// The namespaces whose ModelDeployments may name this ProviderSecret. Withdrawing the consent
    /// stops them at once.
    #[serde(default)]
    pub namespaces: NamespaceSelection,
}

/// What the operator found and did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderSecretStatus {
    /// The generation that this status speaks of; -1 before the first visit.
    pub observed_generation: i64,
    /// Accepted, ResolvedRefs, Programmed, Ready; Reconciling and Stalled only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The fields that the source has. Names only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub fields: Vec<CredentialField>,
    /// Deployments that name this credential.
    #[serde(default)]
    pub used_by: i64,
    /// One line for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

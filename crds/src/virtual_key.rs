//! `VirtualKey`: a key for callers of a gateway, and what it may do. The key itself is only ever in a Secret.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DurationText, GatewayRef, SecretKeyRef, SecretName, ServingGateway};

/// A key for callers of a gateway, and what it may do.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "fairlead.dev",
    version = "v1alpha1",
    kind = "VirtualKey",
    namespaced,
    status = "VirtualKeyStatus",
    derive = "PartialEq",
    shortname = "vkey",
    category = "fairlead",
    doc = "A key for callers of a gateway, and what it may do.",
    selectable = ".spec.gatewayRef.name",
    selectable = ".spec.team",
    printcolumn(
        json_path = ".status.keyID",
        name = "Key",
        type_ = "string",
        description = "The end of the key, to recognise it by."
    ),
    printcolumn(
        json_path = ".status.secretRef.name",
        name = "Secret",
        type_ = "string",
        description = "The Secret that holds the key."
    ),
    printcolumn(
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        name = "Ready",
        type_ = "string",
        description = "Whether every Ready pod of its gateway takes the key."
    ),
    printcolumn(
        json_path = ".status.summary",
        name = "Status",
        type_ = "string",
        description = "How it stands."
    ),
    printcolumn(
        json_path = ".spec.team",
        name = "Team",
        type_ = "string",
        priority = 1,
        description = "Whose team's it is."
    ),
    printcolumn(
        json_path = ".status.expiresAt",
        name = "Expires",
        type_ = "string",
        priority = 1,
        description = "When it ends."
    ),
    printcolumn(
        json_path = ".status.rotatesAt",
        name = "Rotates",
        type_ = "string",
        priority = 1,
        description = "When the next key replaces it."
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
    .message("gatewayRef cannot change: make a new VirtualKey and delete this one"))]
#[x_kube(validation = Rule::new("!(has(self.expiresAt) && has(self.ttl))")
    .message("a key ends at expiresAt or after ttl: leave one of them out"))]
#[x_kube(validation = Rule::new("!(has(self.secret) && has(self.importFrom))")
    .message("a key is made into secret or taken from importFrom: leave one of them out"))]
#[x_kube(validation = Rule::new("!(has(self.rotation) && has(self.importFrom))")
    .message("an imported key is rotated by whoever writes its Secret: leave rotation out"))]
#[x_kube(validation = Rule::new(
    "(has(self.secret) && has(self.secret.name) ? self.secret.name : '') == \
     (has(oldSelf.secret) && has(oldSelf.secret.name) ? oldSelf.secret.name : '')")
    .message("secret.name cannot change: make a new VirtualKey and delete this one"))]
#[x_kube(validation = Rule::new(
    "(has(self.secret) ? self.secret.key : 'apiKey') == (has(oldSelf.secret) ? oldSelf.secret.key : 'apiKey')")
    .message("secret.key cannot change: make a new VirtualKey and delete this one"))]
pub struct VirtualKeySpec {
    /// The ModelGateway that it opens. Cannot change. The gateway must let this namespace have keys: `spec.keys`.
    #[serde(default)]
    pub gateway_ref: GatewayRef,
    /// A name for people, in access logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub display_name: Option<String>,
    /// The team that its use is counted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^\S+$"))]
    pub team: Option<String>,
    /// The user that its use is counted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^\S+$"))]
    pub user: Option<String>,
    /// Which models it may ask. Absent: every one.
    #[serde(default)]
    pub models: AccessSpec,
    /// BudgetPolicies of this namespace that its use counts in, besides those that name it as their target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub budget_refs: Vec<BudgetRef>,
    /// How much at a time.
    #[serde(default)]
    pub limits: KeyLimitsSpec,
    /// When it ends. Absent, and without `ttl`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// How long it lives after the VirtualKey was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<DurationText>,
    /// The Secret that the key is made into. Absent, and without `importFrom`: one named after the VirtualKey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<KeySecretSpec>,
    /// A key that exists already, for example one of LiteLLM's. It begins with `sk-` and has at least 20 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_from: Option<ImportSpec>,
    /// Replaces the key from time to time. The Secret holds the new one once every pod takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationSpec>,
    /// Whether it is refused until further notice.
    #[serde(default)]
    pub suspend: bool,
    /// Anything that its owner wants to keep with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub metadata: BTreeMap<String, String>,
}

/// Which models a key may ask. In patterns, `*` stands for any text. A model is meant by its name and by each of its
/// aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessSpec {
    /// Names and patterns. Empty: every model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253), regex(pattern = r"^\S+$")))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub allow: Vec<String>,
    /// Names and patterns. They go before `allow`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253), regex(pattern = r"^\S+$")))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub deny: Vec<String>,
}

/// A BudgetPolicy of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetRef {
    /// The BudgetPolicy's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// How much a key may do at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyLimitsSpec {
    /// Requests begun in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub requests_per_minute: Option<i64>,
    /// Tokens sent and made in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000_000_i64))]
    pub tokens_per_minute: Option<i64>,
    /// Requests under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_concurrent: Option<i64>,
}

/// The Secret that a key is made into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeySecretSpec {
    /// Its name. Cannot change. Default: that of the VirtualKey with `-key` behind it. A Secret of that name that
    /// somebody else made is left alone, and the VirtualKey refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"))]
    pub name: Option<String>,
    /// The key in its data that holds the `sk-...`. Cannot change. Default `apiKey`.
    #[serde(default = "default_key")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
    /// What it holds besides.
    #[serde(default)]
    pub extra_data: ExtraDataSpec,
    /// What becomes of it when the VirtualKey is deleted. The key in it is refused from then on in any case.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

impl Default for KeySecretSpec {
    fn default() -> Self {
        let (extra_data, deletion_policy) = (ExtraDataSpec::default(), DeletionPolicy::default());
        Self { name: None, key: default_key(), extra_data, deletion_policy }
    }
}

fn default_key() -> String {
    "apiKey".into()
}

/// What a key's Secret holds besides the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExtraDataSpec {
    /// Whether its key `baseURL` holds the `baseURL` of the ModelGateway.
    #[serde(default, rename = "baseURL")]
    pub base_url: bool,
}

/// What becomes of a Secret whose VirtualKey is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// It is deleted too.
    #[default]
    Delete,
    /// It stays, with a key that opens nothing.
    Retain,
}

/// A key that exists already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportSpec {
    /// Where the whole `sk-...` is: a Secret in the same namespace. It is only read.
    pub secret_key_ref: SecretKeyRef,
}

/// Replaces a key from time to time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("duration(self.interval) >= duration('10s')")
    .message("interval is at least 10s"))]
#[x_kube(validation = Rule::new("duration(self.overlap) < duration(self.interval)")
    .message("overlap is shorter than interval"))]
pub struct RotationSpec {
    /// How long a key is in use.
    pub interval: DurationText,
    /// How long the old key is still taken after the Secret holds the new one. Default 1h.
    #[serde(default = "default_overlap")]
    pub overlap: DurationText,
}

fn default_overlap() -> DurationText {
    DurationText("1h".into())
}

/// What the operator found and did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VirtualKeyStatus {
    /// The generation that this status speaks of; -1 before the first visit.
    pub observed_generation: i64,
    /// Accepted, ResolvedRefs, Programmed, Ready; Expired, Suspended, Reconciling and Stalled only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The gateway that it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<ServingGateway>,
    /// The end of the key, as `sk-...abcd`, to recognise it by.
    #[serde(default, rename = "keyID", skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The Secret that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretName>,
    /// When the key in the Secret was made. Absent for an imported one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Time>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// When the next key replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotates_at: Option<Time>,
    /// Until when the key before is still taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_key_expires_at: Option<Time>,
    /// One line for people, for example `2/2 pods current`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

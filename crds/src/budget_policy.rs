//! `BudgetPolicy`: budgets and rate limits in one kind. `budget_policy/limits.rs` has what is counted and over which
//! time.

mod amount;
mod limits;
mod usage;

pub use amount::Amount;
pub use limits::{BudgetLimit, BudgetUnit, CalendarUnit, OnExceed, RollingText, WindowSpec};
pub use usage::{BudgetUsage, LimitUsage, SubjectUsage, ToldAlert};

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DurationText, GatewayRef, SecretKeyRef, ServingGateway};

/// Annotation of a BudgetPolicy. When its value, a time like 2026-11-01T12:00:00Z, changes, all its counters begin at
/// nothing again. `status.lastHandledResetAt` echoes it when every pod has it.
pub const RESET_ANNOTATION: &str = "fairlead.dev/reset-requested-at";

/// Budgets and rate limits: how much of what, for whom, in which time.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "fairlead.dev",
    version = "v1alpha1",
    kind = "BudgetPolicy",
    plural = "budgetpolicies",
    namespaced,
    status = "BudgetPolicyStatus",
    derive = "PartialEq",
    shortname = "bpol",
    category = "fairlead",
    doc = "Budgets and rate limits: how much of what, for whom, in which time.",
    selectable = ".spec.gatewayRef.name",
    printcolumn(
        json_path = ".status.summary",
        name = "Budget",
        type_ = "string",
        description = "What it limits, or why it does not."
    ),
    printcolumn(
        json_path = ".status.usage.spent",
        name = "Spent",
        type_ = "string",
        description = "What is used of the limit that is fullest."
    ),
    printcolumn(
        json_path = ".status.usage.remaining",
        name = "Remaining",
        type_ = "string",
        description = "What is left of it."
    ),
    printcolumn(
        json_path = ".status.usage.percent",
        name = "%",
        type_ = "integer",
        description = "What is used of it, in percent."
    ),
    printcolumn(
        json_path = ".status.usage.resetsAt",
        name = "Resets",
        type_ = "string",
        description = "When it begins at nothing again."
    ),
    printcolumn(
        json_path = ".status.usage.limit",
        name = "Limit",
        type_ = "string",
        priority = 1,
        description = "The limit that is fullest."
    ),
    printcolumn(
        json_path = ".status.usage.subject",
        name = "Subject",
        type_ = "string",
        priority = 1,
        description = "Whose it is."
    ),
    printcolumn(
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        name = "Ready",
        type_ = "string",
        description = "Whether every Ready pod of its gateway has it as written."
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
    .message("gatewayRef cannot change: make a new BudgetPolicy and delete this one"))]
pub struct BudgetPolicySpec {
    /// The ModelGateway whose requests are counted. Cannot change.
    #[serde(default)]
    pub gateway_ref: GatewayRef,
    /// Whose requests are counted; one that matches several targets is counted for each. A policy in the gateway's
    /// namespace counts all requests; one elsewhere only those whose key lives in its own namespace. None: only
    /// requests of policies that name this one as their parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub targets: Vec<BudgetTarget>,
    /// true: each team, key, model … has the whole amount for itself. false: all that match share it. Default true.
    #[serde(default = "default_true")]
    pub per_target: bool,
    /// What is limited; a request must fit all of them.
    #[schemars(length(min = 1, max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub limits: Vec<BudgetLimit>,
    /// Who is told when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["atPercent"]))]
    pub alerts: Vec<BudgetAlert>,
    /// Enforce: the limits hold. Shadow: all is counted and told, and nothing is refused. Default Enforce.
    #[serde(default)]
    pub enforcement: Enforcement,
    /// What happens while the counters that the pods share are away. FailOpen: requests pass uncounted. FailClosed:
    /// they are refused. Estimate: each pod counts by itself. Default: the gateway's budgets.failureMode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<FailureMode>,
    /// What a request holds before its usage is known.
    #[serde(default)]
    pub reservation: ReservationSpec,
    /// A BudgetPolicy in the same namespace and of the same gateway. What is counted here is counted there too, and
    /// must fit there: so a child can never exceed its parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_ref: Option<ParentRef>,
    /// Lifts the limits without deleting the policy.
    #[serde(default)]
    pub suspend: bool,
}

fn default_true() -> bool {
    true
}

/// Whose requests are counted: those of one subject, of those with some labels, or of every one of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.name) || !has(self.selector)")
    .message("write name or selector, not both; without either every subject of the kind is meant"))]
#[x_kube(validation = Rule::new("self.kind != 'Gateway' || (!has(self.name) && !has(self.selector))")
    .message("kind Gateway is the gateway of gatewayRef: leave name and selector out"))]
#[x_kube(validation = Rule::new("!has(self.selector) || self.kind in ['Gateway', 'Namespace', 'VirtualKey', 'Model']")
    .message("only Namespaces, VirtualKeys and models have labels to select by: write a name"))]
#[x_kube(validation = Rule::new("!has(self.namespace) || self.kind == 'VirtualKey'")
    .message("namespace goes with kind VirtualKey: other subjects are found by name alone"))]
pub struct BudgetTarget {
    /// What kind of subject. Gateway: all requests. Namespace: those whose key lives there. Team, User: the key's.
    /// VirtualKey: the key itself. Model: the model asked for. Tag: a tag of the request or its key. Customer: the
    /// end user that the request names.
    pub kind: TargetKind,
    /// Which one. A model by its name or an alias. Default: every one of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// The namespace of a VirtualKey. Default: the policy's own, with a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// Those with these labels: on Namespaces (needs an operator of cluster scope), on VirtualKeys, or on the
    /// ModelDeployments of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<TargetSelector>,
}

/// What kind of subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TargetKind {
    /// All requests.
    Gateway,
    /// The namespace of the key.
    Namespace,
    /// The key's team.
    Team,
    /// The key's user.
    User,
    /// The key.
    VirtualKey,
    /// The model asked for.
    Model,
    /// A tag of the request or its key.
    Tag,
    /// The end user that the request names.
    Customer,
}

impl TargetKind {
    /// As written in manifests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "Gateway",
            Self::Namespace => "Namespace",
            Self::Team => "Team",
            Self::User => "User",
            Self::VirtualKey => "VirtualKey",
            Self::Model => "Model",
            Self::Tag => "Tag",
            Self::Customer => "Customer",
        }
    }
}

/// Labels that a subject must carry, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetSelector {
    /// Label keys and the values they must have.
    #[schemars(extend("maxProperties" = 16, "minProperties" = 1))]
    pub match_labels: BTreeMap<String, String>,
}

/// Who is told when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.event || has(self.webhookSecretRef)")
    .message("this alert tells nobody: set event, or webhookSecretRef"))]
pub struct BudgetAlert {
    /// When a limit has used this much of its amount. Each threshold is told once in each window.
    #[schemars(range(min = 1, max = 1000))]
    pub at_percent: i64,
    /// Whether the BudgetPolicy gets a Kubernetes event. Default true.
    #[serde(default = "default_true")]
    pub event: bool,
    /// The Secret with the http or https URL to post to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret_ref: Option<SecretKeyRef>,
}

/// Whether limits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Enforcement {
    /// They hold.
    #[default]
    Enforce,
    /// They are only watched.
    Shadow,
}

/// What happens while the counters that the pods share are away. FailOpen: requests pass uncounted. FailClosed: they are
/// refused. Estimate: each pod counts by itself. Where a BudgetPolicy does not say, its gateway's budgets.failureMode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FailureMode {
    /// Requests pass uncounted.
    FailOpen,
    /// Requests are refused.
    FailClosed,
    /// Each pod counts by itself.
    #[default]
    Estimate,
}

/// What a gateway says about all its budgets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayBudgetsSpec {
    /// What happens while the counters that the pods share are away, where a BudgetPolicy does not say. FailOpen:
    /// requests pass uncounted. FailClosed: they are refused. Estimate: each pod counts by itself. Default Estimate.
    #[serde(default)]
    pub failure_mode: FailureMode,
    /// Which keys of the database count for what it limits for their user. AllKeys: all of them. PersonalKeys: those
    /// without a team, as in LiteLLM. Default AllKeys.
    #[serde(default)]
    pub users: UserKeys,
}

/// Which keys of the database count for what it limits for their user. AllKeys: all of them. PersonalKeys: those without a
/// team, as in LiteLLM. Default AllKeys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UserKeys {
    /// All.
    #[default]
    AllKeys,
    /// Those without a team.
    PersonalKeys,
}

/// What a request holds before its usage is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservationSpec {
    /// MaxTokens: the most it can use, so that no burst passes a limit. Average: what requests of its model used of
    /// late, so that more run at once. None: nothing, so that requests under way can pass a limit. Default MaxTokens.
    #[serde(default)]
    pub estimate: ReservationEstimate,
    /// How long it is held if its pod dies, 1s to 24h. Default 10m.
    #[serde(default = "default_ttl")]
    pub ttl: DurationText,
}

impl Default for ReservationSpec {
    fn default() -> Self {
        Self { estimate: ReservationEstimate::default(), ttl: default_ttl() }
    }
}

fn default_ttl() -> DurationText {
    DurationText("10m".into())
}

/// How much a request holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReservationEstimate {
    /// The most it can use.
    #[default]
    MaxTokens,
    /// What others used.
    Average,
    /// Nothing.
    None,
}

/// A BudgetPolicy in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// The BudgetPolicy's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What the operator found and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetPolicyStatus {
    /// The generation that this status speaks of; -1 before the first visit.
    pub observed_generation: i64,
    /// Accepted, ResolvedRefs, Programmed, Ready; Conflicted, Reconciling, Stalled and Exceeded only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The gateway whose requests are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<ServingGateway>,
    /// The value of the annotation fairlead.dev/reset-requested-at that every pod has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reset_at: Option<String>,
    /// One line for people, for example `500.00 USD/month`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What is used of the limit that is fullest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<BudgetUsage>,
    /// What is used of each limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub limits: Vec<LimitUsage>,
    /// The ten subjects that have used most of their amount. Empty where all that match share it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub top: Vec<SubjectUsage>,
    /// The last ten alerts that became events, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub alerts: Vec<ToldAlert>,
    /// When a gateway pod told these numbers. They are written only when they change, so they may have been true for
    /// long after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<String>,
}

//! The rendered format: what the operator (or `fairlead up`) hands to a gateway. Serde types, and how the conditions in
//! them are read (`condition.rs`), which both sides must agree on.
//! Knows no Kubernetes and no HTTP. `bundle.rs` cuts a config into files and puts it together again;
//! the gateway's `snapshot` compiles it to what runs.

mod budget;
mod bundle;
mod condition;
mod egress;
mod key;
mod local;
mod master_key;
mod parameters;
mod pricing;
mod routing;
mod secret;

pub use budget::{
    Alert, Budget, CalendarUnit, Enforcement, FailureMode, Limit, MAX_AMOUNT, OnExceed, ReservationEstimate,
    Target, TargetKind, Unit, Window,
};
pub use bundle::{Bundle, BundleError, INDEX_FILE, SHARD_BYTES, SHARDS, shard_slot, short_digest};
pub use condition::{Condition, ConditionError, FACTS, FUNCTIONS};
pub use egress::{Egress, LocalAddresses, MAX_CERTIFICATE_BYTES};
pub use key::{Access, Key, KeyHash, KeyLimits, UserBudgets};
pub use local::{is_local_address, is_local_url};
pub use master_key::WeakKey;
pub use parameters::{ExtraBody, FieldPath, OWN_FIELDS, Parameters, ParametersError, Step};
pub use pricing::{Bills, PriceSource, Pricing, Rates, UnknownPrice};
pub use routing::{
    Capacity, Cooldown, Fallbacks, Retries, Route, RouteTarget, Routing, SessionAffinity, Strategy,
};
pub use secret::Secret;

use std::collections::BTreeMap;

use catalogue::{Auth, Dialect, EmbeddingDialect, Quirks};
use serde::{Deserialize, Serialize};

/// The format's version. A gateway refuses a config of any other and keeps the one it has.
pub const VERSION: u32 = 2;

/// All that one gateway needs to serve, but for the credentials' material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The ModelGateway this was rendered for.
    pub gateway: ObjectName,
    /// What holds for every model.
    pub settings: Settings,
    /// Sorted by name; names and aliases are unique over all models and routes.
    pub models: Vec<Model>,
    /// Sorted by name.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Sorted by `id`, each once.
    pub budgets: Vec<Budget>,
    /// Sorted by `id`, each once.
    pub keys: Vec<Key>,
}

/// Namespace and name of a Kubernetes object. Written `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectName {
    /// Never empty: objects outside a cluster live in `default`.
    pub namespace: String,
    /// Never empty.
    pub name: String,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What holds for the whole gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The key that may do everything. Absent only where boot brings one of its own.
    pub master_key: Option<CredentialRef>,
    /// How much of what is held at once.
    pub limits: Limits,
    /// What deployments inherit; theirs are resolved already.
    pub timeouts: Timeouts,
    /// What deployments inherit; theirs are resolved already.
    pub on_loss: OnLoss,
    /// What becomes of a deployment whose price nobody knows.
    #[serde(default)]
    pub unknown_price: UnknownPrice,
    /// Which keys count for the limits that the database has for their user.
    #[serde(default)]
    pub user_budgets: UserBudgets,
    /// For every model; routes have their own.
    #[serde(default)]
    pub routing: Routing,
    /// Of every model and route, after its own: other models, in order.
    #[serde(default)]
    pub default_fallbacks: Vec<String>,
    /// How providers and webhooks are reached.
    #[serde(default, skip_serializing_if = "Egress::is_default")]
    pub egress: Egress,
}

/// A public model name and the deployments that serve it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// The name that clients ask for.
    pub name: String,
    /// Other names of the same model, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Never empty; sorted by `id`.
    pub deployments: Vec<Deployment>,
    /// When none of them can answer.
    #[serde(default, skip_serializing_if = "Fallbacks::is_empty")]
    pub fallbacks: Fallbacks,
}

/// One upstream that serves a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The ModelDeployment. State that outlives a reload is keyed by `id` and `uid` together.
    pub id: ObjectName,
    /// Tells an object from its successor of the same name. Empty outside a cluster.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The catalogue's id of the provider, for logs and metrics.
    pub provider: String,
    /// The model's name at the provider.
    pub upstream_model: String,
    /// Where and how to send.
    pub upstream: Upstream,
    /// Share of the traffic among deployments of one priority. 0 takes none while another stands.
    pub weight: u32,
    /// Lower is tried first.
    pub priority: u8,
    /// What its provider allows.
    #[serde(default, skip_serializing_if = "Capacity::is_unknown")]
    pub capacity: Capacity,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// What to do about what a translation cannot carry.
    pub on_loss: OnLoss,
    /// What its calls cost.
    #[serde(default, skip_serializing_if = "Pricing::is_default")]
    pub pricing: Pricing,
    /// What the model takes otherwise than its language says.
    #[serde(default, skip_serializing_if = "Quirks::is_empty")]
    pub quirks: Quirks,
    /// What is changed in the body of each request.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
}

/// What to do about what a translation cannot carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLoss {
    /// Hints are told, what changes meaning is refused.
    #[default]
    Report,
    /// All is refused.
    Reject,
    /// Nothing is refused; all is told.
    Ignore,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upstream {
    /// A provider's HTTP API.
    Http(HttpUpstream),
    /// Canned answers made in the gateway, to try things out with no account.
    Mock,
}

/// A provider's HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpUpstream {
    /// Without a trailing slash; the dialect's path is appended (`/chat/completions`).
    pub base_url: String,
    /// The wire languages spoken there. Never empty; others are translated to the first.
    pub dialects: Vec<Dialect>,
    /// The language of its embeddings endpoint. Absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embeds: Option<EmbeddingDialect>,
    /// Whether the server keeps OpenAI's responses itself, so that a client can go on from them by their id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_responses: bool,
    /// How the credential travels.
    pub auth: Auth,
    /// Absent where the provider asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialRef>,
    /// Sent with every request, after the gateway's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
}

/// A fixed header of an upstream. Never a secret: those are credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Lower case.
    pub name: String,
    /// Visible ASCII.
    pub value: String,
}

/// How much of what is held at once, in bytes. None is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Of a request. A larger one is refused with 413.
    pub request_body_bytes: u64,
    /// Of an upstream's answer that is no stream.
    pub answer_bytes: u64,
    /// Of one event of a stream.
    pub stream_event_bytes: u64,
}

/// How long to wait for what, in milliseconds. None is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// For the TCP and TLS handshake.
    pub connect_ms: u64,
    /// From the request sent to the first frame of a stream. Other answers are bound by `request_ms`.
    pub first_byte_ms: u64,
    /// Between two chunks of a stream.
    pub stream_idle_ms: u64,
    /// From the request sent to the whole answer. Streams are not bound by it.
    pub request_ms: u64,
}

/// Names a credential and the version of its material. Never the material itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CredentialRef {
    /// Whose: stable over rotations.
    pub id: String,
    /// Which: another for each content. Chosen by the source, and never derived from the material
    /// where the config leaves the process.
    pub version: String,
}

impl CredentialRef {
    /// The file (and Secret key) that holds the material.
    #[must_use]
    pub fn file(&self) -> String {
        format!("credential-{}-{}", self.id, self.version)
    }
}

/// A complete config with its credentials: what a gateway compiles and serves.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Names this content: equal content, equal revision.
    pub revision: String,
    /// The routing.
    pub config: Config,
    /// Material by [`CredentialRef::file`]; has an entry for every reference in `config`.
    pub credentials: BTreeMap<String, Secret>,
}

impl Config {
    /// Every credential that this config refers to, each once.
    #[must_use]
    pub fn credential_refs(&self) -> std::collections::BTreeSet<&CredentialRef> {
        let upstreams = self.models.iter().flat_map(|model| &model.deployments);
        let credentials = upstreams.filter_map(|deployment| match &deployment.upstream {
            Upstream::Http(http) => http.credential.as_ref(),
            Upstream::Mock => None,
        });
        let alerts = self.budgets.iter().flat_map(|budget| &budget.alerts);
        let webhooks = alerts.filter_map(|alert| alert.webhook.as_ref());
        credentials.chain(webhooks).chain(&self.settings.master_key).collect()
    }
}

//! What goes in: the objects, the Secrets they name, and what was rendered last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use config::{Config, KeyHash, ObjectName, Secret};
use crds::{BudgetPolicy, ModelDeployment, ModelGateway, ModelRoute, ProviderSecret, VirtualKey};

/// Everything that a rendering depends on.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    /// In any order.
    pub gateways: Vec<Arc<ModelGateway>>,
    /// In any order.
    pub deployments: Vec<Arc<ModelDeployment>>,
    /// In any order.
    pub routes: Vec<Arc<ModelRoute>>,
    /// In any order.
    pub provider_secrets: Vec<Arc<ProviderSecret>>,
    /// In any order.
    pub budget_policies: Vec<Arc<BudgetPolicy>>,
    /// In any order.
    pub keys: Vec<Arc<VirtualKey>>,
    /// By VirtualKey, what its next key will be compared with: it opens the gateway before its Secret holds it.
    pub next_keys: BTreeMap<ObjectName, KeyHash>,
    /// The data of each ConfigMap that is marked as a catalogue of prices.
    pub price_catalogs: BTreeMap<ObjectName, BTreeMap<String, String>>,
    /// The Secrets that are referred to, of those that exist.
    pub secrets: BTreeMap<ObjectName, SecretData>,
    /// Labels of namespaces; `None` where the operator may not see namespaces.
    pub namespaces: Option<BTreeMap<String, Namespace>>,
    /// Where gateways may live; `None` is anywhere.
    pub gateway_namespaces: Option<BTreeSet<String>>,
    /// What each gateway was given last: the source of last good versions.
    pub previous: BTreeMap<ObjectName, Previous>,
}

/// A Secret's content.
#[derive(Clone, Debug, Default)]
pub struct SecretData {
    /// Another for each content. In a cluster the resourceVersion: it must not be derived from the material,
    /// because it stands in a ConfigMap.
    pub version: String,
    /// As in the object's `data`, decoded.
    pub data: BTreeMap<String, Secret>,
    /// If it was made for a VirtualKey.
    pub issue: Option<Issue>,
}

/// What whoever made the Secret of a VirtualKey noted on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issue {
    /// The VirtualKey, of the same namespace.
    pub key: String,
    /// Tells it from a successor of the same name.
    pub uid: String,
    /// When the key in it was made. Unix seconds.
    pub issued_at: Option<u64>,
    /// The key before, and until when it is taken.
    pub previous: Option<KeyHash>,
    /// Whether it stays when the VirtualKey goes.
    pub retained: bool,
}

/// What of a Namespace decides who may attach.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    /// As in the object's metadata.
    pub labels: BTreeMap<String, String>,
}

/// What a gateway was given last.
#[derive(Clone, Debug)]
pub struct Previous {
    /// As published.
    pub config: Arc<Config>,
    /// Material by file name; entries that `config` does not name are ignored.
    pub credentials: BTreeMap<String, Secret>,
}

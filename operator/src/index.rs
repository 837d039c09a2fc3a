//! All that the watches have seen, in memory: the input of every decision. All replicas keep one, so that
//! a standby can lead at once. `index/kept.rs` says what is kept of each kind, and whom a change wakes.

mod kept;
mod pod;

pub(crate) use kept::{Kept, Origin, Touch};
pub(crate) use pod::{PodInstance, PodView};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::ObjectName;
use crds::{BudgetPolicy, ModelDeployment, ModelGateway, ModelRoute, ProviderSecret, VirtualKey};
use render::{Manifests, Namespace};
use tokio::sync::Notify;
use tokio::time::Instant;

/// What is known. Fields are public to the crate: readers are many, and writers are in `kept.rs`.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub gateways: BTreeMap<ObjectName, Arc<ModelGateway>>,
    pub deployments: BTreeMap<ObjectName, Arc<ModelDeployment>>,
    pub routes: BTreeMap<ObjectName, Arc<ModelRoute>>,
    pub provider_secrets: BTreeMap<ObjectName, Arc<ProviderSecret>>,
    pub budget_policies: BTreeMap<ObjectName, Arc<BudgetPolicy>>,
    pub keys: BTreeMap<ObjectName, Arc<VirtualKey>>,
    /// The Secrets that VirtualKeys name, and how many do: they may be thousands.
    key_secrets: BTreeMap<ObjectName, usize>,
    /// The resourceVersion of every Secret in scope; never their data.
    pub secrets: BTreeMap<ObjectName, String>,
    pub namespaces: BTreeMap<String, Namespace>,
    pub pods: BTreeMap<ObjectName, PodView>,
    /// The data of ConfigMaps that are marked as catalogues of prices.
    pub price_catalogs: BTreeMap<ObjectName, BTreeMap<String, String>>,
    /// The resourceVersion of each of our ConfigMaps.
    pub config_maps: BTreeMap<ObjectName, String>,
    /// Our ConfigMaps and Secrets that changed or went since the publisher last looked.
    touched: BTreeSet<ObjectName>,
    /// When the first change came that no render has seen.
    pending_since: Option<Instant>,
}

/// The index, shared, with a bell for each of its readers.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedIndex(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    index: Mutex<Index>,
    bells: Bells,
}

/// Rung when something changed for the reader. Each has one reader; a ring before it listens is kept.
#[derive(Debug, Default)]
pub(crate) struct Bells {
    /// Something that a rendering depends on, or one of our own objects.
    pub manifests: Notify,
    /// A gateway pod.
    pub pods: Notify,
    /// A status that may not be what it should.
    pub statuses: Notify,
}

/// The objects of one moment.
#[derive(Debug)]
pub(crate) struct Moment {
    /// Without secrets and previous configs.
    pub manifests: Manifests,
    /// When the oldest change in it came that no moment before had; `None` if nothing changed.
    pub since: Option<Instant>,
}

impl SharedIndex {
    /// The index itself. Never hold it across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Index> {
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bells.
    pub(crate) fn bells(&self) -> &Bells {
        &self.0.bells
    }

    /// An object was added or changed.
    pub(crate) fn apply<K: Kept>(&self, object: K) {
        let touch = object.keep(&mut self.lock(), Origin::Event);
        self.ring(touch);
    }

    /// The API server answered a write of ours with this. It may be gone again by now.
    pub(crate) fn apply_answer<K: Kept>(&self, object: K) {
        let touch = {
            let mut index = self.lock();
            if K::has(&object.name(), &index) {
                object.keep(&mut index, Origin::Event)
            } else {
                Touch::Nothing
            }
        };
        self.ring(touch);
    }

    /// An object is gone.
    pub(crate) fn remove<K: Kept>(&self, object: &K) {
        let touch = K::forget(&object.name(), &mut self.lock());
        self.ring(touch);
    }

    /// A new list of `namespace` (or of all): what is not in it is gone.
    pub(crate) fn replace<K: Kept>(&self, namespace: Option<&str>, objects: Vec<K>) {
        let mut gone: BTreeSet<_> = {
            let known = K::names(&self.lock());
            known.into_iter().filter(|name| namespace.is_none_or(|only| name.namespace == only)).collect()
        };
        for object in objects {
            gone.remove(&object.name());
            let touch = object.keep(&mut self.lock(), Origin::List);
            self.ring(touch);
        }
        for name in gone {
            let touch = K::forget(&name, &mut self.lock());
            self.ring(touch);
        }
    }

    /// Something that is not in the index changed for the renderer.
    pub(crate) fn render_again(&self) {
        self.ring(Touch::Manifests);
    }

    fn ring(&self, touch: Touch) {
        match touch {
            Touch::Nothing => {}
            Touch::Statuses => self.0.bells.statuses.notify_one(),
            Touch::Pods => self.0.bells.pods.notify_one(),
            Touch::Children => self.0.bells.manifests.notify_one(),
            Touch::Manifests => {
                self.lock().pending_since.get_or_insert_with(Instant::now);
                self.0.bells.manifests.notify_one();
            }
        }
    }
}

impl Index {
    /// The objects as they are now, of gateways that may live in `gateway_namespaces`.
    pub(crate) fn moment(&mut self, gateway_namespaces: &BTreeSet<String>, see_namespaces: bool) -> Moment {
        let manifests = Manifests {
            gateways: self.gateways.values().cloned().collect(),
            deployments: self.deployments.values().cloned().collect(),
            routes: self.routes.values().cloned().collect(),
            provider_secrets: self.provider_secrets.values().cloned().collect(),
            budget_policies: self.budget_policies.values().cloned().collect(),
            keys: self.keys.values().cloned().collect(),
            next_keys: BTreeMap::new(),
            price_catalogs: self.price_catalogs.clone(),
            secrets: BTreeMap::new(),
            namespaces: see_namespaces.then(|| self.namespaces.clone()),
            gateway_namespaces: Some(gateway_namespaces.clone()),
            previous: BTreeMap::new(),
        };
        Moment { manifests, since: self.pending_since.take() }
    }

    /// Whether a VirtualKey names this Secret.
    pub(crate) fn is_keys_secret(&self, secret: &ObjectName) -> bool {
        self.key_secrets.contains_key(secret)
    }

    /// Whether something changed that no moment has shown yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending_since.is_some()
    }

    /// Our objects that changed since the last call, with their resourceVersion, or `None` if they are gone.
    pub(crate) fn take_touched(&mut self) -> Vec<(ObjectName, Option<String>)> {
        let touched = std::mem::take(&mut self.touched);
        let version =
            |name: &ObjectName| self.config_maps.get(name).or_else(|| self.secrets.get(name)).cloned();
        touched
            .into_iter()
            .map(|name| (version(&name), name))
            .map(|(version, name)| (name, version))
            .collect()
    }
}

#[cfg(test)]
mod tests;

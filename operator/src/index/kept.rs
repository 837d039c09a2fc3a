//! What is kept of each kind, and whom a change of it wakes.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::ObjectName;
use crds::{BudgetPolicy, ModelDeployment, ModelGateway, ModelRoute, ProviderSecret, VirtualKey};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::PartialObjectMeta;

use super::{Index, PodView};
use crate::names;

/// Whom a change wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Nobody.
    Nothing,
    /// Who compares statuses with what they should be.
    Statuses,
    /// Who follows pods.
    Pods,
    /// Who publishes: one of our own objects changed.
    Children,
    /// Who renders.
    Manifests,
}

/// How an object came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From a complete list: it is how things are, even if its version went back (a restored backup).
    List,
    /// From a watch, or in answer to a write: these can overtake each other.
    Event,
}

/// A kind that the index keeps something of.
pub(crate) trait Kept: Sized {
    /// Namespace and name; the namespace is empty for a kind that has none.
    fn name(&self) -> ObjectName;
    /// Takes what is needed of it.
    fn keep(self, index: &mut Index, origin: Origin) -> Touch;
    /// Drops it.
    fn forget(name: &ObjectName, index: &mut Index) -> Touch;
    /// All that are kept.
    fn names(index: &Index) -> Vec<ObjectName>;
    /// Whether it is kept.
    fn has(name: &ObjectName, index: &Index) -> bool {
        Self::names(index).contains(name)
    }
}

/// Namespace and name of any object.
pub(crate) fn name_of(metadata: &ObjectMeta) -> ObjectName {
    ObjectName {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
    }
}

/// Whether `new` was read before `old`: the answer to a status write can overtake the watch.
fn is_older(new: &ObjectMeta, old: &ObjectMeta) -> bool {
    let number = |metadata: &ObjectMeta| metadata.resource_version.as_ref()?.parse::<u64>().ok();
    new.uid == old.uid && number(new).zip(number(old)).is_some_and(|(new, old)| new < old)
}

/// The spec of a resource counts, its labels, which others select by, the annotation that resets a budget, and its birth
/// and death; its status does not.
fn same_spec(a: &ObjectMeta, b: &ObjectMeta) -> bool {
    a.uid == b.uid
        && a.labels == b.labels
        && reset_of(a) == reset_of(b)
        && a.generation == b.generation
        && a.deletion_timestamp.is_some() == b.deletion_timestamp.is_some()
}

fn reset_of(metadata: &ObjectMeta) -> Option<&String> {
    metadata.annotations.as_ref()?.get(crds::RESET_ANNOTATION)
}

macro_rules! keep_resource {
    ($($kind:ty, $table:ident, $note:expr;)*) => {$(
        impl Kept for $kind {
            fn name(&self) -> ObjectName {
                name_of(&self.metadata)
            }

            fn keep(mut self, index: &mut Index, origin: Origin) -> Touch {
                // By far the largest part of a small object, and of no use here.
                self.metadata.managed_fields = None;
                if let Some(annotations) = &mut self.metadata.annotations {
                    annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
                }
                let name = self.name();
                let touch = match index.$table.get(&name) {
                    Some(old) if origin == Origin::Event && is_older(&self.metadata, &old.metadata) => {
                        return Touch::Nothing;
                    }
                    Some(old) if same_spec(&self.metadata, &old.metadata) => Touch::Statuses,
                    _ => Touch::Manifests,
                };
                let new = Arc::new(self);
                let old = index.$table.insert(name, Arc::clone(&new));
                $note(index, old.as_deref(), Some(&new));
                touch
            }

            fn forget(name: &ObjectName, index: &mut Index) -> Touch {
                let Some(old) = index.$table.remove(name) else { return Touch::Nothing };
                $note(index, Some(&old), None);
                Touch::Manifests
            }

            fn names(index: &Index) -> Vec<ObjectName> {
                index.$table.keys().cloned().collect()
            }

            fn has(name: &ObjectName, index: &Index) -> bool {
                index.$table.contains_key(name)
            }
        }
    )*};
}

keep_resource! {
    ModelGateway, gateways, nothing;
    ModelDeployment, deployments, nothing;
    ModelRoute, routes, nothing;
    ProviderSecret, provider_secrets, nothing;
    BudgetPolicy, budget_policies, nothing;
    VirtualKey, keys, note_secrets;
}

fn nothing<K>(_: &mut Index, _: Option<&K>, _: Option<&K>) {}

/// Counts the Secrets that VirtualKeys name.
fn note_secrets(index: &mut Index, old: Option<&VirtualKey>, new: Option<&VirtualKey>) {
    if let Some(secret) = new.and_then(crate::secrets::secret_of_key) {
        *index.key_secrets.entry(secret).or_default() += 1;
    }
    if let Some(secret) = old.and_then(crate::secrets::secret_of_key)
        && let Some(count) = index.key_secrets.get_mut(&secret)
    {
        *count -= 1;
        if *count == 0 {
            index.key_secrets.remove(&secret);
        }
    }
}

impl Kept for PartialObjectMeta<Secret> {
    fn name(&self) -> ObjectName {
        name_of(&self.metadata)
    }

    fn keep(self, index: &mut Index, _: Origin) -> Touch {
        let (name, version) = (self.name(), self.metadata.resource_version.unwrap_or_default());
        let before = index.secrets.insert(name.clone(), version.clone());
        if before.as_ref() == Some(&version) { Touch::Nothing } else { secret_changed(name, index) }
    }

    fn forget(name: &ObjectName, index: &mut Index) -> Touch {
        if index.secrets.remove(name).is_none() {
            return Touch::Nothing;
        }
        secret_changed(name.clone(), index)
    }

    fn names(index: &Index) -> Vec<ObjectName> {
        index.secrets.keys().cloned().collect()
    }
}

/// A Secret matters if an object names it or if it is one of ours.
fn secret_changed(name: ObjectName, index: &mut Index) -> Touch {
    let gateway = names::gateway_of_credentials(&name.name)
        .map(|gateway| ObjectName { namespace: name.namespace.clone(), name: gateway.to_owned() });
    if gateway.is_some_and(|gateway| index.gateways.contains_key(&gateway)) {
        index.touched.insert(name);
        return Touch::Children;
    }
    if crate::secrets::is_referred_to(&name, index) { Touch::Manifests } else { Touch::Nothing }
}

impl Kept for PartialObjectMeta<ConfigMap> {
    fn name(&self) -> ObjectName {
        name_of(&self.metadata)
    }

    fn keep(self, index: &mut Index, _: Origin) -> Touch {
        let (name, version) = (self.name(), self.metadata.resource_version.unwrap_or_default());
        if index.config_maps.insert(name.clone(), version.clone()).as_ref() == Some(&version) {
            return Touch::Nothing;
        }
        index.touched.insert(name);
        Touch::Children
    }

    fn forget(name: &ObjectName, index: &mut Index) -> Touch {
        if index.config_maps.remove(name).is_none() {
            return Touch::Nothing;
        }
        index.touched.insert(name.clone());
        Touch::Children
    }

    fn names(index: &Index) -> Vec<ObjectName> {
        index.config_maps.keys().cloned().collect()
    }
}

/// Only those that are marked as catalogues of prices are watched whole.
impl Kept for ConfigMap {
    fn name(&self) -> ObjectName {
        name_of(&self.metadata)
    }

    fn keep(self, index: &mut Index, _: Origin) -> Touch {
        let (name, data) = (self.name(), self.data.unwrap_or_default());
        if index.price_catalogs.get(&name) == Some(&data) {
            return Touch::Nothing;
        }
        index.price_catalogs.insert(name, data);
        Touch::Manifests
    }

    fn forget(name: &ObjectName, index: &mut Index) -> Touch {
        if index.price_catalogs.remove(name).is_some() { Touch::Manifests } else { Touch::Nothing }
    }

    fn names(index: &Index) -> Vec<ObjectName> {
        index.price_catalogs.keys().cloned().collect()
    }
}

impl Kept for PartialObjectMeta<Namespace> {
    fn name(&self) -> ObjectName {
        name_of(&self.metadata)
    }

    fn keep(self, index: &mut Index, _: Origin) -> Touch {
        let labels: BTreeMap<_, _> = self.metadata.labels.unwrap_or_default();
        let name = self.metadata.name.unwrap_or_default();
        let before = index.namespaces.get(&name).map(|namespace| &namespace.labels);
        if before == Some(&labels) {
            return Touch::Nothing;
        }
        index.namespaces.insert(name, render::Namespace { labels });
        Touch::Manifests
    }

    fn forget(name: &ObjectName, index: &mut Index) -> Touch {
        if index.namespaces.remove(&name.name).is_some() { Touch::Manifests } else { Touch::Nothing }
    }

    fn names(index: &Index) -> Vec<ObjectName> {
        let all = index.namespaces.keys();
        all.map(|name| ObjectName { namespace: String::new(), name: name.clone() }).collect()
    }
}

impl Kept for Pod {
    fn name(&self) -> ObjectName {
        name_of(&self.metadata)
    }

    fn keep(self, index: &mut Index, _: Origin) -> Touch {
        let view = PodView::of(&self);
        let before = index.pods.insert(self.name(), view.clone());
        if before.as_ref() == Some(&view) { Touch::Nothing } else { Touch::Pods }
    }

    fn forget(name: &ObjectName, index: &mut Index) -> Touch {
        if index.pods.remove(name).is_some() { Touch::Pods } else { Touch::Nothing }
    }

    fn names(index: &Index) -> Vec<ObjectName> {
        index.pods.keys().cloned().collect()
    }
}

//! The material of the Secrets that objects name. Watched by metadata only; fetched when a version is new,
//! and by the leader alone.

use std::collections::{BTreeMap, BTreeSet};

use config::{ObjectName, Secret};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret as KubeSecret;
use kube::{Api, Client};
use render::{Manifests, SecretData};
use tokio::time::timeout;

use crate::index::Index;
use crate::publish::{REQUEST, class_of};

/// Requests at a time.
const FETCHES: usize = 8;

/// What was fetched.
#[derive(Debug, Default)]
pub(crate) struct Material(BTreeMap<ObjectName, SecretData>);

/// Every Secret that a manifest names.
pub(crate) fn referred_to(manifests: &Manifests) -> BTreeSet<ObjectName> {
    let sources = manifests.provider_secrets.iter().filter_map(|source| source_of(source));
    let master_keys = manifests.gateways.iter().filter_map(|gateway| master_key_of(gateway));
    let keys = manifests.keys.iter().filter_map(|key| secret_of_key(key));
    let webhooks = manifests.budget_policies.iter().flat_map(|policy| webhooks_of(policy));
    sources.chain(master_keys).chain(keys).chain(webhooks).collect()
}

/// Whether an object in the index names this Secret.
pub(crate) fn is_referred_to(secret: &ObjectName, index: &Index) -> bool {
    index.provider_secrets.values().any(|source| source_of(source).as_ref() == Some(secret))
        || index.is_keys_secret(secret)
        || index.gateways.values().any(|gateway| master_key_of(gateway).as_ref() == Some(secret))
        || index.budget_policies.values().any(|policy| webhooks_of(policy).any(|named| named == *secret))
}

fn source_of(source: &crds::ProviderSecret) -> Option<ObjectName> {
    let name = source.spec.kubernetes.as_ref()?.secret_ref.name.clone();
    Some(ObjectName { namespace: source.metadata.namespace.clone()?, name })
}

fn master_key_of(gateway: &crds::ModelGateway) -> Option<ObjectName> {
    let name = gateway.spec.auth.master_key_secret_ref.as_ref()?.name.clone();
    Some(ObjectName { namespace: gateway.metadata.namespace.clone()?, name })
}

fn webhooks_of(policy: &crds::BudgetPolicy) -> impl Iterator<Item = ObjectName> {
    let references = policy.spec.alerts.iter().filter_map(|alert| alert.webhook_secret_ref.as_ref());
    references.filter_map(|reference| {
        Some(ObjectName { namespace: policy.metadata.namespace.clone()?, name: reference.name.clone() })
    })
}

/// The one that the key of a VirtualKey is in, made or imported.
pub(crate) fn secret_of_key(object: &crds::VirtualKey) -> Option<ObjectName> {
    let Some(import) = &object.spec.import_from else {
        return render::key_secret(object).map(|(secret, _)| secret);
    };
    let name = import.secret_key_ref.name.clone();
    Some(ObjectName { namespace: object.metadata.namespace.clone()?, name })
}

/// The Secrets to fetch: named, there, and not yet known in the version that the watch saw.
fn stale(
    wanted: &BTreeSet<ObjectName>,
    seen: &BTreeMap<ObjectName, String>,
    known: &Material,
) -> Vec<ObjectName> {
    let is_stale = |name: &&ObjectName| {
        let fetched = known.0.get(*name).map(|data| data.version.as_str());
        seen.get(*name).is_some_and(|seen| !fetched.is_some_and(|fetched| is_newer_or_same(fetched, seen)))
    };
    wanted.iter().filter(is_stale).cloned().collect()
}

/// Whether the watch brings nothing new: a read or write of our own can overtake it.
pub(crate) fn is_newer_or_same(ours: &str, seen: &str) -> bool {
    ours == seen
        || ours.parse::<u64>().ok().zip(seen.parse::<u64>().ok()).is_some_and(|(ours, seen)| ours > seen)
}

impl Material {
    /// Brings the material to the versions in `seen` and puts it into `manifests`. A Secret that cannot be
    /// read for now keeps the material it had; the number of those is returned, to try again later.
    pub(crate) async fn fill(
        &mut self,
        client: &Client,
        seen: &BTreeMap<ObjectName, String>,
        manifests: &mut Manifests,
    ) -> usize {
        let wanted = referred_to(manifests);
        self.0.retain(|name, _| wanted.contains(name) && seen.contains_key(name));
        let fetches = stale(&wanted, seen, self).into_iter().map(|name| fetch(client, name));
        let mut fetched = futures::stream::iter(fetches).buffer_unordered(FETCHES);
        let mut failed = 0;
        while let Some((name, outcome)) = fetched.next().await {
            match outcome {
                Ok(Some(data)) => drop(self.0.insert(name, data)),
                Ok(None) => drop(self.0.remove(&name)),
                Err(()) => failed += 1,
            }
        }
        manifests.secrets = self.0.clone();
        failed
    }
}

async fn fetch(client: &Client, name: ObjectName) -> (ObjectName, Result<Option<SecretData>, ()>) {
    let api: Api<KubeSecret> = Api::namespaced(client.clone(), &name.namespace);
    // The error's text may quote what it could not read, so only its class is told.
    let outcome = match timeout(REQUEST, api.get_opt(&name.name)).await {
        Ok(Ok(found)) => Ok(found.map(data_of)),
        Ok(Err(error)) => Err(class_of(&error)),
        Err(_) => Err("Transport"),
    };
    let outcome = outcome.map_err(|class| tracing::warn!(secret = %name, class, "cannot read a Secret"));
    (name, outcome)
}

fn data_of(secret: KubeSecret) -> SecretData {
    let (data, issue) = (secret.data.unwrap_or_default(), crate::keys::issue_of(&secret.metadata));
    SecretData {
        version: secret.metadata.resource_version.unwrap_or_default(),
        data: data.into_iter().map(|(key, value)| (key, Secret::new(value.0))).collect(),
        issue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> ObjectName {
        ObjectName { namespace: "ns".into(), name: name.into() }
    }

    #[test]
    fn a_secret_is_fetched_when_named_there_and_new() {
        let wanted =
            BTreeSet::from([name("absent"), name("known"), name("new"), name("rotated"), name("ahead")]);
        let versions = [("known", "1"), ("new", "1"), ("rotated", "9"), ("ahead", "9"), ("unnamed", "1")];
        let seen = versions.iter().map(|(key, version)| (name(key), (*version).to_owned())).collect();
        let fetched = |version: &str| SecretData { version: version.into(), ..SecretData::default() };
        let known = [("known", "1"), ("rotated", "8"), ("ahead", "10")];
        let known = Material(known.iter().map(|(key, version)| (name(key), fetched(version))).collect());
        assert_eq!(stale(&wanted, &seen, &known), [name("new"), name("rotated")]);
    }
}

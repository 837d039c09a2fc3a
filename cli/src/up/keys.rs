//! Keys for the VirtualKeys of a folder: what the operator does in a cluster, but for rotation. A key is made at the
//! first sight of its VirtualKey, kept in the store, and shown at every start, as the master key is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use config::{ObjectName, Secret};
use gateway::Store;
use gateway::boot::standalone_virtual_key;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use render::Manifests;

use crate::folder::{name_of, secret_of_key};
use crate::printer;

/// Makes keys, and tells each once.
pub(super) struct Issuer {
    store: Store,
    told: BTreeSet<ObjectName>,
}

impl Issuer {
    pub(super) fn new(store: Store) -> Self {
        Self { store, told: BTreeSet::new() }
    }

    /// Gives each VirtualKey a birth, and a Secret if it is to be made and the folder has none.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub(super) async fn issue(
        &self,
        manifests: &mut Manifests,
    ) -> anyhow::Result<BTreeMap<ObjectName, Secret>> {
        let mut made = BTreeMap::new();
        let Manifests { keys, secrets, .. } = manifests;
        for object in keys {
            let name = name_of(&object.metadata);
            let (key, born) = standalone_virtual_key(&self.store, &name.to_string()).await?;
            let born = i64::try_from(born).ok().and_then(|born| Timestamp::from_second(born).ok());
            let object = Arc::make_mut(object);
            object.metadata.creation_timestamp = object.metadata.creation_timestamp.take().or(born.map(Time));
            let Some((secret, field)) = render::key_secret(object) else { continue };
            secrets.entry(secret).or_insert_with(|| {
                made.insert(name, key.clone());
                secret_of_key(object, field, key)
            });
        }
        Ok(made)
    }

    /// Shows the keys that were made, on standard output, where nothing is logged.
    pub(super) fn tell(&mut self, made: &BTreeMap<ObjectName, Secret>) {
        for (name, key) in made {
            if self.told.insert(name.clone()) {
                printer::virtual_key(name, &String::from_utf8_lossy(key.expose()));
            }
        }
    }
}

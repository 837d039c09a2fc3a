//! The objects that carry a gateway's config: what of them is known, and how they are read and written.
//! Each is created where absent and else replaced in the version known, so that no write goes unnoticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use config::{Bundle, INDEX_FILE, ObjectName, SHARDS, Secret};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret as KubeSecret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::PostParams;
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{Committed, PublishError, REQUEST, WRITES};
use crate::lease::{self, Leadership};
use crate::names;

/// A gateway's objects as the API server has them.
#[derive(Debug, Default)]
pub(crate) struct Children {
    pub index: Option<Child<Vec<u8>>>,
    /// By slot.
    pub shards: BTreeMap<usize, Child<Vec<u8>>>,
    pub credentials: Option<Child<Secret>>,
    /// What the index says.
    pub committed: Committed,
}

/// One object.
#[derive(Debug)]
pub(crate) struct Child<V> {
    /// Its resourceVersion.
    pub version: String,
    /// Its data.
    pub files: BTreeMap<String, V>,
}

/// Reads and writes the objects of one gateway.
#[derive(Clone)]
pub(crate) struct Scribe {
    pub client: Client,
    pub gateway: ObjectName,
    /// The ModelGateway: with it goes all that was written for it.
    pub uid: String,
    pub leadership: Leadership,
}

impl Children {
    /// The bytes of each shard in use.
    pub(crate) fn sizes(&self) -> Vec<(usize, usize)> {
        let in_use = |child: &Child<Vec<u8>>| {
            let files = child.files.iter().filter(|(file, _)| self.committed.files.contains(*file));
            files.map(|(_, bytes)| bytes.len()).sum()
        };
        self.shards.iter().map(|(slot, child)| (*slot, in_use(child))).collect()
    }

    /// The version known of one of the objects; `None` if it is not there.
    pub(crate) fn version_of(&self, gateway: &str, name: &str) -> Option<&str> {
        if name == names::index(gateway) {
            return self.index.as_ref().map(|child| child.version.as_str());
        }
        if name == names::credentials(gateway) {
            return self.credentials.as_ref().map(|child| child.version.as_str());
        }
        let (_, child) = self.shards.iter().find(|(slot, _)| names::shard(gateway, **slot) == name)?;
        Some(&child.version)
    }
}

impl Scribe {
    /// Reads all objects of the gateway.
    ///
    /// # Errors
    /// [`PublishError::Api`] and [`PublishError::Foreign`].
    pub(crate) async fn read(&self) -> Result<Children, PublishError> {
        let name = &self.gateway.name;
        let index = self.get(names::index(name)).await?.map(of_config_map);
        let credentials = self.get(names::credentials(name)).await?.map(of_secret);
        let reads = (0..SHARDS).map(async |slot| {
            let found = self.get(names::shard(name, slot)).await?;
            Ok::<_, PublishError>(found.map(|object| (slot, of_config_map(object))))
        });
        let shards: Vec<_> = futures::stream::iter(reads).buffer_unordered(WRITES).try_collect().await?;
        let mut children = Children {
            index,
            credentials,
            shards: shards.into_iter().flatten().collect(),
            committed: Committed::default(),
        };
        children.committed = committed(&children);
        Ok(children)
    }

    pub(super) async fn write_credentials(
        &self,
        before: Option<&Child<Secret>>,
        files: BTreeMap<String, Secret>,
    ) -> Result<Child<Secret>, PublishError> {
        let data =
            files.iter().map(|(file, material)| (file.clone(), ByteString(material.expose().to_vec())));
        let object = KubeSecret {
            metadata: self.metadata(names::credentials(&self.gateway.name), before),
            data: Some(data.collect()),
            ..KubeSecret::default()
        };
        Ok(Child { version: self.put(object).await?, files })
    }

    pub(super) async fn write_shard(
        &self,
        slot: usize,
        before: Option<&Child<Vec<u8>>>,
        files: BTreeMap<String, Vec<u8>>,
    ) -> Result<(usize, Child<Vec<u8>>), PublishError> {
        let name = names::shard(&self.gateway.name, slot);
        Ok((slot, self.write_config_map(name, before, files).await?))
    }

    pub(super) async fn write_index(
        &self,
        before: Option<&Child<Vec<u8>>>,
        index: Vec<u8>,
    ) -> Result<Child<Vec<u8>>, PublishError> {
        let files = BTreeMap::from([(INDEX_FILE.to_owned(), index)]);
        self.write_config_map(names::index(&self.gateway.name), before, files).await
    }

    async fn write_config_map(
        &self,
        name: String,
        before: Option<&Child<Vec<u8>>>,
        files: BTreeMap<String, Vec<u8>>,
    ) -> Result<Child<Vec<u8>>, PublishError> {
        // JSON is UTF-8, and text is readable for people who look at the object.
        let text =
            files.iter().map(|(file, bytes)| (file.clone(), String::from_utf8_lossy(bytes).into_owned()));
        let object = ConfigMap {
            metadata: self.metadata(name, before),
            data: Some(text.collect()),
            ..ConfigMap::default()
        };
        Ok(Child { version: self.put(object).await?, files })
    }

    fn metadata<V>(&self, name: String, before: Option<&Child<V>>) -> ObjectMeta {
        let owner = OwnerReference {
            api_version: crds::ModelGateway::api_version(&()).into_owned(),
            kind: crds::ModelGateway::kind(&()).into_owned(),
            name: self.gateway.name.clone(),
            uid: self.uid.clone(),
            controller: Some(true),
            block_owner_deletion: None,
        };
        // Argo CD must not call an object of ours a stray of the app that made its owner.
        let annotation = ("argocd.argoproj.io/compare-options".to_owned(), "IgnoreExtraneous".to_owned());
        ObjectMeta {
            name: Some(name),
            namespace: Some(self.gateway.namespace.clone()),
            resource_version: before.map(|child| child.version.clone()),
            labels: Some(BTreeMap::from([(names::MANAGED_BY.to_owned(), names::MANAGER.to_owned())])),
            annotations: Some(BTreeMap::from([annotation])),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        }
    }

    /// Creates an object that has no resourceVersion, replaces one that has. Returns the new version.
    async fn put<K>(&self, object: K) -> Result<String, PublishError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned,
    {
        if !lease::leads(&self.leadership) {
            return Err(PublishError::NotLeading);
        }
        let api: Api<K> = Api::namespaced(self.client.clone(), &self.gateway.namespace);
        let name = object.meta().name.clone().unwrap_or_default();
        let params = PostParams { field_manager: Some(names::MANAGER.into()), ..PostParams::default() };
        let written = timeout(REQUEST, async {
            if object.meta().resource_version.is_some() {
                api.replace(&name, &params, &object).await
            } else {
                api.create(&params, &object).await
            }
        });
        let Ok(written) = written.await else { return Err(PublishError::TimedOut(name)) };
        match written {
            Ok(written) => Ok(written.meta().resource_version.clone().unwrap_or_default()),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                Err(PublishError::Conflict(name))
            }
            Err(error) => Err(PublishError::Api { object: name, error: Box::new(error) }),
        }
    }

    /// An object of that name, if it is ours.
    async fn get<K>(&self, name: String) -> Result<Option<K>, PublishError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), &self.gateway.namespace);
        let Ok(found) = timeout(REQUEST, api.get_opt(&name)).await else {
            return Err(PublishError::TimedOut(name));
        };
        let found =
            found.map_err(|error| PublishError::Api { object: name.clone(), error: Box::new(error) })?;
        if found.as_ref().is_some_and(|object| !self.is_ours(object.meta())) {
            return Err(PublishError::Foreign(name));
        }
        Ok(found)
    }

    /// By label, or, where someone took the label away, by owner.
    fn is_ours(&self, metadata: &ObjectMeta) -> bool {
        let label = metadata.labels.as_ref().and_then(|labels| labels.get(names::MANAGED_BY));
        let mut owners = metadata.owner_references.iter().flatten();
        label.is_some_and(|label| label == names::MANAGER)
            || owners.any(|owner| owner.kind == "ModelGateway" && owner.name == self.gateway.name)
    }
}

fn of_config_map(object: ConfigMap) -> Child<Vec<u8>> {
    let text = object.data.unwrap_or_default().into_iter().map(|(file, text)| (file, text.into_bytes()));
    Child { version: object.metadata.resource_version.unwrap_or_default(), files: text.collect() }
}

fn of_secret(object: KubeSecret) -> Child<Secret> {
    let files = object.data.unwrap_or_default().into_iter().map(|(file, bytes)| (file, Secret::new(bytes.0)));
    Child { version: object.metadata.resource_version.unwrap_or_default(), files: files.collect() }
}

/// Reads what the index commits to.
fn committed(children: &Children) -> Committed {
    let Some(index) = children.index.as_ref().and_then(|child| child.files.get(INDEX_FILE)) else {
        return Committed::default();
    };
    let material = children.credentials.as_ref().map(|child| &child.files);
    let mut files = BTreeSet::new();
    let mut bytes = index.len();
    let delivery = Bundle::unpack(index, |file| {
        files.insert(file.to_owned());
        let Some(slot) = config::shard_slot(file) else {
            // A credential that is gone must not take the whole of the last good config with it.
            return Some(
                material.and_then(|all| all.get(file)).map_or_else(Vec::new, |it| it.expose().to_vec()),
            );
        };
        let found = children.shards.get(&slot)?.files.get(file).cloned();
        bytes += found.as_ref().map_or(0, Vec::len);
        found
    });
    let shards = files.iter().filter(|file| config::shard_slot(file).is_some()).count();
    match delivery {
        Ok(delivery) => {
            let there = |file: &String| material.is_some_and(|all| all.contains_key(file));
            let credentials = delivery.credentials.into_iter().filter(|(file, _)| there(file)).collect();
            let config = Some(Arc::new(delivery.config));
            Committed { revision: Some(delivery.revision), files, config, credentials, bytes, shards }
        }
        Err(error) => {
            tracing::warn!("what is published cannot be read and is written anew: {error}");
            Committed {
                revision: Some(String::new()),
                files,
                config: None,
                credentials: BTreeMap::new(),
                bytes,
                shards,
            }
        }
    }
}

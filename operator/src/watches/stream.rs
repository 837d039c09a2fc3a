//! One watch: list, follow, and list again when the server has forgotten where we were. Written out rather
//! than taken from `kube::runtime`, whose watcher keeps bookmarks and reconnects to itself: without them a
//! quiet watch and a dead one look the same, and liveness must tell them apart.

use std::fmt::Debug;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::{ObjectList, PartialObjectMeta};
use kube::runtime::watcher::DefaultBackoff;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::freshness::Pulse;
use crate::index::{Kept, SharedIndex};

/// The server ends a watch after this long, so that a connection that died silently is noticed.
const WATCH_SECONDS: u32 = 60;

/// When the server did not end it in time, the connection is taken for dead.
const DEAD_AFTER: Duration = Duration::from_secs(65);

/// A watch that ended sooner did not end as agreed.
const SHORT: Duration = Duration::from_secs(1);

/// Objects per page of a list: bounds the memory that a list takes.
const PAGE: u32 = 500;

/// Where objects come from: whole, or their metadata.
pub(super) trait Source: Send + Sync + 'static {
    type Object: Clone + Send + 'static;
    fn list(
        &self,
        params: &ListParams,
    ) -> impl Future<Output = kube::Result<ObjectList<Self::Object>>> + Send;
    fn watch(
        &self,
        params: &WatchParams,
        version: &str,
    ) -> impl Future<Output = kube::Result<Events<Self::Object>>> + Send;
    fn version(object: &Self::Object) -> Option<String>;
}

type Events<K> = BoxStream<'static, kube::Result<WatchEvent<K>>>;

/// Whole objects.
pub(super) struct Full<K>(pub Api<K>);

/// Metadata only: the data of a Secret never gets here.
pub(super) struct MetadataOnly<K>(pub Api<K>);

impl<K> Source for Full<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    type Object = K;

    async fn list(&self, params: &ListParams) -> kube::Result<ObjectList<K>> {
        self.0.list(params).await
    }

    async fn watch(&self, params: &WatchParams, version: &str) -> kube::Result<Events<K>> {
        Ok(self.0.watch(params, version).await?.boxed())
    }

    fn version(object: &K) -> Option<String> {
        object.meta().resource_version.clone()
    }
}

impl<K> Source for MetadataOnly<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    type Object = PartialObjectMeta<K>;

    async fn list(&self, params: &ListParams) -> kube::Result<ObjectList<PartialObjectMeta<K>>> {
        self.0.list_metadata(params).await
    }

    async fn watch(&self, params: &WatchParams, version: &str) -> kube::Result<Events<PartialObjectMeta<K>>> {
        Ok(self.0.watch_metadata(params, version).await?.boxed())
    }

    fn version(object: &PartialObjectMeta<K>) -> Option<String> {
        object.metadata.resource_version.clone()
    }
}

/// A watch and where its objects go.
pub(super) struct Watch<S> {
    pub name: String,
    pub source: S,
    pub labels: Option<String>,
    /// The namespace, or `None` for all.
    pub place: Option<String>,
    pub index: SharedIndex,
    pub pulse: Pulse,
}

/// Why a watch stopped following.
enum Stop {
    /// As agreed: go on from the last version.
    Ended,
    /// The server has forgotten the version: list again.
    Gone,
    Failed(kube::Error),
}

impl<S: Source> Watch<S>
where
    S::Object: Kept,
{
    /// Follows for ever.
    pub(super) async fn run(self) {
        let mut backoff = DefaultBackoff::default();
        loop {
            let error = match self.list().await {
                Ok(version) => {
                    backoff = DefaultBackoff::default();
                    self.follow(version).await;
                    continue;
                }
                Err(error) => error,
            };
            self.rest(&mut backoff, &error).await;
        }
    }

    /// Reads all objects; returns the version to follow from.
    async fn list(&self) -> kube::Result<String> {
        let mut params =
            ListParams { limit: Some(PAGE), label_selector: self.labels.clone(), ..ListParams::default() };
        let mut objects = Vec::new();
        let version = loop {
            let page = self.source.list(&params).await?;
            self.pulse.beat();
            objects.extend(page.items);
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                break page.metadata.resource_version.unwrap_or_default();
            }
        };
        self.index.replace(self.place.as_deref(), objects);
        self.pulse.synced();
        Ok(version)
    }

    /// Follows from `version` until the server has forgotten it.
    async fn follow(&self, mut version: String) {
        let mut backoff = DefaultBackoff::default();
        loop {
            let started = Instant::now();
            match self.follow_once(&mut version).await {
                // A server that ends each watch at once must not be asked in a tight loop.
                Stop::Ended if started.elapsed() < SHORT => tokio::time::sleep(SHORT).await,
                Stop::Ended => backoff = DefaultBackoff::default(),
                Stop::Gone => return,
                Stop::Failed(error) => self.rest(&mut backoff, &error).await,
            }
        }
    }

    async fn follow_once(&self, version: &mut String) -> Stop {
        let params = WatchParams {
            label_selector: self.labels.clone(),
            timeout: Some(WATCH_SECONDS),
            bookmarks: true,
            ..WatchParams::default()
        };
        let mut events = match self.source.watch(&params, version).await {
            Ok(events) => events,
            Err(kube::Error::Api(status)) if status.code == 410 => return Stop::Gone,
            Err(error) => return Stop::Failed(error),
        };
        self.pulse.beat();
        loop {
            let event = match tokio::time::timeout(DEAD_AFTER, events.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => return Stop::Failed(error),
                Ok(None) | Err(_) => return Stop::Ended,
            };
            if let Some(stop) = self.take(event, version) {
                return stop;
            }
            self.pulse.beat();
        }
    }

    fn take(&self, event: WatchEvent<S::Object>, version: &mut String) -> Option<Stop> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                *version = S::version(&object).unwrap_or_default();
                self.index.apply(object);
            }
            WatchEvent::Deleted(object) => {
                *version = S::version(&object).unwrap_or_default();
                self.index.remove(&object);
            }
            WatchEvent::Bookmark(bookmark) => *version = bookmark.metadata.resource_version,
            WatchEvent::Error(status) if status.code == 410 => return Some(Stop::Gone),
            WatchEvent::Error(status) => return Some(Stop::Failed(kube::Error::Api(status))),
        }
        None
    }

    async fn rest(&self, backoff: &mut DefaultBackoff, error: &kube::Error) {
        let pause = backoff.next().unwrap_or(Duration::from_secs(30));
        let class = crate::publish::class_of(error);
        tracing::warn!(watch = self.name, class, ?pause, "a watch failed and is tried again: {error}");
        tokio::time::sleep(pause).await;
    }
}

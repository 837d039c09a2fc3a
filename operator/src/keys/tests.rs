//! Keeper and reconciler against an API server in memory, with pods that the tests play.

use std::collections::BTreeSet;

use crds::{ModelGateway, ModelGatewaySpec, VirtualKeySpec};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret as KubeSecret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::core::ObjectMeta;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::args::Scope;
use crate::board::{Board, Heard};
use crate::fake_api::FakeApi;
use crate::index::{PodInstance, PodView, SharedIndex};
use crate::metrics::Metrics;
use crate::reconcile::Reconciler;

fn id(name: &str) -> ObjectName {
    ObjectName { namespace: "ai".into(), name: name.into() }
}

fn metadata(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        namespace: Some("ai".into()),
        uid: Some(format!("uid-{name}")),
        generation: Some(1),
        ..ObjectMeta::default()
    }
}

/// A cluster with a gateway `main` that has one pod, and the index that its watches would fill.
struct World {
    api: FakeApi,
    context: Context,
    reconciler: Reconciler,
    keeper: KeyKeeper,
}

impl World {
    async fn new(clock: fn() -> Timestamp) -> Self {
        let api = FakeApi::default();
        let index = SharedIndex::default();
        let mut gateway = ModelGateway::new("main", ModelGatewaySpec::default());
        gateway.metadata = metadata("main");
        index.apply(gateway);
        let instance = PodInstance { uid: "p".into(), ip: [10, 0, 0, 1].into(), restarts: 0 };
        let pod = PodView { gateway: id("main"), running: Some(instance), ready: true, revision: None };
        index.lock().pods.insert(id("p"), pod);
        let namespaces = BTreeSet::from(["ai".to_owned()]);
        let args = clap::Parser::parse_from(["fairlead-operator", "--namespace=ai", "--pod-name=op"]);
        let (client, metrics) = (api.client().await, Metrics::new());
        let context = Context {
            index,
            board: Board::new(),
            metrics: metrics.clone(),
            scope: Arc::new(Scope { watched: Some(namespaces.clone()), gateways: namespaces }),
            leadership: watch::channel(Some(Instant::now() + Duration::from_secs(60))).1,
            herald: crate::events::channel(client.clone(), &args, metrics).0,
            clock,
            readings: crate::usage::Readings::default(),
            http: crate::acknowledge::client().unwrap(),
            admin_port: 4001,
            client,
        };
        let (reconciler, keeper) = (Reconciler::new(context.clone()), KeyKeeper::new(context.clone()));
        Self { api, context, reconciler, keeper }
    }

    /// As people apply it.
    fn apply(&self, spec: Value) {
        let mut object = VirtualKey::new("bot", serde_json::from_str(&spec.to_string()).unwrap());
        object.metadata = metadata("bot");
        let there = json!({ "apiVersion": "fairlead.dev/v1alpha1", "kind": "VirtualKey", "metadata": object.metadata,
                            "spec": object.spec });
        self.api.put("virtualkeys", "bot", there);
        self.context.index.apply(object);
    }

    /// A round of the reconciler and a pass of the keeper.
    async fn turn(&mut self) {
        assert!(self.reconciler.round().await.is_empty());
        self.keeper.pass(Instant::now()).await;
    }

    /// The pod serves what is published.
    fn acknowledge(&self) {
        self.context.board.update(|state| {
            let serves = state.lines[&id("main")].progress.as_ref().map(|it| it.revision().to_owned());
            state.pods.insert(id("p"), Heard { gateway: id("main"), serves, trouble: None });
        });
    }

    fn secret(&self) -> KubeSecret {
        serde_json::from_str(&self.api.get("secrets", "bot-key").unwrap().to_string()).unwrap()
    }

    fn key(&self) -> String {
        let ByteString(key) = self.secret().data.unwrap()["apiKey"].clone();
        String::from_utf8(key).unwrap()
    }

    /// The digests that are published, with their ends.
    fn published(&self) -> Vec<KeyHash> {
        let state = self.context.board.lock();
        let config = &state.lines[&id("main")].progress.as_ref().unwrap().config;
        config.keys.iter().flat_map(|key| key.hashes.clone()).collect()
    }

    /// Those of Secrets and VirtualKeys, since the last call.
    fn writes(&self) -> Vec<String> {
        self.api.writes().into_iter().filter(|write| !write.contains("main-")).collect()
    }
}

fn hash(key: &str) -> KeyHash {
    KeyHash::of(key.as_bytes())
}

#[tokio::test]
async fn a_key_is_made_once_and_published_and_nothing_more_is_written() {
    let mut world = World::new(Timestamp::now).await;
    world.apply(json!({}));
    world.turn().await;
    assert_eq!(world.writes(), ["create bot-key"]);
    let key = world.key();
    assert!(key.starts_with("sk-") && key.len() == 67, "{}", key.len());
    assert_eq!(world.secret().metadata.owner_references.unwrap()[0].uid, "uid-bot");
    world.turn().await;
    assert_eq!(world.published(), [hash(&key)]);
    world.acknowledge();
    for _ in 0..3 {
        world.turn().await;
    }
    assert_eq!(world.writes(), Vec::<String>::new());
    let mut successor = World { keeper: KeyKeeper::new(world.context.clone()), ..world };
    successor.reconciler = Reconciler::new(successor.context.clone());
    successor.turn().await;
    assert_eq!(successor.writes(), Vec::<String>::new(), "the next leader finds it as it is");
    assert_eq!(successor.key(), key);
}

#[tokio::test]
async fn a_rotation_never_leaves_the_secret_with_a_key_that_a_pod_does_not_take() {
    let mut world = World::new(Timestamp::now).await;
    world.apply(json!({ "rotation": { "interval": "10s", "overlap": "5s" } }));
    world.turn().await;
    let first = world.key();
    // Its time is over.
    let mut old = world.secret();
    old.metadata
        .annotations
        .as_mut()
        .unwrap()
        .insert("fairlead.dev/issued-at".into(), "2026-01-01T00:00:00Z".into());
    world.api.put("secrets", "bot-key", serde_json::to_value(&old).unwrap());
    old = world.secret();
    world.context.index.apply(kube::core::PartialObjectMeta::<KubeSecret> {
        metadata: old.metadata,
        ..kube::core::PartialObjectMeta::default()
    });
    world.writes();
    world.turn().await;
    world.acknowledge();
    world.turn().await;
    assert_eq!(world.published().len(), 2, "the next key is published before anybody has it");
    world.turn().await;
    assert_eq!((world.writes(), world.key()), (vec![], first.clone()), "the pod does not serve it yet");
    world.acknowledge();
    world.turn().await;
    let second = world.key();
    assert_ne!(second, first);
    assert!(world.published().contains(&hash(&second)), "published before it was written");
    for _ in 0..3 {
        world.turn().await;
        world.acknowledge();
        assert!(world.published().iter().any(|known| known.sha256 == hash(&second).sha256));
        assert!(world.published().iter().any(|known| known.sha256 == hash(&first).sha256));
    }
    let old = world.published().into_iter().find(|known| known.sha256 == hash(&first).sha256).unwrap();
    assert!(old.until.is_some(), "the old one has an end: {old:?}");
    assert_eq!(world.published().len(), 2);
    assert_eq!(world.writes(), ["patch bot-key"], "one write in all");
    assert!(world.context.board.lock().next_keys.is_empty());
}

#[tokio::test]
async fn a_key_that_is_being_deleted_is_out_of_the_config() {
    let mut world = World::new(Timestamp::now).await;
    world.apply(json!({}));
    world.turn().await;
    world.turn().await;
    assert_eq!(world.published().len(), 1);
    world.writes();
    // Somebody else's finalizer holds the object.
    let mut object = (*world.context.index.lock().keys[&id("bot")]).clone();
    object.metadata.deletion_timestamp = Some(Time(Timestamp::now()));
    object.metadata.resource_version = None;
    world.context.index.apply(object);
    world.turn().await;
    assert_eq!(world.published(), []);
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_secret_of_somebody_else_stays_as_it_is() {
    let mut world = World::new(Timestamp::now).await;
    let theirs = json!({ "metadata": { "namespace": "ai" }, "data": { "apiKey": "c2stdGhlaXJz" } });
    world.api.put("secrets", "bot-key", theirs.clone());
    // Not even where the watch has not seen it yet.
    world.apply(json!({}));
    world.turn().await;
    assert_eq!(world.api.get("secrets", "bot-key").unwrap()["data"], theirs["data"]);
    let trouble = world.context.board.lock().key_troubles[&id("bot")].clone();
    assert!(trouble.contains("Secret ai/bot-key was not written (Conflict)"), "{trouble}");
    world.context.index.apply(kube::core::PartialObjectMeta::<KubeSecret> {
        metadata: world.secret().metadata,
        ..kube::core::PartialObjectMeta::default()
    });
    world.turn().await;
    let findings = world.context.board.lock().round.as_ref().unwrap().rendered.findings.clone();
    assert_eq!(findings.iter().map(|it| it.reason).collect::<Vec<_>>(), [render::Reason::SecretNotOwned]);
}

#[tokio::test]
async fn a_failed_write_is_told_and_tried_again() {
    let mut world = World::new(Timestamp::now).await;
    world.apply(json!({ "secret": { "deletionPolicy": "Retain" } }));
    assert!(world.reconciler.round().await.is_empty());
    world.api.die_after(Some(0));
    let now = Instant::now();
    let again = world.keeper.pass(now).await;
    assert!(again <= now + RETRY_MIN);
    assert!(world.context.board.lock().key_troubles.contains_key(&id("bot")));
    world.api.die_after(None);
    world.keeper.pass(again).await;
    assert!(world.secret().metadata.owner_references.is_none(), "it is to stay");
    assert!(world.context.board.lock().key_troubles.is_empty());
}

#[tokio::test]
async fn a_trouble_ends_with_its_virtual_key() {
    let mut world = World::new(Timestamp::now).await;
    world.apply(json!({}));
    assert!(world.reconciler.round().await.is_empty());
    world.api.die_after(Some(0));
    world.keeper.pass(Instant::now()).await;
    world.api.die_after(None);
    assert!(world.context.board.lock().key_troubles.contains_key(&id("bot")));
    let object = (*world.context.index.lock().keys[&id("bot")]).clone();
    world.context.index.remove(&object);
    world.turn().await;
    assert!(world.context.board.lock().key_troubles.is_empty(), "a successor has none");
}

#[test]
fn what_is_noted_on_a_secret_is_read_again() {
    let mut object = VirtualKey::new("bot", VirtualKeySpec::default());
    object.metadata = metadata("bot");
    let order = render::Order {
        secret: id("bot-key"),
        key: "apiKey".into(),
        base_url: None,
        retain: true,
        rotation: None,
    };
    let now: Timestamp = "2026-11-25T12:00:00.5Z".parse().unwrap();
    let made = secret::new(&object, &order, &Secret::new(b"sk-1".to_vec()), now);
    let expected = render::Issue {
        key: "bot".into(),
        uid: "uid-bot".into(),
        issued_at: u64::try_from(now.as_second()).ok(),
        previous: None,
        retained: true,
    };
    assert_eq!(issue_of(&made.metadata), Some(expected));
    let mut stripped = made.metadata;
    stripped.labels = None;
    assert_eq!(issue_of(&stripped), None, "somebody took it over");
}

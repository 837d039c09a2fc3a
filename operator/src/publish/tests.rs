//! Publishing against an API server in memory: order, conflicts, crashes.

use std::time::Duration;

use config::{
    CredentialRef, Deployment, HttpUpstream, INDEX_FILE, Model, ObjectName, SHARDS, Settings, Timeouts,
    Upstream,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::fake_api::FakeApi;
use crate::names;

const TIMEOUTS: Timeouts = Timeouts { connect_ms: 1, first_byte_ms: 1, stream_idle_ms: 1, request_ms: 1 };

/// A config of these models, whose credential has this version.
fn rendered(models: &[(&str, u32)], credential: &str) -> GatewayConfig {
    let reference = CredentialRef { id: "key".into(), version: credential.into() };
    let model = |(name, weight): &(&str, u32)| Model {
        name: (*name).into(),
        aliases: Vec::new(),
        deployments: vec![Deployment {
            id: id(name),
            uid: "u".into(),
            provider: "openai".into(),
            upstream_model: (*name).into(),
            upstream: Upstream::Http(HttpUpstream {
                base_url: "https://api.example".into(),
                dialects: vec![catalogue::Dialect::OpenaiChat],
                embeds: Some(catalogue::EmbeddingDialect::OpenaiEmbeddings),
                keeps_responses: false,
                auth: catalogue::Auth::Bearer,
                credential: Some(reference.clone()),
                headers: Vec::new(),
            }),
            weight: *weight,
            priority: 0,
            timeouts: TIMEOUTS,
            on_loss: config::OnLoss::Report,
            pricing: config::Pricing::default(),
            quirks: catalogue::Quirks::default(),
            parameters: config::Parameters::default(),
            capacity: config::Capacity::default(),
        }],
        fallbacks: config::Fallbacks::default(),
    };
    let settings = Settings {
        master_key: None,
        limits: config::Limits { request_body_bytes: 1, answer_bytes: 1, stream_event_bytes: 1 },
        timeouts: TIMEOUTS,
        on_loss: config::OnLoss::Report,
        unknown_price: config::UnknownPrice::Allow,
        user_budgets: config::UserBudgets::AllKeys,
        routing: config::Routing::default(),
        default_fallbacks: Vec::new(),
        egress: config::Egress::default(),
    };
    let config = Config {
        gateway: id("main"),
        settings,
        models: models.iter().map(model).collect(),
        budgets: Vec::new(),
        keys: Vec::new(),
        routes: Vec::new(),
    };
    let material = Secret::new(format!("material {credential}").into_bytes());
    GatewayConfig { config, credentials: BTreeMap::from([(reference.file(), material)]) }
}

fn id(name: &str) -> ObjectName {
    ObjectName { namespace: "ai".into(), name: name.into() }
}

/// A leader that knows nothing yet.
async fn leader(api: &FakeApi) -> Scribe {
    let (sender, leadership) = watch::channel(Some(Instant::now() + Duration::from_secs(60)));
    drop(sender);
    Scribe { client: api.client().await, gateway: id("main"), uid: "g".into(), leadership }
}

/// What a pod sees once all its files are mounted.
fn delivered(api: &FakeApi) -> Result<config::Delivery, config::BundleError> {
    let text = |kind: &str, name: String, file: &str| -> Option<Vec<u8>> {
        let object = api.get(kind, &name)?;
        let value = object["data"].get(file)?.as_str()?.to_owned();
        if kind == "secrets" {
            let decoded: k8s_openapi::ByteString = serde_json::from_str(&format!("\"{value}\"")).unwrap();
            return Some(decoded.0);
        }
        Some(value.into_bytes())
    };
    let index = text("configmaps", names::index("main"), INDEX_FILE).unwrap_or_default();
    Bundle::unpack(&index, |file| match config::shard_slot(file) {
        Some(slot) => text("configmaps", names::shard("main", slot), file),
        None => text("secrets", names::credentials("main"), file),
    })
}

#[tokio::test]
async fn credentials_are_written_first_and_the_index_last() {
    let api = FakeApi::default();
    let scribe = leader(&api).await;
    let mut children = scribe.read().await.unwrap();
    let config = rendered(&[("a", 1), ("b", 1), ("c", 1)], "1");
    publish(&scribe, &mut children, &config).await.unwrap();
    let writes = api.writes();
    assert_eq!(writes.first().map(String::as_str), Some("create main-credentials"));
    assert_eq!(writes.last().map(String::as_str), Some("create main-routing"));
    assert!(writes.len() > 3, "shards lie between: {writes:?}");
    assert_eq!(delivered(&api).unwrap().config, config.config);
}

#[tokio::test]
async fn nothing_is_written_when_nothing_changed_be_it_by_the_next_leader() {
    let api = FakeApi::default();
    let config = rendered(&[("a", 1), ("b", 1)], "1");
    let scribe = leader(&api).await;
    let mut children = scribe.read().await.unwrap();
    publish(&scribe, &mut children, &config).await.unwrap();
    publish(&scribe, &mut children, &rendered(&[("a", 2), ("b", 1)], "1")).await.unwrap();
    publish(&scribe, &mut children, &config).await.unwrap();
    api.writes();
    publish(&scribe, &mut children, &config).await.unwrap();
    let mut known_anew = leader(&api).await.read().await.unwrap();
    publish(&scribe, &mut known_anew, &config).await.unwrap();
    assert_eq!(api.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn an_edit_writes_its_shard_and_the_index() {
    let api = FakeApi::default();
    let scribe = leader(&api).await;
    let mut children = scribe.read().await.unwrap();
    publish(&scribe, &mut children, &rendered(&[("a", 1), ("b", 1)], "1")).await.unwrap();
    api.writes();
    publish(&scribe, &mut children, &rendered(&[("a", 2), ("b", 1)], "1")).await.unwrap();
    let writes = api.writes();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(
        writes[0].starts_with("replace main-routing-") && writes[1] == "replace main-routing",
        "{writes:?}"
    );
    let files: usize = (0..SHARDS)
        .filter_map(|slot| api.get("configmaps", &names::shard("main", slot)))
        .map(|shard| shard["data"].as_object().map_or(0, serde_json::Map::len))
        .sum();
    assert_eq!(files, 3, "the edited shard keeps its version before");
}

#[tokio::test]
async fn a_rotation_keeps_the_old_material_for_one_publish() {
    let api = FakeApi::default();
    let scribe = leader(&api).await;
    let mut children = scribe.read().await.unwrap();
    let files = |api: &FakeApi| {
        let secret = api.get("secrets", "main-credentials").unwrap();
        secret["data"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    for (weight, version) in [(1, "1"), (1, "2")] {
        publish(&scribe, &mut children, &rendered(&[("a", weight)], version)).await.unwrap();
    }
    assert_eq!(files(&api), ["credential-key-1", "credential-key-2"]);
    publish(&scribe, &mut children, &rendered(&[("a", 2)], "2")).await.unwrap();
    assert_eq!(files(&api), ["credential-key-2"], "out of use for good");
}

#[tokio::test]
async fn a_stale_leader_cannot_commit() {
    let api = FakeApi::default();
    let (old, new) = (leader(&api).await, leader(&api).await);
    let mut stale = old.read().await.unwrap();
    publish(&old, &mut stale, &rendered(&[("a", 1)], "1")).await.unwrap();
    let mut fresh = new.read().await.unwrap();
    let won = rendered(&[("a", 1), ("b", 7)], "1");
    publish(&new, &mut fresh, &won).await.unwrap();
    let lost = publish(&old, &mut stale, &rendered(&[("a", 1), ("c", 3)], "1")).await;
    assert!(matches!(lost, Err(PublishError::Conflict(_))), "{lost:?}");
    assert_eq!(delivered(&api).unwrap().config, won.config);
}

#[tokio::test]
async fn without_the_lease_nothing_is_written() {
    let api = FakeApi::default();
    let mut scribe = leader(&api).await;
    let mut children = scribe.read().await.unwrap();
    scribe.leadership = watch::channel(None).1;
    let refused = publish(&scribe, &mut children, &rendered(&[("a", 1)], "1")).await;
    assert!(matches!(refused, Err(PublishError::NotLeading)), "{refused:?}");
    assert_eq!(api.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_crash_between_any_two_writes_is_recovered_from() {
    let before = rendered(&[("a", 1), ("b", 1), ("c", 1)], "1");
    let after = rendered(&[("a", 2), ("b", 2), ("d", 1)], "2");
    for writes in 0..=6 {
        let api = FakeApi::default();
        let scribe = leader(&api).await;
        let mut children = scribe.read().await.unwrap();
        publish(&scribe, &mut children, &before).await.unwrap();
        api.die_after(Some(writes));
        let crashed = publish(&scribe, &mut children, &after).await.is_err();
        let seen = delivered(&api).unwrap().config;
        let expected = if crashed { &before.config } else { &after.config };
        assert_eq!(seen, *expected, "after {writes} writes pods must see one whole config");
        api.die_after(None);
        let next = leader(&api).await;
        let mut children = next.read().await.unwrap();
        assert_eq!(children.committed.config.as_deref(), Some(expected), "after {writes} writes");
        publish(&next, &mut children, &after).await.unwrap();
        assert_eq!(delivered(&api).unwrap().config, after.config, "after {writes} writes");
    }
}

#[tokio::test]
async fn an_object_of_somebody_else_is_not_overwritten() {
    let api = FakeApi::default();
    let theirs: Value = json!({ "metadata": {}, "data": { "password": "eA==" } });
    api.put("secrets", "main-credentials", theirs);
    let refused = leader(&api).await.read().await;
    assert!(matches!(refused, Err(PublishError::Foreign(_))), "{refused:?}");
}

#[tokio::test]
async fn what_somebody_edited_or_deleted_is_written_again() {
    let api = FakeApi::default();
    let scribe = leader(&api).await;
    let mut children = scribe.read().await.unwrap();
    let config = rendered(&[("a", 1)], "1");
    publish(&scribe, &mut children, &config).await.unwrap();
    let mut index = api.get("configmaps", "main-routing").unwrap();
    index["data"][INDEX_FILE] = json!("{}");
    api.put("configmaps", "main-routing", index);
    let mut children = scribe.read().await.unwrap();
    publish(&scribe, &mut children, &config).await.unwrap();
    assert_eq!(delivered(&api).unwrap().config, config.config);
}

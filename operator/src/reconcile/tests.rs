//! Whole rounds against an API server in memory.

use std::collections::BTreeSet;

use crds::{ModelDeployment, ModelDeploymentSpec, ModelGatewaySpec, ProviderSpec};
use k8s_openapi::jiff::Timestamp;
use kube::core::ObjectMeta;
use tokio::sync::watch;

use super::*;
use crate::args::Scope;
use crate::board::Board;
use crate::fake_api::FakeApi;
use crate::index::SharedIndex;
use crate::metrics::Metrics;

fn metadata(name: &str, generation: i64) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        namespace: Some("ai".into()),
        uid: Some(format!("uid-{name}")),
        generation: Some(generation),
        ..ObjectMeta::default()
    }
}

fn deployment(name: &str, generation: i64, provider: &str) -> ModelDeployment {
    let provider = ProviderSpec { type_: provider.into(), ..ProviderSpec::default() };
    let mut object =
        ModelDeployment::new(name, ModelDeploymentSpec { provider, ..ModelDeploymentSpec::default() });
    object.metadata = metadata(name, generation);
    object
}

/// A cluster with a gateway `main`, and the index that its watches would fill.
async fn cluster(api: &FakeApi) -> Context {
    let index = SharedIndex::default();
    let mut gateway = ModelGateway::new("main", ModelGatewaySpec::default());
    gateway.metadata = metadata("main", 1);
    index.apply(gateway);
    let namespaces = BTreeSet::from(["ai".to_owned()]);
    let client = api.client().await;
    let args = clap::Parser::parse_from(["fairlead-operator", "--namespace=ai", "--pod-name=op"]);
    let metrics = Metrics::new();
    Context {
        index,
        board: Board::new(),
        readings: crate::usage::Readings::default(),
        metrics: metrics.clone(),
        scope: Arc::new(Scope { watched: Some(namespaces.clone()), gateways: namespaces }),
        leadership: watch::channel(Some(Instant::now() + std::time::Duration::from_secs(60))).1,
        herald: crate::events::channel(client.clone(), &args, metrics).0,
        clock: Timestamp::now,
        http: crate::acknowledge::client().unwrap(),
        admin_port: 4001,
        client,
    }
}

/// Provider of each model that the board has as published.
fn served(context: &Context) -> Vec<(String, String)> {
    let state = context.board.lock();
    let progress = state.lines.values().find_map(|line| line.progress.as_ref());
    let models = progress.iter().flat_map(|progress| &progress.config.models);
    models.map(|model| (model.name.clone(), model.deployments[0].provider.clone())).collect()
}

fn mock(name: &str) -> (String, String) {
    (name.to_owned(), "mock".to_owned())
}

#[tokio::test]
async fn a_round_without_a_change_writes_nothing() {
    let api = FakeApi::default();
    let context = cluster(&api).await;
    context.index.apply(deployment("a", 1, "mock"));
    let mut reconciler = Reconciler::new(context.clone());
    assert!(reconciler.round().await.is_empty());
    assert_eq!(api.writes().last().map(String::as_str), Some("create main-routing"));
    assert!(reconciler.round().await.is_empty());
    assert!(Reconciler::new(context).round().await.is_empty(), "the next leader finds it as it is");
    assert_eq!(api.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_broken_edit_leaves_the_version_before_in_service_also_under_the_next_leader() {
    let api = FakeApi::default();
    let context = cluster(&api).await;
    context.index.apply(deployment("a", 1, "mock"));
    assert!(Reconciler::new(context.clone()).round().await.is_empty());
    context.index.apply(deployment("a", 2, "nonsense"));
    context.index.apply(deployment("b", 1, "mock"));
    assert!(Reconciler::new(context.clone()).round().await.is_empty());
    assert_eq!(served(&context), [mock("a"), mock("b")]);
    let findings = context.board.lock().round.as_ref().unwrap().rendered.findings.clone();
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[tokio::test]
async fn the_last_good_version_outlives_the_loss_of_the_index() {
    let api = FakeApi::default();
    let context = cluster(&api).await;
    context.index.apply(deployment("a", 1, "mock"));
    let mut reconciler = Reconciler::new(context.clone());
    assert!(reconciler.round().await.is_empty());
    context.index.apply(deployment("a", 2, "nonsense"));
    api.put(
        "configmaps",
        "main-routing",
        serde_json::json!({
            "metadata": { "labels": { names::MANAGED_BY: names::MANAGER } }, "data": { "index.json": "{}" }
        }),
    );
    reconciler.children.clear();
    assert!(reconciler.round().await.is_empty());
    assert_eq!(served(&context), [mock("a")]);
}

#[tokio::test]
async fn a_conflict_is_read_again_and_rendered_again() {
    let api = FakeApi::default();
    let context = cluster(&api).await;
    let mut stale = Reconciler::new(context.clone());
    assert!(stale.round().await.is_empty());
    context.index.apply(deployment("a", 1, "mock"));
    assert!(Reconciler::new(context.clone()).round().await.is_empty());
    context.index.apply(deployment("b", 1, "mock"));
    let errors = stale.round().await;
    assert!(matches!(errors.as_slice(), [PublishError::Conflict(_)]), "{errors:?}");
    assert!(stale.round().await.is_empty(), "having read what the other wrote");
    assert_eq!(served(&context), [mock("a"), mock("b")]);
}

#[tokio::test]
async fn a_failed_publish_is_told_and_what_was_published_stays() {
    let api = FakeApi::default();
    let context = cluster(&api).await;
    context.index.apply(deployment("a", 1, "mock"));
    let mut reconciler = Reconciler::new(context.clone());
    assert!(reconciler.round().await.is_empty());
    api.die_after(Some(1));
    context.index.apply(deployment("a", 2, "nonsense"));
    context.index.apply(deployment("b", 1, "mock"));
    assert_eq!(reconciler.round().await.len(), 1);
    let problem =
        |context: &Context| context.board.lock().lines.values().find_map(|line| line.problem.clone());
    assert_eq!(problem(&context).map(|problem| problem.reason), Some("PublishFailed"));
    assert_eq!(served(&context), [mock("a")]);
    api.die_after(None);
    assert!(reconciler.round().await.is_empty());
    assert!(problem(&context).is_none());
    assert_eq!(served(&context), [mock("a"), mock("b")]);
}

//! What people are told of a ModelRoute `smart` of a gateway `main`.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalogue::Catalogue;
use config::ObjectName;
use crds::{ModelDeployment, ModelGateway, ModelGatewaySpec, ModelRouteSpec};
use k8s_openapi::jiff::Timestamp;
use render::Manifests;

use super::*;
use crate::board::{Heard, Line, Round, State};
use crate::index::{Index, PodInstance, PodView};
use crate::progress::Progress;
use crate::status::scene;

fn id(name: &str) -> ObjectName {
    ObjectName { namespace: "ai".into(), name: name.into() }
}

fn smart(spec: &str) -> ModelRoute {
    let spec: ModelRouteSpec = serde_json::from_str(spec).unwrap();
    let mut object = ModelRoute::new("smart", spec);
    object.metadata.namespace = Some("ai".into());
    object.metadata.generation = Some(1);
    object
}

/// A gateway with models `a` and `b`.
fn manifests(route: &ModelRoute) -> Manifests {
    let mut gateway = ModelGateway::new("main", ModelGatewaySpec::default());
    gateway.metadata.namespace = Some("ai".into());
    let model = |name: &str| {
        let spec = serde_json::from_str(r#"{"provider": {"type": "mock"}}"#).unwrap();
        let mut object = ModelDeployment::new(name, spec);
        object.metadata.namespace = Some("ai".into());
        Arc::new(object)
    };
    Manifests {
        gateways: vec![Arc::new(gateway)],
        deployments: vec![model("a"), model("b")],
        routes: vec![Arc::new(route.clone())],
        ..Manifests::default()
    }
}

/// The status of `route`, where what is `published` came before; one pod serves it.
fn status(published: &Manifests, route: &ModelRoute) -> ModelRouteStatus {
    let mut manifests = manifests(route);
    let before = render::render(published, &Catalogue::builtin());
    let config = Arc::new(before.gateways[&id("main")].config.clone());
    let previous = render::Previous { config: Arc::clone(&config), credentials: BTreeMap::new() };
    manifests.previous.insert(id("main"), previous);
    let rendered = render::render(&manifests, &Catalogue::builtin());
    let (mut state, mut index) = (State::default(), Index::default());
    let mut progress = Progress::new("r1".into(), config);
    let now = Arc::new(rendered.gateways[&id("main")].config.clone());
    progress.publish("r2".into(), now, None);
    state.lines.insert(id("main"), Line { progress: Some(progress), ..Line::default() });
    let instance = PodInstance { uid: "p".into(), ip: [10, 0, 0, 1].into(), restarts: 0 };
    let view = PodView { gateway: id("main"), running: Some(instance), ready: true, revision: None };
    index.pods.insert(id("p"), view);
    state.pods.insert(id("p"), Heard { gateway: id("main"), serves: Some("r2".into()), trouble: None });
    let round = Round { manifests, rendered };
    scene(&round, &state, &index, Timestamp::UNIX_EPOCH).route(route, &[]).0
}

fn told(status: &ModelRouteStatus) -> Vec<String> {
    let each = status.conditions.iter();
    each.map(|condition| format!("{}={}/{}", condition.type_, condition.status, condition.reason)).collect()
}

const SOUND: &str = r#"{"targets": [{"name": "x", "model": "a"}, {"name": "y", "model": "b"}],
    "strategy": "LeastBusy", "fallbacks": {"onError": ["a", "b"], "onBudget": ["b"]}}"#;

#[test]
fn a_sound_route_says_what_it_came_to() {
    let route = smart(SOUND);
    let status = status(&manifests(&route), &route);
    let expected = [
        "Accepted=True/Accepted",
        "ResolvedRefs=True/Resolved",
        "Programmed=True/AllPodsCurrent",
        "Ready=True/Reconciled",
    ];
    assert_eq!(told(&status), expected);
    assert_eq!(status.gateway.map(|gateway| gateway.name).as_deref(), Some("main"));
    assert_eq!(status.summary, "1/1 pods current");
    let resolved = status.resolved.unwrap();
    assert_eq!((resolved.model.as_str(), resolved.targets.as_str()), ("smart", "2/2"));
    assert_eq!((resolved.strategy, resolved.fallbacks.as_str()), (RoutingStrategy::LeastBusy, "a, b"));
}

#[test]
fn a_route_that_misses_a_model_serves_the_rest_and_says_so() {
    let route = smart(&SOUND.replace(r#""model": "b""#, r#""model": "gone""#));
    let status = status(&manifests(&route), &route);
    let expected = [
        "Accepted=True/Accepted",
        "ResolvedRefs=False/ModelNotFound",
        "Programmed=False/ModelNotFound",
        "Ready=False/ModelNotFound",
        "Reconciling=True/ProgressingWithRetry",
    ];
    assert_eq!(told(&status), expected);
    assert_eq!(status.resolved.unwrap().targets, "1/2");
    assert!(
        status.conditions[1].message.ends_with("; the rest of it is served"),
        "{:?}",
        status.conditions[1]
    );
}

#[test]
fn a_broken_edit_says_that_the_version_before_serves() {
    let broken = smart(&SOUND.replace(r#""model": "b""#, r#""model": "b", "when": "token > 1""#));
    let status = status(&manifests(&smart(SOUND)), &broken);
    let expected = [
        "Accepted=False/InvalidCondition",
        "ResolvedRefs=True/Resolved",
        "Programmed=False/InvalidCondition",
        "Ready=False/InvalidCondition",
        "Stalled=True/InvalidCondition",
    ];
    assert_eq!(told(&status), expected);
    assert_eq!(status.summary, "not as written: the version before goes on serving");
    assert_eq!(status.resolved, None, "what serves is not what is written");
}

#[test]
fn a_suspended_route_rests() {
    let route = smart(&SOUND.replace(r#""targets""#, r#""suspend": true, "targets""#));
    let status = status(&manifests(&route), &route);
    assert_eq!(told(&status)[2..], ["Programmed=False/Suspended", "Ready=False/Suspended"]);
    assert_eq!((status.summary.as_str(), status.resolved), ("not served", None));
}

//! What people are told, for a gateway `main` and its models.

use config::{Config, Deployment, Model, Settings, Timeouts, Upstream};
use crds::{ModelDeployment, ModelDeploymentSpec, ModelGateway, ModelGatewaySpec, PodState};
use render::{Effect, Finding, GatewayConfig, Manifests, Reason, Rendered};

use super::*;
use crate::board::{Line, Problem};
use crate::index::PodInstance;
use crate::progress::Progress;

const TIMEOUTS: Timeouts = Timeouts { connect_ms: 1, first_byte_ms: 1, stream_idle_ms: 1, request_ms: 1 };

fn id(name: &str) -> ObjectName {
    ObjectName { namespace: "ai".into(), name: name.into() }
}

fn config(models: &[(&str, u32)]) -> Config {
    let model = |(name, weight): &(&str, u32)| Model {
        name: (*name).into(),
        aliases: Vec::new(),
        deployments: vec![Deployment {
            id: id(name),
            uid: String::new(),
            provider: "mock".into(),
            upstream_model: (*name).into(),
            upstream: Upstream::Mock,
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
    Config {
        gateway: id("main"),
        settings,
        models: models.iter().map(model).collect(),
        budgets: Vec::new(),
        keys: Vec::new(),
        routes: Vec::new(),
    }
}

fn deployment(name: &str) -> ObjectRef {
    ObjectRef { kind: Kind::ModelDeployment, name: id(name) }
}

/// A gateway `main` with these models rendered, and the board and index of a cluster around it.
struct World {
    state: board::State,
    index: Index,
}

impl World {
    /// All of `models` is rendered and published as revision `r1`.
    fn new(models: &[(&str, u32)]) -> Self {
        let mut world = Self { state: board::State::default(), index: Index::default() };
        let progress = Some(Progress::new("r1".into(), Arc::new(config(models))));
        world.state.lines.insert(id("main"), Line { progress, ..Line::default() });
        world.render(models, Vec::new());
        world
    }

    fn render(&mut self, models: &[(&str, u32)], findings: Vec<Finding>) {
        let gateway = GatewayConfig { config: config(models), credentials: BTreeMap::new() };
        let rendered = Rendered {
            gateways: BTreeMap::from([(id("main"), gateway)]),
            findings,
            attached: models.iter().map(|(name, _)| (deployment(name), id("main"))).collect(),
            users: BTreeMap::new(),
            keys: BTreeMap::new(),
        };
        self.state.round = Some(Arc::new(Round { manifests: Manifests::default(), rendered }));
    }

    fn publish(&mut self, revision: &str, models: &[(&str, u32)]) {
        let line = self.state.lines.get_mut(&id("main")).unwrap();
        line.progress.as_mut().unwrap().publish(revision.into(), Arc::new(config(models)), None);
        self.render(models, Vec::new());
    }

    fn pod(&mut self, name: &str, ready: bool, serves: Option<&str>, trouble: Option<PodState>) {
        let instance = PodInstance { uid: name.into(), ip: [10, 0, 0, 1].into(), restarts: 0 };
        let view = PodView { gateway: id("main"), running: Some(instance), ready, revision: None };
        self.index.pods.insert(id(name), view);
        let heard = Heard {
            gateway: id("main"),
            serves: serves.map(str::to_owned),
            trouble: trouble.map(|state| (state, "why".into())),
        };
        self.state.pods.insert(id(name), heard);
    }

    /// `Programmed=<status>/<reason> <summary>` of a deployment, and whether it is written now.
    fn deployment(&self, name: &str) -> (String, Patience) {
        let mut object = ModelDeployment::new(name, ModelDeploymentSpec::default());
        object.metadata.namespace = Some("ai".into());
        object.metadata.generation = Some(1);
        let round = self.state.round.as_ref().unwrap();
        let scene = scene(round, &self.state, &self.index, Timestamp::UNIX_EPOCH);
        let (status, patience) = scene.deployment(&object, &[]);
        (told(&status.conditions, &status.summary), patience)
    }

    fn gateway(&self) -> (crds::ModelGatewayStatus, Patience) {
        let mut object = ModelGateway::new("main", ModelGatewaySpec::default());
        object.metadata.namespace = Some("ai".into());
        let round = self.state.round.as_ref().unwrap();
        scene(round, &self.state, &self.index, Timestamp::UNIX_EPOCH).gateway(&object, &[])
    }
}

fn told(conditions: &[Condition], summary: &str) -> String {
    let programmed = conditions::find(conditions, ConditionType::Programmed).unwrap();
    format!("{}/{} {summary}", programmed.status, programmed.reason)
}

#[test]
fn a_deployment_is_programmed_when_every_ready_pod_serves_it() {
    let mut world = World::new(&[("a", 1)]);
    world.pod("p1", true, Some("r1"), None);
    world.pod("p2", true, None, None);
    assert_eq!(world.deployment("a"), ("False/PodsLagging 1/2 pods current".into(), Patience::Wait));
    world.pod("p2", true, Some("r1"), None);
    assert_eq!(world.deployment("a"), ("True/AllPodsCurrent 2/2 pods current".into(), Patience::Write));
}

#[test]
fn an_edit_of_one_model_says_nothing_about_another() {
    let mut world = World::new(&[("a", 1), ("b", 1)]);
    world.pod("p1", true, Some("r1"), None);
    world.publish("r2", &[("a", 2), ("b", 1)]);
    assert_eq!(world.deployment("a").0, "False/PodsLagging 0/1 pods current");
    assert_eq!(world.deployment("b").0, "True/AllPodsCurrent 1/1 pods current");
    assert_eq!(told(&world.gateway().0.conditions, ""), "False/PodsLagging ");
}

#[test]
fn what_is_rendered_but_not_published_is_not_programmed() {
    let mut world = World::new(&[("a", 1), ("b", 1)]);
    world.pod("p1", true, Some("r1"), None);
    world.render(&[("a", 2), ("b", 1)], Vec::new());
    assert_eq!(world.deployment("a").1, Patience::Wait);
    let message = "too large".to_owned();
    let problem = Problem { reason: "ConfigTooLarge", message, passing: false, since: Instant::now() };
    world.state.lines.get_mut(&id("main")).unwrap().problem = Some(problem);
    assert_eq!(world.deployment("a"), ("False/ConfigTooLarge not published".into(), Patience::Write));
    assert_eq!(world.deployment("b").0, "True/AllPodsCurrent 1/1 pods current", "it is served as before");
    let (status, _) = world.gateway();
    assert_eq!(told(&status.conditions, &status.summary), "False/ConfigTooLarge 1/1 pods current");
}

#[test]
fn without_a_ready_pod_nothing_is_programmed_and_a_refusal_is_told() {
    let mut world = World::new(&[("a", 1)]);
    assert_eq!(world.deployment("a").0, "False/NoReadyPods 0/0 pods current");
    world.pod("p1", false, None, Some(PodState::Rejected));
    assert_eq!(world.deployment("a"), ("False/PodRejectedConfig 0/1 pods current".into(), Patience::Write));
    let lagging = world.gateway().0.lagging_pods;
    assert_eq!(lagging.first().map(|pod| pod.state), Some(PodState::Rejected));
}

#[test]
fn a_starting_pod_is_counted_but_does_not_undo_what_the_ready_ones_serve() {
    let mut world = World::new(&[("a", 1)]);
    world.pod("p1", true, Some("r1"), None);
    world.pod("p2", false, None, Some(PodState::Lagging));
    assert_eq!(world.deployment("a").0, "True/AllPodsCurrent 1/2 pods current");
    let pods = world.gateway().0.pods.unwrap();
    assert_eq!((pods.total, pods.current, pods.lagging), (2, 1, 1));
}

#[test]
fn a_broken_edit_is_not_programmed_though_the_version_before_serves() {
    let mut world = World::new(&[("a", 1)]);
    world.pod("p1", true, Some("r1"), None);
    let finding = Finding {
        object: ObjectRef { kind: Kind::ModelDeployment, name: id("a") },
        condition: ConditionType::Accepted,
        reason: Reason::UnknownProvider,
        message: "no such provider".into(),
        effect: Effect::LastGoodServes,
    };
    world.render(&[("a", 1)], vec![finding]);
    let (told, patience) = world.deployment("a");
    let expected = "False/UnknownProvider not as written: the version before goes on serving";
    assert_eq!((told.as_str(), patience), (expected, Patience::Write));
    assert_eq!(world.gateway().0.models.unwrap().rejected, 1);
}

#[test]
fn an_object_that_another_operator_speaks_for_is_left_alone() {
    let visited = |reason: &str, generation| {
        let condition = Condition {
            type_: "Ready".into(),
            status: "False".into(),
            reason: reason.into(),
            message: String::new(),
            last_transition_time: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH),
            observed_generation: None,
        };
        let mut object = ModelGateway::new("main", ModelGatewaySpec::default());
        object.status = Some(crds::ModelGatewayStatus {
            observed_generation: generation,
            conditions: vec![condition],
            config: None,
            models: None,
            pods: None,
            lagging_pods: Vec::new(),
            summary: String::new(),
        });
        Arc::new(object)
    };
    assert!(is_nobodys(&Arc::new(ModelGateway::new("main", ModelGatewaySpec::default()))));
    assert!(is_nobodys(&visited("Pending", -1)), "nobody has come by yet");
    assert!(is_nobodys(&visited("GatewayNamespaceNotServed", 1)), "our own word");
    assert!(!is_nobodys(&visited("PodsLagging", 1)), "only who serves it says that");
}

#[test]
fn what_people_just_edited_goes_before_what_is_new() {
    let status = |generation| crds::ProviderSecretStatus {
        observed_generation: generation,
        conditions: Vec::new(),
        fields: Vec::new(),
        used_by: 0,
        summary: String::new(),
    };
    assert_eq!(place(Kind::ProviderSecret, Some(&status(1)), 2), Place::First);
    assert_eq!(place(Kind::ProviderSecret, Some(&status(2)), 2), Place::Last);
    assert_eq!(place(Kind::ProviderSecret, Some(&status(-1)), 1), Place::Last);
    assert_eq!(place(Kind::ModelGateway, Some(&status(-1)), 1), Place::First);
}

//! What people are told of a BudgetPolicy `teams` of a gateway `main`.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::{
    Budget, Config, Limit, ObjectName, OnExceed, Settings, Target, TargetKind, Timeouts, Unit, Window,
};
use crds::{Amount, BudgetPolicySpec, CalendarUnit, ConditionType, RollingText};
use k8s_openapi::jiff::Timestamp;
use render::{Effect, Finding, GatewayConfig, Manifests, Reason, Rendered};

use super::*;
use crate::board::{Heard, Line, Round, State};
use crate::index::{Index, PodInstance, PodView};
use crate::progress::Progress;
use crate::status::{conditions, scene};

const TIME: &str = "2026-11-01T12:00:00Z";

fn id(name: &str) -> ObjectName {
    ObjectName { namespace: "ai".into(), name: name.into() }
}

fn teams() -> ObjectRef {
    ObjectRef { kind: Kind::BudgetPolicy, name: id("teams") }
}

fn config(amount: u64, reset_at: Option<u64>) -> Config {
    let limit = Limit {
        name: "usd-month".into(),
        unit: Unit::NanoUsd,
        amount,
        window: Window::Rolling { ms: 60_000 },
        on_exceed: OnExceed::Reject,
        soft: None,
        except: Vec::new(),
    };
    let budget = Budget {
        id: id("teams"),
        uid: String::new(),
        targets: vec![Target { kind: TargetKind::Team, name: None, namespace: None }],
        per_target: true,
        limits: vec![limit],
        enforcement: config::Enforcement::Enforce,
        failure_mode: config::FailureMode::Estimate,
        estimate: config::ReservationEstimate::MaxTokens,
        reservation_ttl_ms: 1,
        parent: None,
        alerts: Vec::new(),
        reset_at,
    };
    let timeouts = Timeouts { connect_ms: 1, first_byte_ms: 1, stream_idle_ms: 1, request_ms: 1 };
    let settings = Settings {
        master_key: None,
        limits: config::Limits { request_body_bytes: 1, answer_bytes: 1, stream_event_bytes: 1 },
        timeouts,
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
        models: Vec::new(),
        budgets: vec![budget],
        keys: Vec::new(),
        routes: Vec::new(),
    }
}

struct World {
    state: State,
    index: Index,
}

impl World {
    /// `config` is rendered, published as `r1`, and served by one pod.
    fn new(config: Config) -> Self {
        let mut world = Self { state: State::default(), index: Index::default() };
        let progress = Some(Progress::new("r1".into(), Arc::new(config.clone())));
        world.state.lines.insert(id("main"), Line { progress, ..Line::default() });
        let instance = PodInstance { uid: "p".into(), ip: [10, 0, 0, 1].into(), restarts: 0 };
        let view = PodView { gateway: id("main"), running: Some(instance), ready: true, revision: None };
        world.index.pods.insert(id("p"), view);
        let heard = Heard { gateway: id("main"), serves: Some("r1".into()), trouble: None };
        world.state.pods.insert(id("p"), heard);
        world.render(config, Vec::new());
        world
    }

    fn render(&mut self, config: Config, findings: Vec<Finding>) {
        let gateway = GatewayConfig { config, credentials: BTreeMap::new() };
        let rendered = Rendered {
            gateways: BTreeMap::from([(id("main"), gateway)]),
            findings,
            keys: std::collections::BTreeMap::new(),
            attached: BTreeMap::from([(teams(), id("main"))]),
            users: BTreeMap::new(),
        };
        self.state.round = Some(Arc::new(Round { manifests: Manifests::default(), rendered }));
    }

    fn publish(&mut self, revision: &str, config: Config) {
        let line = self.state.lines.get_mut(&id("main")).unwrap();
        line.progress.as_mut().unwrap().publish(revision.into(), Arc::new(config.clone()), None);
        self.render(config, Vec::new());
    }

    fn status(&self, object: &BudgetPolicy) -> BudgetPolicyStatus {
        let round = self.state.round.as_ref().unwrap();
        scene(round, &self.state, &self.index, Timestamp::UNIX_EPOCH).budget_policy(object).0
    }
}

fn limit(unit: BudgetUnit, amount: Amount, window: Option<WindowSpec>) -> BudgetLimit {
    BudgetLimit {
        name: "l".into(),
        unit,
        amount,
        window,
        on_exceed: crds::OnExceed::Reject,
        fallback_model: None,
        soft: None,
    }
}

fn policy(reset: Option<&str>) -> BudgetPolicy {
    let month = WindowSpec { calendar: Some(CalendarUnit::Month), ..WindowSpec::default() };
    let limits = vec![limit(BudgetUnit::Usd, Amount::Text("500.00".into()), Some(month))];
    let mut object = BudgetPolicy::new("teams", BudgetPolicySpec { limits, ..BudgetPolicySpec::default() });
    object.metadata.namespace = Some("ai".into());
    object.metadata.generation = Some(1);
    object.metadata.annotations =
        reset.map(|time| BTreeMap::from([(crds::RESET_ANNOTATION.to_owned(), time.to_owned())]));
    object
}

fn ready(status: &BudgetPolicyStatus) -> String {
    let ready = conditions::find(&status.conditions, ConditionType::Ready).unwrap();
    format!("{}/{} {}", ready.status, ready.reason, status.summary)
}

#[test]
fn a_policy_is_ready_when_every_pod_has_it_and_says_what_it_limits() {
    let mut world = World::new(config(1, None));
    let status = world.status(&policy(None));
    assert_eq!(ready(&status), "True/Reconciled 500.00 USD/month");
    assert_eq!(status.gateway.map(|gateway| gateway.name), Some("main".into()));
    world.publish("r2", config(2, None));
    assert_eq!(ready(&world.status(&policy(None))), "False/PodsLagging 500.00 USD/month");
    world.state.pods.get_mut(&id("p")).unwrap().serves = Some("r2".into());
    assert_eq!(ready(&world.status(&policy(None))), "True/Reconciled 500.00 USD/month");
}

#[test]
fn a_reset_is_echoed_when_every_pod_has_it_and_not_before() {
    let at = render::reset_time(TIME);
    let mut world = World::new(config(1, None));
    let echoed = |world: &World, object: &BudgetPolicy| world.status(object).last_handled_reset_at;
    assert_eq!(echoed(&world, &policy(Some(TIME))), None, "it is not rendered yet");
    world.publish("r2", config(1, at));
    assert_eq!(echoed(&world, &policy(Some(TIME))), None, "the pod lags");
    world.state.pods.get_mut(&id("p")).unwrap().serves = Some("r2".into());
    assert_eq!(echoed(&world, &policy(Some(TIME))).as_deref(), Some(TIME));
    let mut told = policy(Some("never"));
    told.status = Some(world.status(&policy(Some(TIME))));
    assert_eq!(echoed(&world, &told).as_deref(), Some(TIME), "what cannot be read changes nothing");
    told.metadata.annotations = None;
    assert_eq!(echoed(&world, &told).as_deref(), Some(TIME), "nor does taking it away");
}

#[test]
fn a_finding_is_told_in_place_of_the_limits_unless_it_only_warns() {
    let mut world = World::new(config(1, None));
    let finding = |effect| Finding {
        object: teams(),
        condition: ConditionType::Accepted,
        reason: Reason::NoMatchingTarget,
        message: "no request can match Model gone".into(),
        effect,
    };
    world.render(config(1, None), vec![finding(Effect::Partly)]);
    let status = world.status(&policy(None));
    assert_eq!(ready(&status), "False/NoMatchingTarget not as written: the rest of it is served");
    world.render(config(1, None), vec![finding(Effect::Served)]);
    assert_eq!(ready(&world.status(&policy(None))), "True/Reconciled 500.00 USD/month");
}

#[test]
fn the_line_names_three_limits_and_counts_the_others() {
    let rolling =
        |text: &str| Some(WindowSpec { rolling: Some(RollingText(text.into())), ..WindowSpec::default() });
    let limits = [
        limit(BudgetUnit::Tokens, Amount::Whole(400_000), rolling("1m")),
        limit(BudgetUnit::Concurrency, Amount::Whole(5), None),
        limit(BudgetUnit::Requests, Amount::Whole(60), rolling("30d")),
        limit(BudgetUnit::InputTokens, Amount::Whole(1), rolling("1s")),
    ];
    assert_eq!(summary(&limits), "400000 tokens/1m, 5 at once, 60 requests/30d, and 1 more");
}

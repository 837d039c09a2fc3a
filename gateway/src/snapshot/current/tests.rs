//! What is refused, and that the last good one stays.

use std::collections::BTreeMap;

use catalogue::{Auth, Dialect};
use config::{
    Budget, CalendarUnit, Config, CredentialRef, Deployment, Enforcement, FailureMode, HttpUpstream, Limit,
    Model, ObjectName, OnExceed, ReservationEstimate, Secret, Settings, Target, TargetKind, Timeouts, Unit,
    Upstream, Window,
};

use super::*;
use crate::snapshot::budgets::Subjects;

const SOON: Timeouts = Timeouts { connect_ms: 1, first_byte_ms: 1, stream_idle_ms: 1, request_ms: 1 };

fn name(name: &str) -> ObjectName {
    ObjectName { namespace: "ai".into(), name: name.into() }
}

fn reference(id: &str) -> CredentialRef {
    CredentialRef { id: id.into(), version: "1".into() }
}

fn settings() -> Settings {
    Settings {
        master_key: Some(reference("master")),
        limits: config::Limits { request_body_bytes: 9, answer_bytes: 1, stream_event_bytes: 1 },
        timeouts: SOON,
        on_loss: config::OnLoss::Report,
        unknown_price: config::UnknownPrice::Allow,
        user_budgets: config::UserBudgets::AllKeys,
        routing: config::Routing::default(),
        default_fallbacks: Vec::new(),
        egress: config::Egress::default(),
    }
}

fn delivery(revision: &str, base_url: &str, key: &str) -> Delivery {
    let http = HttpUpstream {
        base_url: base_url.into(),
        dialects: vec![Dialect::OpenaiChat],
        embeds: None,
        keeps_responses: false,
        auth: Auth::Bearer,
        credential: Some(reference("key")),
        headers: Vec::new(),
    };
    let deployment = Deployment {
        id: name("d"),
        uid: String::new(),
        provider: "openai".into(),
        upstream_model: "up".into(),
        upstream: Upstream::Http(http),
        weight: 1,
        priority: 0,
        timeouts: SOON,
        on_loss: config::OnLoss::Report,
        pricing: config::Pricing::default(),
        quirks: catalogue::Quirks::default(),
        parameters: config::Parameters::default(),
        capacity: config::Capacity::default(),
    };
    let model = Model {
        name: "m".into(),
        aliases: vec!["alias/of m".into()],
        deployments: vec![deployment],
        fallbacks: config::Fallbacks::default(),
    };
    Delivery {
        revision: revision.into(),
        config: Config {
            gateway: name("g"),
            settings: settings(),
            models: vec![model],
            budgets: Vec::new(),
            keys: Vec::new(),
            routes: Vec::new(),
        },
        credentials: BTreeMap::from([
            (reference("key").file(), Secret::new(key.into())),
            (reference("master").file(), Secret::new(b"sk-5tr0ng-en0ugh\n".to_vec())),
        ]),
    }
}

fn fed(current: &Current, delivery: Delivery) -> (Change, Status) {
    let feed = Feed { delivery: Some(Arc::new(delivery)), problem: None };
    (current.take(&feed), current.status().borrow().clone())
}

fn problem(delivery: Delivery) -> String {
    let (change, status) = fed(&Current::new(None), delivery);
    assert_eq!(change, Change::Rejected);
    assert_eq!(status.revision, None);
    status.problem.expect("a problem")
}

#[test]
fn a_good_config_serves_under_its_names_and_with_trimmed_keys() {
    let current = Current::new(None);
    let (change, status) = fed(&current, delivery("r1", "https://a.example/v1", "sk-up\n"));
    assert_eq!((change, status.revision.as_deref(), status.problem), (Change::Installed, Some("r1"), None));
    let now = current.load().expect("serves");
    assert!(now.master_key.matches(&crate::snapshot::digest(b"sk-5tr0ng-en0ugh")));
    let model = now.model("alias/of m").expect("by alias");
    let crate::snapshot::Upstream::Http(api) = &model.deployments[0].upstream else { panic!("http") };
    assert_eq!(api.headers["authorization"], "Bearer sk-up");
    assert!(!format!("{now:?}").contains("sk-up"), "a credential must not be printable");
    assert_eq!(fed(&current, delivery("r1", "https://a.example/v1", "sk-up")).0, Change::None);
}

#[test]
fn the_last_good_config_stays_and_the_status_says_why() {
    let current = Current::new(None);
    fed(&current, delivery("r1", "https://a.example/v1", "sk-up"));
    let (change, status) = fed(&current, delivery("r2", "ftp://a.example", "sk-up"));
    assert_eq!(change, Change::Rejected);
    assert_eq!((status.revision.as_deref(), status.rejected.as_deref()), (Some("r1"), Some("r2")));
    assert!(status.problem.expect("why").contains("ftp://a.example"));
    let (_, status) = fed(&current, delivery("r3", "https://b.example", "sk-up"));
    assert_eq!((status.revision.as_deref(), status.rejected, status.problem), (Some("r3"), None, None));
}

#[test]
fn what_cannot_be_sent_is_refused_without_showing_it() {
    let why = problem(delivery("r", "https://a.example", "sk-\nup"));
    assert!(why.contains("ai/d") && !why.contains("up"), "{why}");
    let why = problem(delivery("r", "https://user:pass@a.example", "sk-up"));
    assert!(!why.contains("pass"), "{why}");
}

#[test]
fn a_deployment_speaks_some_language() {
    let mut mute = delivery("r", "https://a.example", "sk-up");
    if let Upstream::Http(http) = &mut mute.config.models[0].deployments[0].upstream {
        http.dialects.clear();
    }
    assert!(problem(mute).contains("ai/d speaks no wire language"));
}

#[test]
fn budgets_come_with_the_config_and_one_that_cannot_hold_is_refused() {
    let with = |time_zone: &str| {
        let mut delivery = delivery("r1", "https://a.example", "sk-up");
        delivery.config.budgets = vec![monthly(time_zone)];
        delivery
    };
    let current = Current::new(None);
    fed(&current, with("Europe/Berlin"));
    let charges = current.load().expect("serves").budgets.charges(&Subjects::default());
    let keys: Vec<_> = charges.iter().map(|charge| charge.counter.key().as_str()).collect();
    assert_eq!(keys, ["u/usd/0/gateway"]);
    let why = problem(with("Mars/Olympus"));
    assert!(why.contains("budget ai/b: limit usd: time zone Mars/Olympus is unknown"), "{why}");
}

fn monthly(time_zone: &str) -> Budget {
    let window =
        Window::Calendar { every: CalendarUnit::Month, time_zone: time_zone.into(), start_day: None };
    let limit = Limit {
        name: "usd".into(),
        unit: Unit::NanoUsd,
        amount: 1,
        window,
        on_exceed: OnExceed::Reject,
        soft: None,
        except: Vec::new(),
    };
    Budget {
        id: name("b"),
        uid: "u".into(),
        targets: vec![Target { kind: TargetKind::Gateway, name: None, namespace: None }],
        per_target: true,
        limits: vec![limit],
        enforcement: Enforcement::Enforce,
        failure_mode: FailureMode::Estimate,
        estimate: ReservationEstimate::MaxTokens,
        reservation_ttl_ms: 1,
        parent: None,
        alerts: Vec::new(),
        reset_at: None,
    }
}

#[test]
fn no_gateway_serves_without_a_strong_master_key() {
    let mut open = delivery("r", "https://a.example", "sk-up");
    open.config.settings.master_key = None;
    assert!(problem(open.clone()).contains("no master key"));
    let mut weak = delivery("r", "https://a.example", "sk-up");
    weak.credentials.insert(reference("master").file(), Secret::new(b"sk-1234\n".to_vec()));
    assert!(problem(weak).contains("well-known"));
    let own = MasterKey::new(&Secret::new(b"sk-0wn-key-here".to_vec())).expect("strong");
    assert_eq!(fed(&Current::new(Some(own)), open).0, Change::Installed);
}

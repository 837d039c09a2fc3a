//! What people are told of a VirtualKey.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::{Config, Key, KeyHash, ObjectName, Secret, Settings, Timeouts};
use crds::VirtualKeySpec;
use render::{Finding, GatewayConfig, Issue, Manifests, Order, Rendered, Rotation};

use super::super::{conditions, scene};
use super::*;
use crate::board::{self, Heard, Line, Round};
use crate::index::{Index, PodInstance, PodView};
use crate::progress::Progress;

const NOW: u64 = 1_800_000_000;
const KEY: &str = "sk-Zk3vQ0pB7nXw5LrT9-abcd";

fn id(name: &str) -> ObjectName {
    ObjectName { namespace: "ai".into(), name: name.into() }
}

fn bot() -> ObjectRef {
    ObjectRef { kind: Kind::VirtualKey, name: id("bot") }
}

fn config() -> Config {
    let timeouts = Timeouts { connect_ms: 1, first_byte_ms: 1, stream_idle_ms: 1, request_ms: 1 };
    let limits = config::Limits { request_body_bytes: 1, answer_bytes: 1, stream_event_bytes: 1 };
    let settings = Settings {
        master_key: None,
        limits,
        timeouts,
        on_loss: config::OnLoss::Report,
        unknown_price: config::UnknownPrice::Allow,
        user_budgets: config::UserBudgets::AllKeys,
        routing: config::Routing::default(),
        default_fallbacks: Vec::new(),
        egress: config::Egress::default(),
    };
    let key = Key {
        id: id("bot"),
        uid: "u".into(),
        hashes: vec![KeyHash::of(KEY.as_bytes())],
        display_name: None,
        team: None,
        user: None,
        models: config::Access::default(),
        expires_at: None,
        suspended: false,
        limits: config::KeyLimits::default(),
        budgets: Vec::new(),
        metadata: BTreeMap::new(),
    };
    Config {
        gateway: id("main"),
        settings,
        models: Vec::new(),
        budgets: Vec::new(),
        keys: vec![key],
        routes: Vec::new(),
    }
}

/// A gateway `main` with one pod, and a VirtualKey `bot` with its Secret.
struct World {
    state: board::State,
    index: Index,
    manifests: Manifests,
    rendered: Rendered,
    object: VirtualKey,
}

impl World {
    fn new(serves: &str) -> Self {
        let mut object = VirtualKey::new("bot", VirtualKeySpec::default());
        object.metadata.namespace = Some("ai".into());
        object.metadata.uid = Some("u".into());
        object.metadata.generation = Some(3);
        let progress = Some(Progress::new("r1".into(), Arc::new(config())));
        let (mut state, mut index) = (board::State::default(), Index::default());
        state.lines.insert(id("main"), Line { progress, ..Line::default() });
        let running = Some(PodInstance { uid: "p".into(), ip: [10, 0, 0, 1].into(), restarts: 0 });
        index.pods.insert(id("p"), PodView { gateway: id("main"), running, ready: true, revision: None });
        let heard = Heard { gateway: id("main"), serves: Some(serves.into()), trouble: None };
        state.pods.insert(id("p"), heard);
        let gateway = GatewayConfig { config: config(), credentials: BTreeMap::new() };
        let second = std::time::Duration::from_secs(1);
        let order = Order {
            secret: id("bot-key"),
            key: "apiKey".into(),
            base_url: None,
            retain: false,
            rotation: Some(Rotation { interval: second * 3600, overlap: second * 60 }),
        };
        let plan = KeyPlan { gateway: id("main"), expires_at: Some(NOW + 100), order: Some(order) };
        let previous = Some(KeyHash { until: Some(NOW + 10), ..KeyHash::of(b"sk-old") });
        let (key, uid) = ("bot".into(), "u".into());
        let secret = SecretData {
            version: "1".into(),
            data: BTreeMap::from([("apiKey".to_owned(), Secret::new(KEY.into()))]),
            issue: Some(Issue { key, uid, issued_at: Some(NOW - 50), previous, retained: false }),
        };
        let manifests =
            Manifests { secrets: BTreeMap::from([(id("bot-key"), secret)]), ..Manifests::default() };
        let rendered = Rendered {
            gateways: BTreeMap::from([(id("main"), gateway)]),
            keys: BTreeMap::from([(id("bot"), plan)]),
            attached: BTreeMap::from([(bot(), id("main"))]),
            ..Rendered::default()
        };
        Self { state, index, manifests, rendered, object }
    }

    fn find(&mut self, reason: Reason) {
        self.rendered.findings.push(Finding {
            object: bot(),
            condition: ConditionType::ResolvedRefs,
            reason,
            message: "it is so".into(),
            effect: render::Effect::NotServed,
        });
    }

    fn status(&self, now: u64) -> (VirtualKeyStatus, Patience) {
        let round = Round { manifests: self.manifests.clone(), rendered: self.rendered.clone() };
        let now = Timestamp::from_second(i64::try_from(now).unwrap()).unwrap();
        scene(&round, &self.state, &self.index, now).key(&self.object, &[])
    }
}

fn told(status: &VirtualKeyStatus, type_: ConditionType) -> String {
    let found = conditions::find(&status.conditions, type_);
    found.map_or_else(String::new, |found| format!("{}/{}", found.status, found.reason))
}

#[test]
fn a_key_that_every_pod_takes_is_ready_and_its_times_are_told() {
    let (status, patience) = World::new("r1").status(NOW);
    assert_eq!((told(&status, ConditionType::Ready), patience), ("True/Reconciled".into(), Patience::Write));
    assert_eq!((status.key_id.as_deref(), status.summary.as_str()), (Some("sk-...abcd"), "1/1 pods current"));
    assert_eq!(status.secret_ref, Some(SecretName { name: "bot-key".into() }));
    assert_eq!(status.issued_at, time(NOW - 50));
    assert_eq!(
        (status.expires_at.clone(), status.rotates_at.clone()),
        (time(NOW + 100), time(NOW - 50 + 3600))
    );
    assert_eq!(status.previous_key_expires_at, time(NOW + 10));
    assert!(!format!("{status:?}").contains("sk-Zk3"), "{status:?}");
    assert_eq!(next_change(&status, Timestamp::UNIX_EPOCH).map(Time), time(NOW + 10));
    let (later, _) = World::new("r1").status(NOW + 10);
    assert_eq!(later.previous_key_expires_at, None, "it is over");
}

#[test]
fn a_key_that_a_pod_does_not_take_yet_is_waited_for() {
    let (status, patience) = World::new("r0").status(NOW);
    assert_eq!(
        (told(&status, ConditionType::Programmed), patience),
        ("False/PodsLagging".into(), Patience::Wait)
    );
}

#[test]
fn one_that_has_ended_or_is_suspended_is_not_ready_and_says_so() {
    let mut world = World::new("r1");
    world.object.spec.suspend = true;
    let (status, _) = world.status(NOW);
    assert_eq!(told(&status, ConditionType::Programmed), "True/AllPodsCurrent");
    assert_eq!(told(&status, ConditionType::Ready), "False/Suspended");
    assert_eq!(told(&status, ConditionType::Suspended), "True/Suspended");
    assert_eq!(told(&status, ConditionType::Reconciling), "", "it rests as it should");
    let (status, _) = world.status(NOW + 100);
    assert_eq!(told(&status, ConditionType::Expired), "True/Expired");
    assert_eq!(
        (told(&status, ConditionType::Suspended), status.summary.as_str()),
        (String::new(), "expired")
    );
}

#[test]
fn a_secret_on_its_way_is_waited_for_and_one_that_cannot_be_written_is_told() {
    let mut world = World::new("r1");
    world.manifests.secrets.clear();
    world.find(Reason::KeyNotIssued);
    let (status, patience) = world.status(NOW);
    assert_eq!((patience, status.key_id, status.secret_ref), (Patience::Wait, None, None));
    world.state.key_troubles.insert(id("bot"), "the operator may not".into());
    let (status, patience) = world.status(NOW);
    assert_eq!(
        (told(&status, ConditionType::Programmed), patience),
        ("False/SecretNotWritten".into(), Patience::Write)
    );
}

#[test]
fn a_rotation_that_cannot_be_written_is_told_and_the_key_goes_on() {
    let mut world = World::new("r1");
    world.state.key_troubles.insert(id("bot"), "the operator may not".into());
    let (status, _) = world.status(NOW);
    assert_eq!(told(&status, ConditionType::Ready), "True/Reconciled");
    assert_eq!(status.summary, "the operator may not");
}

#[test]
fn of_a_secret_that_is_not_its_own_nothing_is_told() {
    let mut world = World::new("r1");
    world.find(Reason::SecretNotOwned);
    world.manifests.secrets.get_mut(&id("bot-key")).unwrap().issue = None;
    let (status, _) = world.status(NOW);
    assert_eq!((status.key_id, status.secret_ref, status.issued_at), (None, None, None));
}

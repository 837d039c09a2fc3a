//! What a reader of mounted files can rely on.

use super::*;
use crate::{
    Access, Alert, CalendarUnit, CredentialRef, Deployment, Enforcement, FailureMode, HttpUpstream, KeyHash,
    KeyLimits, Limit, OnExceed, ReservationEstimate, Target, TargetKind, Timeouts, Unit, Upstream, Window,
};

const TIMEOUTS: Timeouts = Timeouts { connect_ms: 1, first_byte_ms: 2, stream_idle_ms: 3, request_ms: 4 };

fn object(name: &str) -> ObjectName {
    ObjectName { namespace: "ns".into(), name: name.into() }
}

fn model(name: &str, credential: Option<CredentialRef>) -> Model {
    let http = HttpUpstream {
        base_url: "https://api.example.com/v1".into(),
        dialects: vec![catalogue::Dialect::OpenaiChat],
        embeds: Some(catalogue::EmbeddingDialect::OpenaiEmbeddings),
        keeps_responses: false,
        auth: catalogue::Auth::Bearer,
        credential,
        headers: Vec::new(),
    };
    let deployment = Deployment {
        id: object(name),
        uid: String::new(),
        provider: "openai".into(),
        upstream_model: "upstream".into(),
        upstream: Upstream::Http(http),
        weight: 1,
        priority: 0,
        timeouts: TIMEOUTS,
        on_loss: crate::OnLoss::Report,
        pricing: crate::Pricing::default(),
        quirks: catalogue::Quirks::default(),
        parameters: crate::Parameters::default(),
        capacity: crate::Capacity::default(),
    };
    Model {
        name: name.into(),
        aliases: Vec::new(),
        deployments: vec![deployment],
        fallbacks: crate::Fallbacks::default(),
    }
}

fn budget(name: &str, webhook: Option<CredentialRef>) -> Budget {
    let window =
        Window::Calendar { every: CalendarUnit::Month, time_zone: "UTC".into(), start_day: Some(15) };
    let on_exceed = OnExceed::Fallback { model: "m000".into() };
    Budget {
        id: object(name),
        uid: "u".into(),
        targets: vec![Target { kind: TargetKind::Team, name: Some("red".into()), namespace: None }],
        per_target: true,
        limits: vec![Limit {
            name: "usd".into(),
            unit: Unit::NanoUsd,
            amount: crate::MAX_AMOUNT,
            window,
            on_exceed,
            soft: Some(1),
            except: vec![Target { kind: TargetKind::Team, name: None, namespace: Some("ns".into()) }],
        }],
        enforcement: Enforcement::Shadow,
        failure_mode: FailureMode::FailClosed,
        estimate: ReservationEstimate::Average,
        reservation_ttl_ms: 600_000,
        parent: Some(object("above")),
        alerts: vec![Alert { at_percent: 80, event: true, webhook }],
        reset_at: Some(1_800_000_000),
    }
}

fn virtual_key(name: &str) -> Key {
    let until = Some(1_800_000_000);
    Key {
        id: object(name),
        uid: "u".into(),
        hashes: vec![KeyHash::of(name.as_bytes()), KeyHash { until, ..KeyHash::of(b"old") }],
        display_name: Some("a key".into()),
        team: Some("red".into()),
        user: Some("ann".into()),
        models: Access { allow: vec!["gpt-*".into()], deny: vec!["gpt-5".into()] },
        expires_at: until,
        suspended: true,
        limits: KeyLimits {
            requests_per_minute: Some(1),
            tokens_per_minute: Some(2),
            max_concurrent: Some(3),
        },
        budgets: vec![object("b")],
        metadata: BTreeMap::from([("app".to_owned(), "ci".to_owned())]),
    }
}

fn config(models: Vec<Model>) -> Config {
    let settings = Settings {
        master_key: None,
        limits: crate::Limits { request_body_bytes: 1, answer_bytes: 1, stream_event_bytes: 1 },
        timeouts: TIMEOUTS,
        on_loss: crate::OnLoss::Report,
        unknown_price: crate::UnknownPrice::Allow,
        user_budgets: crate::UserBudgets::AllKeys,
        default_fallbacks: Vec::new(),
        egress: crate::Egress::default(),
        routing: crate::Routing::default(),
    };
    Config {
        gateway: object("main"),
        settings,
        models,
        budgets: Vec::new(),
        keys: Vec::new(),
        routes: Vec::new(),
    }
}

#[test]
fn what_is_packed_comes_out_again() {
    let key = CredentialRef { id: "ns.openai.apiKey".into(), version: "7".into() };
    let mut before = config((0..100).map(|n| model(&format!("m{n:03}"), Some(key.clone()))).collect());
    before.budgets = (0..100).map(|n| budget(&format!("b{n:03}"), Some(key.clone()))).collect();
    before.keys = (0..100).map(|n| virtual_key(&format!("k{n:03}"))).collect();
    let bundle = Bundle::pack(&before).unwrap();
    let delivery = Bundle::unpack(&bundle.index, |file| match file {
        "credential-ns.openai.apiKey-7" => Some(b"sk-1".to_vec()),
        shard => bundle.shards.get(shard).cloned(),
    })
    .unwrap();
    assert_eq!(delivery.config, before);
    assert_eq!(delivery.revision, bundle.revision, "both sides must name the content alike");
    assert_eq!(delivery.credentials["credential-ns.openai.apiKey-7"].expose(), b"sk-1");
}

#[test]
fn an_edit_of_one_model_changes_one_shard() {
    let mut edited = config((0..100).map(|n| model(&format!("m{n:03}"), None)).collect());
    let before = Bundle::pack(&edited).unwrap();
    edited.models[42].deployments[0].weight = 9;
    let after = Bundle::pack(&edited).unwrap();
    let new: Vec<_> = after.shards.keys().filter(|file| !before.shards.contains_key(*file)).collect();
    assert_eq!(new.len(), 1, "only the shard of the edited model may change: {new:?}");
    assert_ne!(before.revision, after.revision);
}

#[test]
fn an_edit_of_one_budget_changes_one_shard() {
    let mut edited = config(Vec::new());
    edited.budgets = (0..100).map(|n| budget(&format!("b{n:03}"), None)).collect();
    let before = Bundle::pack(&edited).unwrap();
    edited.budgets[42].limits[0].amount = 9;
    let after = Bundle::pack(&edited).unwrap();
    let new: Vec<_> = after.shards.keys().filter(|file| !before.shards.contains_key(*file)).collect();
    assert_eq!(new.len(), 1, "only the shard of the edited budget may change: {new:?}");
    assert_ne!(before.revision, after.revision);
}

#[test]
fn an_edit_of_one_of_ten_thousand_keys_changes_one_shard_and_all_fit_twice() {
    let mut edited = config(Vec::new());
    edited.keys = (0..10_000).map(|n| virtual_key(&format!("k{n:05}"))).collect();
    let before = Bundle::pack(&edited).unwrap();
    edited.keys[42].suspended = false;
    let after = Bundle::pack(&edited).unwrap();
    let new: Vec<_> = after.shards.keys().filter(|file| !before.shards.contains_key(*file)).collect();
    assert_eq!(new.len(), 1, "only the shard of the edited key may change: {new:?}");
    assert_ne!(before.revision, after.revision);
}

#[test]
fn a_webhook_that_has_not_arrived_makes_the_delivery_incomplete() {
    let mut alerting = config(Vec::new());
    let webhook = CredentialRef { id: "bpol.ns.b.alert-80".into(), version: "3".into() };
    alerting.budgets = vec![budget("b", Some(webhook))];
    let bundle = Bundle::pack(&alerting).unwrap();
    let error = Bundle::unpack(&bundle.index, |file| bundle.shards.get(file).cloned()).unwrap_err();
    assert!(error.to_string().contains("credential-bpol.ns.b.alert-80-3"), "{error}");
}

#[test]
fn a_half_written_delivery_is_refused() {
    let bundle = Bundle::pack(&config(vec![model("m", None)])).unwrap();
    let missing = Bundle::unpack(&bundle.index, |_| None).unwrap_err();
    assert!(matches!(missing, BundleError::Missing { .. }), "{missing}");
    let altered = Bundle::unpack(&bundle.index, |_| Some(b"[]".to_vec())).unwrap_err();
    assert!(matches!(altered, BundleError::Altered { .. }), "{altered}");
}

#[test]
fn a_credential_that_has_not_arrived_makes_the_delivery_incomplete() {
    let key = CredentialRef { id: "ns.openai.apiKey".into(), version: "8".into() };
    let bundle = Bundle::pack(&config(vec![model("m", Some(key))])).unwrap();
    let error = Bundle::unpack(&bundle.index, |file| bundle.shards.get(file).cloned()).unwrap_err();
    assert!(error.to_string().contains("credential-ns.openai.apiKey-8"), "{error}");
}

#[test]
fn another_version_is_refused_whatever_else_it_holds() {
    let error = Bundle::unpack(br#"{"version": 1, "shape": "unknown"}"#, |_| None).unwrap_err();
    assert!(matches!(error, BundleError::Version { found: 1 }), "{error}");
}

#[test]
fn a_shard_too_large_for_a_config_map_is_refused_before_it_is_written() {
    let models = (0..20_000).map(|n| model(&format!("{n:0200}"), None)).collect();
    let error = Bundle::pack(&config(models)).unwrap_err();
    assert!(matches!(error, BundleError::TooLarge { .. }), "{error}");
}

#[test]
fn shard_files_name_their_slot() {
    assert_eq!(shard_slot("shard-15-abc.json"), Some(15));
    assert_eq!(shard_slot("shard-16-abc.json"), None);
    assert_eq!(shard_slot("index.json"), None);
}

//! The configs: one without limits, and one with two keys of three limits each, in a team with a budget of three more.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use config::{
    Access, Budget, Bundle, CalendarUnit, Config, CredentialRef, Delivery, Deployment, Egress, Enforcement,
    FailureMode, HttpUpstream, Key, KeyHash, KeyLimits, Limit, LocalAddresses, Model, ObjectName, OnExceed,
    Rates, ReservationEstimate, Secret, Settings, Target, TargetKind, Timeouts, Unit, Upstream, Window,
};

pub(crate) const MASTER: &str = "sk-bench-master-0f9a8b7c6d5e";
pub(crate) const FAR: &str = "sk-bench-far-1a2b3c4d5e6f7788";
pub(crate) const NEAR: &str = "sk-bench-near-99aabbccddeeff0";

const MINUTE_MS: u64 = 60_000;

/// Nothing is limited.
pub(crate) fn plain(provider: SocketAddr) -> Result<Delivery> {
    delivery(provider, Vec::new(), Vec::new())
}

/// Each request of a virtual key is counted six times.
pub(crate) fn limited(provider: SocketAddr) -> Result<Delivery> {
    let keys = vec![key("far", FAR), key("near", NEAR)];
    // Of 200 at once no pod may borrow enough for four, so each request asks Redis.
    delivery(provider, keys, vec![budget("far", 1_000_000), budget("near", 200)])
}

/// As the kubelet mounts it.
pub(crate) fn write(place: &Path, delivery: &Delivery) -> Result<()> {
    let bundle = Bundle::pack(&delivery.config)?;
    let folder = place.join("..v1");
    std::fs::create_dir_all(&folder)?;
    let mut files: Vec<(String, Vec<u8>)> = bundle.shards.into_iter().collect();
    files.push((config::INDEX_FILE.to_owned(), bundle.index));
    files.extend(delivery.credentials.iter().map(|(file, secret)| (file.clone(), secret.expose().to_vec())));
    for (file, bytes) in files {
        std::fs::write(folder.join(&file), bytes)?;
        std::os::unix::fs::symlink(format!("..data/{file}"), place.join(&file))?;
    }
    std::os::unix::fs::symlink(&folder, place.join("..data"))?;
    Ok(())
}

fn named(name: &str) -> ObjectName {
    ObjectName { namespace: "bench".into(), name: name.into() }
}

const PATIENT: Timeouts =
    Timeouts { connect_ms: 5000, first_byte_ms: 30_000, stream_idle_ms: 30_000, request_ms: 60_000 };

fn settings(master: CredentialRef) -> Settings {
    Settings {
        master_key: Some(master),
        limits: config::Limits {
            request_body_bytes: 1 << 20,
            answer_bytes: 1 << 20,
            stream_event_bytes: 1 << 20,
        },
        timeouts: PATIENT,
        on_loss: config::OnLoss::Report,
        unknown_price: config::UnknownPrice::Allow,
        user_budgets: config::UserBudgets::default(),
        default_fallbacks: Vec::new(),
        // What stands in for providers listens on loopback.
        egress: Egress { local_addresses: LocalAddresses::Allowed, ..Egress::default() },
        routing: config::Routing::default(),
    }
}

fn delivery(provider: SocketAddr, keys: Vec<Key>, budgets: Vec<Budget>) -> Result<Delivery> {
    let master = CredentialRef { id: "master".into(), version: "1".into() };
    let settings = settings(master.clone());
    let http = HttpUpstream {
        base_url: format!("http://{provider}/v1"),
        dialects: vec![catalogue::Dialect::OpenaiChat],
        embeds: None,
        keeps_responses: false,
        auth: catalogue::Auth::Bearer,
        credential: None,
        headers: Vec::new(),
    };
    // 2.50 and 10 dollars for a million tokens.
    let rates =
        Rates { input: Some(2_500_000_000_000), output: Some(10_000_000_000_000), ..Rates::default() };
    let deployment = Deployment {
        id: named("gpt"),
        uid: "u".into(),
        provider: "openai".into(),
        upstream_model: "gpt-4o".into(),
        upstream: Upstream::Http(http),
        weight: 1,
        priority: 0,
        timeouts: PATIENT,
        on_loss: config::OnLoss::Report,
        pricing: config::Pricing { rates, ..config::Pricing::default() },
        quirks: catalogue::Quirks::default(),
        parameters: config::Parameters::default(),
        capacity: config::Capacity::default(),
    };
    let models = vec![Model {
        name: "gpt".into(),
        aliases: Vec::new(),
        deployments: vec![deployment],
        fallbacks: config::Fallbacks::default(),
    }];
    let credentials = BTreeMap::from([(master.file(), Secret::new(MASTER.as_bytes().to_vec()))]);
    let config = Config { gateway: named("main"), settings, models, budgets, keys, routes: Vec::new() };
    Ok(Delivery { revision: String::new(), config, credentials })
}

fn key(team: &str, material: &str) -> Key {
    Key {
        id: named(team),
        uid: "u".into(),
        hashes: vec![KeyHash::of(material.as_bytes())],
        display_name: None,
        team: Some(team.into()),
        user: None,
        models: Access::default(),
        expires_at: None,
        suspended: false,
        limits: KeyLimits {
            requests_per_minute: Some(1_000_000_000),
            tokens_per_minute: Some(1_000_000_000_000),
            max_concurrent: Some(1_000_000),
        },
        budgets: Vec::new(),
        metadata: BTreeMap::new(),
    }
}

fn budget(team: &str, at_once: u64) -> Budget {
    let limit = |name: &str, unit, amount, window| Limit {
        name: name.into(),
        unit,
        amount,
        window,
        on_exceed: OnExceed::Reject,
        soft: None,
        except: Vec::new(),
    };
    let month =
        Window::Calendar { every: CalendarUnit::Month, time_zone: "Europe/Vienna".into(), start_day: None };
    Budget {
        id: named(team),
        uid: "u".into(),
        targets: vec![Target { kind: TargetKind::Team, name: Some(team.into()), namespace: None }],
        per_target: true,
        limits: vec![
            limit("at-once", Unit::Concurrency, at_once, Window::Forever),
            limit("month", Unit::NanoUsd, config::MAX_AMOUNT, month),
            limit("tokens", Unit::OutputTokens, config::MAX_AMOUNT, Window::Rolling { ms: 60 * MINUTE_MS }),
        ],
        enforcement: Enforcement::Enforce,
        failure_mode: FailureMode::Estimate,
        estimate: ReservationEstimate::MaxTokens,
        reservation_ttl_ms: 10 * MINUTE_MS,
        parent: None,
        alerts: Vec::new(),
        reset_at: None,
    }
}

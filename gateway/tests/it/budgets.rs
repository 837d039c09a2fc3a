//! Budgets and rate limits: who is let in, what the others are told, and that no crowd passes a limit.

mod alerts;
mod fallbacks;
mod fire;
mod refusals;
mod usage;

use config::{
    Budget, CalendarUnit, Delivery, Enforcement, FailureMode, Key, KeyHash, KeyLimits, Limit, Model,
    ObjectName, OnExceed, Pricing, Rates, ReservationEstimate, Target, TargetKind, Unit, Window,
};
use gateway::RedisAt;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::harness::{Gateway, client, delivery, mock};

/// A cent in nano-dollars.
const CENT: u64 = 10_000_000;

/// A model of which each request costs a cent, whatever is said.
fn cent(name: &str) -> Model {
    priced(mock(name))
}

fn priced(mut model: Model) -> Model {
    let rates = Rates { request: Some(CENT * 1_000_000_000), ..Rates::default() };
    for deployment in &mut model.deployments {
        deployment.pricing = Pricing { rates, source: config::PriceSource::Inline, ..Pricing::default() };
    }
    model.aliases.clear();
    model
}

pub(crate) fn limit(name: &str, unit: Unit, amount: u64) -> Limit {
    let window = match unit {
        Unit::Concurrency => Window::Forever,
        _ => Window::Calendar { every: CalendarUnit::Year, time_zone: "UTC".into(), start_day: None },
    };
    Limit {
        name: name.into(),
        unit,
        amount,
        window,
        on_exceed: OnExceed::Reject,
        soft: None,
        except: Vec::new(),
    }
}

/// Of all requests together.
pub(crate) fn budget(name: &str, limits: Vec<Limit>) -> Budget {
    Budget {
        id: ObjectName { namespace: "ai".into(), name: name.into() },
        uid: String::new(),
        targets: vec![target(TargetKind::Gateway, None)],
        per_target: false,
        limits,
        enforcement: Enforcement::Enforce,
        failure_mode: FailureMode::Estimate,
        estimate: ReservationEstimate::MaxTokens,
        reservation_ttl_ms: 60_000,
        parent: None,
        alerts: Vec::new(),
        reset_at: None,
    }
}

fn target(kind: TargetKind, name: Option<&str>) -> Target {
    Target { kind, name: name.map(str::to_owned), namespace: None }
}

pub(crate) fn key(name: &str, team: &str) -> Key {
    Key {
        id: ObjectName { namespace: "ai".into(), name: name.into() },
        uid: "u".into(),
        hashes: vec![KeyHash::of(format!("sk-budgets-{name}").as_bytes())],
        display_name: None,
        team: Some(team.into()),
        user: None,
        models: config::Access::default(),
        expires_at: None,
        suspended: false,
        limits: KeyLimits::default(),
        budgets: Vec::new(),
        metadata: std::collections::BTreeMap::new(),
    }
}

fn limited(models: Vec<Model>, budgets: Vec<Budget>, keys: Vec<Key>) -> Delivery {
    let mut delivery = delivery("limited", models);
    (delivery.config.budgets, delivery.config.keys) = (budgets, keys);
    delivery
}

async fn serving(delivery: Delivery) -> Gateway {
    Gateway::counting_in(None, delivery).await
}

/// The Redis that `scripts/services up` brings, with counters of the test's own.
pub(crate) fn redis() -> Option<RedisAt> {
    let space = format!("gateway-it-{:032x}", rand::random::<u128>());
    // Longer than a gateway's own, for machines that compile at the same time.
    let patience = std::time::Duration::from_secs(10);
    Some(RedisAt { url: config::Secret::new(b"redis://127.0.0.1:54379".to_vec()), space, patience })
}

fn ask(gateway: &Gateway, key: &str, model: &str) -> RequestBuilder {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]}).to_string();
    client().post(format!("{}/v1/chat/completions", gateway.url)).bearer_auth(key).body(body)
}

async fn told(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// How many of `times` are let in, one after the other.
async fn let_in(gateway: &Gateway, key: &str, model: &str, times: usize) -> usize {
    let mut answered = 0;
    for _ in 0..times {
        answered += usize::from(told(ask(gateway, key, model)).await.0 == 200);
    }
    answered
}

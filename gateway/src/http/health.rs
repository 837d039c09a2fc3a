//! Probes, and LiteLLM's `/health`. The report comes from real traffic: asking costs no provider call.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Shared;
use super::fault::Refusal;
use crate::pipeline::{Fault, Gateway, Snapshot};

/// The process runs. Says nothing of providers: a restart would not mend those.
pub(super) async fn live() -> Json<&'static str> {
    Json("I'm alive!")
}

/// Whether to send requests here.
pub(super) async fn ready(State(gateway): Shared) -> Response<Body> {
    let unready = |reason: &str| {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unhealthy", "reason": reason})))
    };
    if gateway.is_draining() {
        return unready("draining").into_response();
    }
    let status = gateway.current.status().borrow().clone();
    match status.revision {
        None => unready(status.problem.as_deref().unwrap_or("no config yet")).into_response(),
        Some(revision) => {
            let body = json!({
                "status": "healthy", "revision": revision, "problem": status.problem, "db": database(&gateway),
            });
            Json(body).into_response()
        }
    }
}

/// LiteLLM's words. A database that is away is no reason to send requests elsewhere: other pods have no other.
fn database(gateway: &Gateway) -> &'static str {
    match (&gateway.store, gateway.store_answers.load(Ordering::Relaxed)) {
        (None, _) => "Not connected",
        (Some(_), true) => "connected",
        (Some(_), false) => "disconnected",
    }
}

/// Without a key no more than that something answers; with the master key, each deployment.
pub(super) async fn report(State(gateway): Shared, headers: HeaderMap) -> Response<Body> {
    match gateway.mastered(&headers).await {
        Ok(now) => Json(endpoints(&gateway, &now)).into_response(),
        Err(Fault::KeyMissing | Fault::NotReady) => Json(json!({"status": "healthy"})).into_response(),
        Err(fault) => Refusal::from(fault).into_response(),
    }
}

fn endpoints(gateway: &Gateway, now: &Snapshot) -> Value {
    let (mut healthy, mut unhealthy) = (Vec::new(), Vec::new());
    let now_is = Instant::now();
    for model in &now.models {
        for deployment in &model.deployments {
            let outcomes = gateway.health.of(&deployment.identity).outcomes(now_is);
            let last = match outcomes.last {
                None => "untried",
                Some(Ok(())) => "answered",
                Some(Err(_)) => "failed",
            };
            let endpoint = json!({
                "model_name": model.name, "model": deployment.upstream_model, "model_id": deployment.label,
                "provider": deployment.provider, "last_outcome": last,
                "consecutive_failures": outcomes.consecutive_failures,
                "last_fault": outcomes.last_fault.map(protocol::fault::FaultClass::name),
                "left_alone_seconds": outcomes.cools_until.map(|until| (until - now_is).as_secs_f64()),
            });
            if outcomes.consecutive_failures == 0 { healthy.push(endpoint) } else { unhealthy.push(endpoint) }
        }
    }
    let (healthy_count, unhealthy_count) = (healthy.len(), unhealthy.len());
    json!({
        "healthy_endpoints": healthy, "unhealthy_endpoints": unhealthy,
        "healthy_count": healthy_count, "unhealthy_count": unhealthy_count,
    })
}

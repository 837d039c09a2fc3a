//! The operator's own endpoints: `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::freshness::Pulses;
use crate::metrics::Metrics;

/// What the endpoints read.
#[derive(Clone)]
pub(crate) struct Probes {
    pub pulses: Pulses,
    pub metrics: Metrics,
    /// Set when shutdown begins.
    pub stopping: Arc<AtomicBool>,
}

/// The endpoints.
pub(crate) fn router(probes: Probes) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(probes)
}

/// That this answers shows that the runtime is alive; the watches may still be dead.
async fn healthz(State(probes): State<Probes>) -> (StatusCode, String) {
    let silent = probes.pulses.silent();
    if silent.is_empty() {
        return (StatusCode::OK, "ok".into());
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("silent for too long: {}", silent.join(", ")))
}

/// A standby is ready too: its index is as warm as the leader's.
async fn readyz(State(probes): State<Probes>) -> (StatusCode, &'static str) {
    if probes.stopping.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down");
    }
    if probes.pulses.all_synced() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the first lists are not complete")
    }
}

async fn metrics(State(probes): State<Probes>) -> Response {
    probes.metrics.watch_ages(&probes.pulses);
    match probes.metrics.encode() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

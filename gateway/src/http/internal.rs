//! What the operator asks. `GET /internal/config`: what serves, and why what should serve does not. `GET
//! /internal/budgets`: how full each budget is.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::Response;

use super::Shared;
use super::fault::Refusal;
use crate::pipeline::{Status, Usage};

/// No one waits longer than this, whatever they ask for.
const LONGEST: u64 = 300;

/// What the caller wants to hear about.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    wait_for: Option<String>,
    timeout: Option<u64>,
}

/// The status; with `waitFor` as soon as that revision serves or is rejected, or else after `timeout` seconds.
pub(super) async fn config(State(gateway): Shared, Query(wanted): Query<Wanted>) -> Json<Status> {
    let mut status = gateway.current.status();
    if let Some(revision) = &wanted.wait_for {
        let named = |one: &Option<String>| one.as_ref() == Some(revision);
        let patience = Duration::from_secs(wanted.timeout.unwrap_or(10).min(LONGEST));
        let settled = status.wait_for(|status| named(&status.revision) || named(&status.rejected));
        // Late or not, the answer is what there is.
        tokio::time::timeout(patience, settled).await.map(drop).ok();
    }
    let now = status.borrow().clone();
    Json(now)
}

/// How full the budgets are that this pod counts.
pub(super) async fn budgets(State(gateway): Shared) -> Result<Json<Usage>, Response<Body>> {
    let told = match gateway.snapshot() {
        Ok(now) => gateway.desk.usage(&now).await,
        Err(fault) => Err(fault),
    };
    told.map(Json).map_err(|fault| Refusal::from(fault).into_response())
}

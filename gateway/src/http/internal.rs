//! What the operator asks. `GET /internal/config`: what serves, and why what should serve does not. `GET
//! /internal/budgets`: how full each budget is. `POST /internal/simulate`: what would become of a request.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{Response, Uri};
use catalogue::Dialect;
use protocol::embeddings::Form;

use super::Shared;
use super::fault::Refusal;
use crate::pipeline::{self, Call, Fault, Intent, Simulation, Status, Task, Usage};

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

/// Which endpoint a request would go to.
#[derive(serde::Deserialize)]
pub(super) struct Supposed {
    /// Absent: chat completions.
    path: Option<String>,
}

/// What would become of the request, with its headers and its body, at the endpoint `path`.
pub(super) async fn simulate(
    State(gateway): Shared,
    Query(Supposed { path }): Query<Supposed>,
    request: Request,
) -> Result<Json<Simulation>, Response<Body>> {
    let (parts, body) = request.into_parts();
    let path = path.unwrap_or_else(|| "/v1/chat/completions".to_owned());
    let simulated = match supposed(&path) {
        Ok((intent, uri)) => {
            let call = Call { headers: parts.headers, uri, body, intent };
            Box::pin(pipeline::simulate(&gateway, call)).await
        }
        Err(fault) => Err(fault),
    };
    simulated.map(Json).map_err(|fault| Refusal::from(fault).into_response())
}

/// Of the endpoints that name their model in the body.
fn supposed(path: &str) -> Result<(Intent, Uri), Fault> {
    let rest = path.trim_start_matches("/anthropic").trim_start_matches("/v1");
    let intent = match rest {
        "/chat/completions" => Intent::of(Dialect::OpenaiChat, Task::Answer),
        "/completions" => Intent::of(Dialect::OpenaiCompletions, Task::Answer),
        "/responses" => Intent::of(Dialect::OpenaiResponses, Task::Answer),
        "/messages" => Intent::of(Dialect::Anthropic, Task::Answer),
        "/embeddings" => Intent::of(Dialect::OpenaiChat, Task::Embed(Form::Openai)),
        _ => return Err(no_endpoint()),
    };
    Ok((intent, path.parse().map_err(|_| no_endpoint())?))
}

fn no_endpoint() -> Fault {
    let why = "can be /v1/chat/completions, /v1/completions, /v1/responses, /v1/messages or /v1/embeddings";
    Fault::Query { name: "path", why: why.to_owned() }
}

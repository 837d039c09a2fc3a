//! The provider stand-in: a server that speaks OpenAI's dialect and answers from the fixtures beside it. The model's
//! name says how it behaves (`standin/behaviour.rs`), and it remembers all that it was asked (`standin/journal.rs`).
//!
//! `GET /_log?after=N` lists what it received, `POST /_control/behaviour` makes a model behave otherwise from now on,
//! `POST /_control/reset` forgets both.

mod answers;
mod behaviour;
mod journal;

pub use behaviour::Behaviour;
pub use journal::{Entry, Outcome};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures::stream;
use serde::{Deserialize, Serialize};

use answers::Ask;
use journal::{Journal, Ticket};

/// A body above this is refused: images and long prompts fit.
const MAX_BODY_BYTES: usize = 64 << 20;

/// What all calls share.
#[derive(Clone, Default)]
struct Standin {
    journal: Journal,
    overrides: Arc<Mutex<BTreeMap<String, Behaviour>>>,
}

/// The stand-in's surface. Serves any path that ends in `/chat/completions`, whatever stands before it.
pub fn router() -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/_log", get(log))
        .route("/_control/behaviour", post(behave))
        .route("/_control/reset", post(reset))
        .fallback(serve)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Standin::default())
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn log(State(standin): State<Standin>, Query(After { after }): Query<After>) -> Json<Vec<Entry>> {
    Json(standin.journal.since(after))
}

/// The body of `POST /_control/behaviour`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Override {
    /// The upstream model's name.
    pub model: String,
    /// A behaviour's name, as `fail-500`.
    pub behaviour: String,
}

async fn behave(State(standin): State<Standin>, Json(wanted): Json<Override>) -> StatusCode {
    let mut overrides = standin.overrides.lock().unwrap_or_else(PoisonError::into_inner);
    overrides.insert(wanted.model, Behaviour::of(&wanted.behaviour));
    StatusCode::NO_CONTENT
}

async fn reset(State(standin): State<Standin>) -> StatusCode {
    standin.overrides.lock().unwrap_or_else(PoisonError::into_inner).clear();
    standin.journal.clear();
    StatusCode::NO_CONTENT
}

async fn serve(
    State(standin): State<Standin>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let ticket = standin.journal.open(&method, &uri, &headers, &body);
    if method != Method::POST || !uri.path().ends_with("/chat/completions") {
        ticket.close();
        return (StatusCode::NOT_FOUND, Json(answers::error("no such path"))).into_response();
    }
    let Ok(ask) = serde_json::from_slice::<Ask>(&body) else {
        ticket.close();
        return (StatusCode::BAD_REQUEST, Json(answers::error("the body is no chat request")))
            .into_response();
    };
    let overridden = {
        let overrides = standin.overrides.lock().unwrap_or_else(PoisonError::into_inner);
        overrides.get(&ask.model).copied()
    };
    let behaviour = overridden.unwrap_or_else(|| Behaviour::of(&ask.model));
    answer(&ask, behaviour, ticket).await
}

async fn answer(ask: &Ask, behaviour: Behaviour, ticket: Ticket) -> Response {
    match behaviour {
        Behaviour::Hang => {
            let _held = ticket; // Dropped, and so noted as a hang-up, when the caller leaves.
            std::future::pending().await
        }
        Behaviour::Fail(code) => {
            ticket.close();
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let wait = [(header::RETRY_AFTER, "7")];
            (status, wait, Json(answers::error("the stand-in was told to fail"))).into_response()
        }
        Behaviour::Garbage => {
            ticket.close();
            let html = [(header::CONTENT_TYPE, "application/json")];
            (html, "<html>this is not what you asked for</html>").into_response()
        }
        _ if ask.stream => events(ask, behaviour, ticket),
        _ => whole(ask, behaviour, ticket).await,
    }
}

async fn whole(ask: &Ask, behaviour: Behaviour, ticket: Ticket) -> Response {
    if let Behaviour::Slow { chunks, pause } = behaviour {
        tokio::time::sleep(pause * chunks).await;
    }
    let text = answers::whole(ask, behaviour);
    if behaviour == Behaviour::Cut {
        let half = text.len() / 2;
        let parts = vec![Bytes::from(text).slice(..half)];
        return cut_after(parts, Duration::ZERO, "application/json", ticket);
    }
    ticket.close();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn events(ask: &Ask, behaviour: Behaviour, ticket: Ticket) -> Response {
    let frames = answers::frames(ask, behaviour);
    let pause = match behaviour {
        Behaviour::Slow { pause, .. } => pause,
        _ => Duration::ZERO,
    };
    match behaviour {
        Behaviour::Cut => {
            let few = frames.into_iter().take(3).collect();
            cut_after(few, Duration::from_millis(10), "text/event-stream", ticket)
        }
        Behaviour::HangStream => {
            let first = stream::iter(frames.into_iter().take(1).map(Ok::<_, std::io::Error>));
            let rest = stream::once(async move {
                let _held = ticket;
                std::future::pending().await
            });
            body("text/event-stream", Body::from_stream(futures::StreamExt::chain(first, rest)))
        }
        _ => {
            let state = (frames.into_iter(), ticket);
            let paced = stream::unfold(state, move |(mut left, ticket)| async move {
                tokio::time::sleep(pause).await;
                match left.next() {
                    Some(frame) => Some((Ok::<_, std::io::Error>(frame), (left, ticket))),
                    None => {
                        ticket.close();
                        None
                    }
                }
            });
            body("text/event-stream", Body::from_stream(paced))
        }
    }
}

/// Sends `parts` and then breaks the connection without the ending that HTTP asks for.
fn cut_after(parts: Vec<Bytes>, pause: Duration, content_type: &'static str, ticket: Ticket) -> Response {
    let state = (parts.into_iter(), Some(ticket));
    let broken = stream::unfold(state, move |(mut left, ticket)| async move {
        let ticket = ticket?;
        tokio::time::sleep(pause).await;
        if let Some(part) = left.next() {
            return Some((Ok(part), (left, Some(ticket))));
        }
        ticket.close();
        Some((Err(std::io::Error::other("cut on purpose")), (left, None)))
    });
    body(content_type, Body::from_stream(broken))
}

fn body(content_type: &'static str, body: Body) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}

//! The surface: routes and what they have in common. Each endpoint is a file, and `reply.rs` what they
//! share; `fault.rs` alone knows which status a fault has. The work is done in `pipeline.rs`.

mod anthropic;
mod fault;
mod gemini;
mod health;
mod internal;
mod metrics;
mod models;
mod openai;
mod reply;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONNECTION, HeaderValue};
use axum::middleware::map_response_with_state;
use axum::response::Response;
use axum::routing::{get, post};

use crate::pipeline::Gateway;
use openai::responses::kept;

/// What every handler gets.
type Shared = State<Arc<Gateway>>;

/// The listener for clients.
pub(crate) fn client_router(gateway: Arc<Gateway>) -> Router {
    let mut router = Router::new();
    // LiteLLM serves everything with and without `/v1`, and clients use both.
    for prefix in ["", "/v1"] {
        let path = |rest: &str| format!("{prefix}{rest}");
        router = router
            .route(&path("/chat/completions"), post(openai::chat::completions))
            .route(&path("/completions"), post(openai::completions::create))
            .route(&path("/embeddings"), post(openai::embeddings::create))
            .route(&path("/responses"), post(openai::responses::create))
            .route(&path("/responses/{id}"), get(kept::fetch).delete(kept::delete))
            .route(&path("/responses/{id}/cancel"), post(kept::cancel))
            .route(&path("/responses/{id}/input_items"), get(kept::input_items));
    }
    // Google's SDK asks at `/v1` too, since its release 3.
    for prefix in ["", "/v1", "/v1beta"] {
        let path = |rest: &str| format!("{prefix}{rest}");
        router = router
            .route(&path("/models"), get(models::list))
            .route(&path("/models/{*id}"), get(models::one).post(gemini::generate::act));
    }
    for prefix in ["/v1", "/anthropic/v1"] {
        let path = |rest: &str| format!("{prefix}{rest}");
        router = router
            .route(&path("/messages"), post(anthropic::messages::create))
            .route(&path("/messages/count_tokens"), post(anthropic::messages::count_tokens));
    }
    router = router.route("/health", get(health::report)).route("/metrics", get(metrics::for_clients));
    finished(router.merge(probes()), gateway)
}

/// The listener for the operator, probes and scrapers. It asks for no key: the pod's network policy guards it.
pub(crate) fn admin_router(gateway: Arc<Gateway>) -> Router {
    let router = Router::new()
        .route("/internal/config", get(internal::config))
        .route("/internal/budgets", get(internal::budgets))
        .route("/internal/simulate", post(internal::simulate))
        .route("/metrics", get(metrics::for_scrapers))
        .route("/health", get(health::report));
    finished(router.merge(probes()), gateway)
}

fn probes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/health/liveliness", get(health::live))
        .route("/health/liveness", get(health::live))
        .route("/health/readiness", get(health::ready))
}

fn finished(router: Router<Arc<Gateway>>, gateway: Arc<Gateway>) -> Router {
    router
        .fallback(fault::no_such_path)
        .method_not_allowed_fallback(fault::wrong_method)
        // The limit is the config's, and the pipeline keeps it.
        .layer(DefaultBodyLimit::disable())
        .layer(map_response_with_state(Arc::clone(&gateway), part_while_draining))
        .with_state(gateway)
}

/// Tells clients of a draining gateway to come back on a new connection, which leads to another pod. A connection
/// that is closed while it waits for its next request may be closed in the moment that one is sent.
async fn part_while_draining(State(gateway): Shared, mut response: Response) -> Response {
    // HTTP/2 has no such header, and hyper leaves it out there: its GOAWAY says the same.
    if gateway.is_draining() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

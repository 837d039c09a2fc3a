//! `/metrics`. On the clients' port it needs the key: labels name models and deployments.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, header};

use super::Shared;
use super::fault::Refusal;
use crate::pipeline::Gateway;

/// For those who hold the master key.
pub(super) async fn for_clients(State(gateway): Shared, headers: HeaderMap) -> Response<Body> {
    match gateway.mastered(&headers).await {
        Ok(_) => page(&gateway),
        Err(fault) => Refusal::from(fault).into_response(),
    }
}

/// On the admin port.
pub(super) async fn for_scrapers(State(gateway): Shared) -> Response<Body> {
    page(&gateway)
}

fn page(gateway: &Gateway) -> Response<Body> {
    let mut response = Response::new(Body::from(gateway.metrics.render()));
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

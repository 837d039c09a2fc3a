//! `GET /v1/models` and `GET /v1/models/{id}`. Ids may have slashes.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, header};

use super::super::Shared;
use super::super::fault::{Refusal, unknown_model};

/// All names that can be asked for, aliases too, sorted.
pub(in super::super) async fn list(State(gateway): Shared, headers: HeaderMap) -> Response<Body> {
    match gateway.identified(&headers) {
        Ok(now) => json(now.listing.clone().into()),
        Err(fault) => Refusal::from(fault).into_response(),
    }
}

/// One of them.
pub(in super::super) async fn one(
    State(gateway): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    match gateway.identified(&headers) {
        Ok(now) => {
            now.listed(&id).map_or_else(|| unknown_model(&id).into_response(), |entry| json(entry.into()))
        }
        Err(fault) => Refusal::from(fault).into_response(),
    }
}

fn json(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

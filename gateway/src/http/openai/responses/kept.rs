//! `GET` and `DELETE /v1/responses/{id}`, `POST /v1/responses/{id}/cancel`, `GET /v1/responses/{id}/input_items`.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response};

use super::super::super::Shared;
use super::super::super::reply::errand;
use crate::pipeline::{Deed, Errand};

/// In order, as written: names may come several times.
type Asked = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The response, whole or as a stream.
pub(in super::super::super) async fn fetch(
    State(gateway): Shared,
    Path(id): Path<String>,
    asked: Asked,
    headers: HeaderMap,
) -> Response<Body> {
    errand(&gateway, to(Deed::Fetch, id, asked, headers)).await
}

/// Forgets it.
pub(in super::super::super) async fn delete(
    State(gateway): Shared,
    Path(id): Path<String>,
    asked: Asked,
    headers: HeaderMap,
) -> Response<Body> {
    errand(&gateway, to(Deed::Delete, id, asked, headers)).await
}

/// Stops one that is made in the background.
pub(in super::super::super) async fn cancel(
    State(gateway): Shared,
    Path(id): Path<String>,
    asked: Asked,
    headers: HeaderMap,
) -> Response<Body> {
    errand(&gateway, to(Deed::Cancel, id, asked, headers)).await
}

/// What it was made from.
pub(in super::super::super) async fn input_items(
    State(gateway): Shared,
    Path(id): Path<String>,
    asked: Asked,
    headers: HeaderMap,
) -> Response<Body> {
    errand(&gateway, to(Deed::ListInput, id, asked, headers)).await
}

fn to(deed: Deed, id: String, asked: Asked, headers: HeaderMap) -> Errand {
    // A query that cannot be read asks for nothing.
    let query = asked.map(|Query(asked)| asked).unwrap_or_default();
    Errand { headers, id, deed, query }
}

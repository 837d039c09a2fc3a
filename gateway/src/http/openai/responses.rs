//! `POST /v1/responses`; `responses/kept.rs` has what can be done with a response afterwards.

pub(in super::super) mod kept;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use catalogue::Dialect;

use super::super::Shared;
use super::super::reply::{Framing, reply};
use crate::pipeline::{Intent, Task};

/// Answers, as a whole or as a stream.
pub(in super::super) async fn create(State(gateway): Shared, request: Request) -> Response<Body> {
    reply(&gateway, request, Intent::of(Dialect::OpenaiResponses, Task::Answer), Framing::Events).await
}

//! `POST /v1/messages` and `POST /v1/messages/count_tokens`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use catalogue::Dialect;

use super::super::Shared;
use super::super::reply::{Framing, reply};
use crate::pipeline::{Intent, Task};

/// Answers, as a whole or as a stream.
pub(in super::super) async fn create(State(gateway): Shared, request: Request) -> Response<Body> {
    reply(&gateway, request, Intent::of(Dialect::Anthropic, Task::Answer), Framing::Events).await
}

/// Tells how many tokens a request has.
pub(in super::super) async fn count_tokens(State(gateway): Shared, request: Request) -> Response<Body> {
    reply(&gateway, request, Intent::of(Dialect::Anthropic, Task::Count), Framing::Events).await
}

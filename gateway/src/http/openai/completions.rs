//! `POST /v1/completions`: OpenAI's older API, which continues one text.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use catalogue::Dialect;

use super::super::Shared;
use super::super::reply::{Framing, reply};
use crate::pipeline::{Intent, Task};

/// Answers, as a whole or as a stream.
pub(in super::super) async fn create(State(gateway): Shared, request: Request) -> Response<Body> {
    reply(&gateway, request, Intent::of(Dialect::OpenaiCompletions, Task::Answer), Framing::Events).await
}

//! `POST /v1/embeddings`.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use catalogue::Dialect;
use protocol::embeddings::Form;

use super::super::Shared;
use super::super::reply::{Framing, reply};
use crate::pipeline::{Intent, Task};

/// Makes vectors of texts. Its errors are written as those of chat.
pub(in super::super) async fn create(State(gateway): Shared, request: Request) -> Response<Body> {
    let intent = Intent::of(Dialect::OpenaiChat, Task::Embed(Form::Openai));
    reply(&gateway, request, intent, Framing::Events).await
}

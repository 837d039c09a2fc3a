//! `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens`, `:embedContent` and
//! `:batchEmbedContents`. Models' names may have slashes. The key may stand in the query.
//! Source: ai.google.dev/api/generate-content, ai.google.dev/api/embeddings, read 2026-11-21.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, Uri};
use catalogue::Dialect;
use protocol::embeddings::Form;

use super::super::Shared;
use super::super::fault::no_such_action;
use super::super::reply::{Framing, reply};
use crate::pipeline::{Intent, Named, Task};

const KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Puts the key in `uri`'s query, if there is one, where keys are looked for.
pub(in super::super) fn keyed(uri: &Uri, headers: &mut HeaderMap) -> bool {
    let key = Query::<Asked>::try_from_uri(uri).ok().and_then(|Query(asked)| asked.key);
    let is_there = key.is_some();
    present(key, headers);
    is_there
}

/// What may stand in the query.
#[derive(Default, serde::Deserialize)]
pub(in super::super) struct Asked {
    key: Option<String>,
    alt: Option<String>,
}

/// Does what the path asks for.
pub(in super::super) async fn act(
    State(gateway): Shared,
    Path(rest): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
    mut request: Request,
) -> Response<Body> {
    // A query that cannot be read asks for nothing.
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let Some((model, action)) = rest.rsplit_once(':') else { return no_such_action(&rest) };
    let (task, stream) = match action {
        "generateContent" => (Task::Answer, false),
        "streamGenerateContent" => (Task::Answer, true),
        "countTokens" => (Task::Count, false),
        "embedContent" => (Task::Embed(Form::GeminiOne), false),
        "batchEmbedContents" => (Task::Embed(Form::GeminiBatch), false),
        _ => return no_such_action(&rest),
    };
    present(asked.key, request.headers_mut());
    let framing = if asked.alt.as_deref() == Some("sse") { Framing::Events } else { Framing::List };
    let named = Some(Named { model: model.to_owned(), stream });
    reply(&gateway, request, Intent { dialect: Dialect::Gemini, task, named }, framing).await
}

/// Puts the query's key where keys are looked for, unless there is one.
fn present(key: Option<String>, headers: &mut HeaderMap) {
    let value = key.and_then(|key| HeaderValue::try_from(key).ok());
    if let Some(mut value) = value {
        value.set_sensitive(true);
        headers.entry(KEY).or_insert(value);
    }
}

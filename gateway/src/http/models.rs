//! `GET /v1/models` and `GET /v1/models/{id}`, `/v1beta/models` too. OpenAI's, Anthropic's and Google's SDKs all ask there,
//! so the answer is in the language of who asks, told by the headers that only its SDKs send. Ids may have slashes.
//! Sources: platform.openai.com/docs/api-reference/models, platform.claude.com/docs/en/api/models, ai.google.dev/api/models,
//! read 2026-11-25.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, Uri, header};
use catalogue::Dialect;
use serde_json::{Value, json};

use super::Shared;
use super::fault::{Refusal, unknown_model};
use super::gemini::keyed;

/// When a model was made: LiteLLM's constant, since clients insist on a time.
const CREATED: &str = "2023-02-28T18:56:42Z";

/// All names that the caller may ask for, aliases too, sorted.
pub(super) async fn list(State(gateway): Shared, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let (headers, dialect) = asker(&uri, headers);
    match gateway.identified(&headers, uri.path()).await {
        Ok((now, caller)) => json(match dialect {
            Dialect::Anthropic => anthropic_list(now.names(caller.access())).to_string().into(),
            Dialect::Gemini => gemini_list(now.names(caller.access())).to_string().into(),
            Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::OpenaiResponses => {
                now.listing(caller.access()).into()
            }
        }),
        Err(fault) => Refusal::from(fault).told_in(dialect).into_response(),
    }
}

/// One of them.
pub(super) async fn one(
    State(gateway): Shared,
    uri: Uri,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let (headers, dialect) = asker(&uri, headers);
    let (now, caller) = match gateway.identified(&headers, uri.path()).await {
        Ok(known) => known,
        Err(fault) => return Refusal::from(fault).told_in(dialect).into_response(),
    };
    let Some(entry) = now.listed(&id, caller.access()) else {
        return unknown_model(&id).told_in(dialect).into_response();
    };
    match dialect {
        Dialect::Anthropic => json(anthropic(&id).to_string().into()),
        Dialect::Gemini => json(gemini(&id).to_string().into()),
        Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::OpenaiResponses => json(entry.into()),
    }
}

/// The headers with the key that may stand in a query of Google's, and whose SDK asks.
fn asker(uri: &Uri, mut headers: HeaderMap) -> (HeaderMap, Dialect) {
    let has_key = keyed(uri, &mut headers);
    let is_googles = has_key
        || uri.path().starts_with("/v1beta/")
        || ["x-goog-api-key", "x-goog-api-client"].into_iter().any(|name| headers.contains_key(name));
    let dialect = match headers.contains_key("anthropic-version") {
        _ if is_googles => Dialect::Gemini,
        true => Dialect::Anthropic,
        false => Dialect::OpenaiChat,
    };
    (headers, dialect)
}

fn anthropic(name: &str) -> Value {
    json!({"type": "model", "id": name, "display_name": name, "created_at": CREATED, "lifecycle": "active"})
}

fn anthropic_list(names: Vec<&str>) -> Value {
    let (first, last) = (names.first(), names.last());
    let data: Vec<_> = names.iter().map(|name| anthropic(name)).collect();
    json!({"data": data, "has_more": false, "first_id": first, "last_id": last})
}

fn gemini(name: &str) -> Value {
    json!({
        "name": format!("models/{name}"),
        "displayName": name,
        "version": "1",
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    })
}

fn gemini_list(names: Vec<&str>) -> Value {
    json!({"models": names.into_iter().map(gemini).collect::<Vec<_>>()})
}

fn json(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

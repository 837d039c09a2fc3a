//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use uuid::Uuid;

use super::super::Shared;
use super::super::fault::Refusal;
use crate::pipeline::{self, Call, Record, Reply, ReplyBody};

/// Answers, as a whole or as a stream.
pub(in super::super) async fn completions(State(gateway): Shared, request: Request) -> Response<Body> {
    let mut record = Record::begin(Uuid::now_v7().to_string(), Arc::clone(&gateway.metrics));
    let id = record.id.clone();
    let (parts, body) = request.into_parts();
    let call = Call { headers: parts.headers, body };
    let mut response = match Box::pin(pipeline::serve(&gateway, call, &mut record)).await {
        Ok(reply) => answer(reply, record),
        Err(fault) => {
            let refusal = Refusal::from(fault);
            record.refused(refusal.status.as_u16(), refusal.code);
            refusal.into_response()
        }
    };
    identify(response.headers_mut(), &id);
    response
}

fn answer(reply: Reply, mut record: Record) -> Response<Body> {
    record.begins(StatusCode::OK.as_u16());
    let body = match reply.body {
        ReplyBody::Whole { body, usage } => {
            record.used(usage);
            record.sends(body.len());
            record.answered();
            Body::from(body)
        }
        ReplyBody::Stream(pieces) => Body::from_stream(pipeline::wrap(pieces, record)),
    };
    let mut response = Response::new(body);
    *response.headers_mut() = reply.headers;
    if let Ok(deployment) = HeaderValue::from_str(&reply.deployment) {
        response.headers_mut().insert(HeaderName::from_static("x-litellm-model-id"), deployment);
    }
    response
}

/// Names the call. The provider's own `x-request-id` stays, since its support asks for it.
fn identify(headers: &mut HeaderMap, id: &str) {
    let Ok(value) = HeaderValue::from_str(id) else { return };
    headers.insert(HeaderName::from_static("x-fairlead-request-id"), value.clone());
    headers.insert(HeaderName::from_static("x-litellm-call-id"), value.clone());
    headers.entry(HeaderName::from_static("x-request-id")).or_insert(value);
}

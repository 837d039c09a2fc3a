//! What every endpoint that asks a model has in common: the call, its record, and the answer's headers.

use std::fmt::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use catalogue::Dialect;
use uuid::Uuid;

use super::fault::Refusal;
use super::gemini;
use crate::pipeline::{self, Call, Errand, Fault, Gateway, Intent, Record, Reply, ReplyBody};

/// The fields that a translation could not carry.
const LOSSES: HeaderName = HeaderName::from_static("x-fairlead-losses");

/// Marks numbers that no provider has told.
const ESTIMATE: HeaderName = HeaderName::from_static("x-fairlead-estimate");

/// What an answer costs, in dollars: our name, and the one that LiteLLM's users read.
const COST: [&str; 2] = ["x-fairlead-cost-usd", "x-litellm-response-cost"];

/// Longer lists of losses are cut.
const LOSSES_BYTES: usize = 1 << 10;

/// How a stream is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-sent events.
    Events,
    /// One JSON list.
    List,
}

/// Serves one call.
pub(super) async fn reply(
    gateway: &Arc<Gateway>,
    request: Request,
    intent: Intent,
    framing: Framing,
) -> Response<Body> {
    let (record, dialect) = (begin(gateway), intent.dialect);
    let (parts, body) = request.into_parts();
    let call = Call { headers: parts.headers, uri: parts.uri, body, intent };
    let (served, record) = pipeline::attend(gateway, call, record).await;
    told(served, record, dialect, framing).await
}

/// Does one errand to a response that somebody keeps.
pub(super) async fn errand(gateway: &Arc<Gateway>, errand: Errand) -> Response<Body> {
    let mut record = begin(gateway);
    let served = Box::pin(pipeline::run(gateway, errand, &mut record)).await;
    told(served, record, Dialect::OpenaiResponses, Framing::Events).await
}

fn begin(gateway: &Gateway) -> Record {
    Record::begin(Uuid::now_v7().to_string(), Arc::clone(&gateway.metrics))
}

async fn told(
    served: Result<Reply, Fault>,
    mut record: Record,
    dialect: Dialect,
    framing: Framing,
) -> Response<Body> {
    let id = record.id.clone();
    let way = way(&record);
    let mut response = match served {
        Ok(reply) => answer(reply, record, framing).await,
        Err(fault) => {
            let refusal = Refusal::from(fault).told_in(dialect);
            record.refused(refusal.status.as_u16(), refusal.code);
            record.settled().await;
            refusal.into_response()
        }
    };
    response.headers_mut().extend(way);
    identify(response.headers_mut(), &id);
    response
}

async fn answer(reply: Reply, mut record: Record, framing: Framing) -> Response<Body> {
    record.begins(StatusCode::OK.as_u16());
    record.lost(reply.losses.len());
    let mut headers = reply.headers;
    let body = match (reply.body, framing) {
        (ReplyBody::Whole { body, usage }, _) => {
            match usage {
                Some(usage) if reply.is_estimate => record.estimated(usage),
                usage => record.used(usage),
            }
            record.sends(body.len());
            record.answered();
            headers.extend(cost(&record));
            record.settled().await;
            Body::from(body)
        }
        (ReplyBody::Stream { pieces, passage, keep }, Framing::Events) => {
            Body::from_stream(pipeline::wrap(pieces, passage, keep, record, reply.question))
        }
        (ReplyBody::Stream { pieces, passage, keep }, Framing::List) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Body::from_stream(gemini::as_list(pipeline::wrap(pieces, passage, keep, record, reply.question)))
        }
    };
    if reply.is_estimate {
        headers.insert(ESTIMATE, HeaderValue::from_static("true"));
    }
    let deployment = reply.deployment.and_then(|label| HeaderValue::try_from(label).ok());
    headers.extend(deployment.map(|label| (HeaderName::from_static("x-litellm-model-id"), label)));
    headers.extend(losses(&reply.losses).map(|fields| (LOSSES, fields)));
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

/// What a whole answer costs, where it is known. Of a stream nobody knows when its headers go out.
fn cost(record: &Record) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
    let dollars = record.cost().and_then(|cost| HeaderValue::try_from(cost.to_string()).ok());
    dollars
        .into_iter()
        .flat_map(|dollars| COST.map(HeaderName::from_static).map(|name| (name, dollars.clone())))
}

/// What it took to answer: further calls of deployments, other models, and the model asked last. LiteLLM's names.
fn way(record: &Record) -> Vec<(HeaderName, HeaderValue)> {
    let Some((model, retries, fallbacks)) = record.way() else { return Vec::new() };
    let mut way = vec![
        (HeaderName::from_static("x-litellm-attempted-retries"), HeaderValue::from(retries)),
        (HeaderName::from_static("x-litellm-attempted-fallbacks"), HeaderValue::from(fallbacks)),
    ];
    let model = HeaderValue::try_from(model).ok();
    way.extend(model.map(|model| (HeaderName::from_static("x-litellm-model-group"), model)));
    way
}

/// The fields' names with commas between. What no header can carry is shown as `?`: clients make up keys.
fn losses(fields: &[String]) -> Option<HeaderValue> {
    let mut text = String::new();
    for field in fields {
        if text.len() + field.len() > LOSSES_BYTES - 5 {
            text.push_str(if text.is_empty() { "..." } else { ",..." });
            break;
        }
        let comma = if text.is_empty() { "" } else { "," };
        let field = field.replace(|c: char| !c.is_ascii_graphic() || c == ',', "?");
        write!(text, "{comma}{field}").ok()?;
    }
    if text.is_empty() { None } else { HeaderValue::try_from(text).ok() }
}

/// Names the call. The provider's own `x-request-id` stays, since its support asks for it.
fn identify(headers: &mut HeaderMap, id: &str) {
    let Ok(value) = HeaderValue::from_str(id) else { return };
    headers.insert(HeaderName::from_static("x-fairlead-request-id"), value.clone());
    headers.insert(HeaderName::from_static("x-litellm-call-id"), value.clone());
    headers.entry(HeaderName::from_static("x-request-id")).or_insert(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: &[&str]) -> Option<String> {
        let fields: Vec<_> = fields.iter().map(|field| (*field).to_owned()).collect();
        losses(&fields).map(|value| value.to_str().expect("ASCII").to_owned())
    }

    #[test]
    fn losses_are_named_as_far_as_a_header_can() {
        assert_eq!(told(&[]), None);
        assert_eq!(told(&["seed", "a b,é"]).as_deref(), Some("seed,a?b??"));
        let many = told(&["x"; 2000]).expect("many");
        assert!(many.len() <= LOSSES_BYTES && many.ends_with("x,..."), "{}", many.len());
    }
}

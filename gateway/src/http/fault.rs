//! What a client is told when a call is not answered: the only place that knows status codes. The envelope is that
//! of the client's language, so that its SDKs raise the right exception.
//! Sources: platform.openai.com/docs/guides/error-codes, docs.anthropic.com/en/api/errors,
//! ai.google.dev/gemini-api/docs/troubleshooting, read 2026-11-21.

mod keys;
mod limits;
mod responses;

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use bytes::Bytes;
use catalogue::Dialect;
use protocol::allowance::Allowance;
use protocol::dialects::{DecodeError, encode_fault, encode_no_thread};
use protocol::fault::{FaultClass, openai_error};

use crate::pipeline::{CannotEmbed, Fault, Lossy, UpstreamFault};

/// A fault as an answer.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// For programs; also what the access log says.
    pub(super) code: &'static str,
    /// What the envelopes of other languages than OpenAI's are made from.
    class: FaultClass,
    kind: &'static str,
    param: Option<Cow<'static, str>>,
    message: Cow<'static, str>,
    headers: HeaderMap,
    /// How much is left, for headers.
    allowance: Option<Allowance>,
    /// The provider's own words, relayed as they are.
    relayed: Option<Bytes>,
    /// The client's language.
    dialect: Dialect,
}

const INVALID: &str = "invalid_request_error";
const AUTH: &str = "authentication_error";
const UPSTREAM: &str = "upstream_error";

/// A conversation that Anthropic shall keep, where another provider answers. Its SDKs then send all of it themselves.
const NO_THREADS: &str = "thread_unsupported_request";

/// What is longer, in characters, stands in no message.
const SHORT: usize = 200;

impl Refusal {
    fn new(
        status: StatusCode,
        kind: &'static str,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (message, headers) = (message.into(), HeaderMap::new());
        let (class, dialect) = (FaultClass::of_status(status.as_u16()), Dialect::OpenaiChat);
        Self {
            status,
            code,
            class,
            kind,
            param: None,
            message,
            headers,
            allowance: None,
            relayed: None,
            dialect,
        }
    }

    fn about(self, param: impl Into<Cow<'static, str>>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    fn classed(self, class: FaultClass) -> Self {
        Self { class, ..self }
    }

    /// For a client of this language. Gemini's envelope repeats the status, so it must be one that Google has.
    pub(super) fn told_in(self, dialect: Dialect) -> Self {
        let is_ours = self.relayed.is_none();
        let status =
            if dialect == Dialect::Gemini && is_ours { google_status(self.class) } else { self.status };
        Self { dialect, status, ..self }
    }

    fn with(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    /// The answer.
    pub(super) fn into_response(self) -> Response<Body> {
        let body = self.relayed.clone().unwrap_or_else(|| self.envelope().into());
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if let Some(allowance) = self.allowance {
            response.headers_mut().extend(limits::headers(&allowance, self.dialect));
        }
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    fn envelope(&self) -> String {
        match self.dialect {
            Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiCompletions => {
                openai_error(&self.message, self.kind, self.param.as_deref(), self.code)
            }
            Dialect::Anthropic if self.code == NO_THREADS => encode_no_thread(&self.message),
            dialect => encode_fault(dialect, self.class, &self.message),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotReady => not_ready(),
            Fault::Unaccountable => unaccountable(),
            Fault::KeyMissing => unauthorized(
                "invalid_api_key",
                "no API key was sent: set the header 'Authorization: Bearer <key>', or your SDK's own",
            ),
            Fault::KeyMalformed => unauthorized(
                "invalid_api_key",
                "the Authorization header is malformed: it must be 'Bearer <key>'",
            ),
            Fault::KeyWrong => unauthorized("invalid_api_key", "the API key is not valid"),
            Fault::KeyShut { key, shut } => keys::shut(&key, shut),
            Fault::MasterOnly { key } => keys::master_only(&key),
            Fault::KeysAway => keys::away(),
            Fault::ModelDenied { key, model, whose } => keys::model_denied(&key, &model, whose),
            Fault::RouteDenied { key, path } => keys::route_denied(&key, &path),
            Fault::CustomerBlocked(customer) => keys::customer_blocked(&customer),
            Fault::BodyTooLarge(limit) => {
                let message =
                    format!("the request body is larger than the {limit} bytes that this gateway takes");
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, INVALID, "request_too_large", message)
            }
            Fault::BodyCut => {
                let message = "the request body did not arrive whole and in time";
                Self::new(StatusCode::REQUEST_TIMEOUT, INVALID, "request_incomplete", message)
                    .classed(FaultClass::InvalidRequest)
            }
            Fault::Unreadable(error) => unreadable(&error),
            Fault::Undecodable(error) => undecodable(error),
            Fault::Lossy(lossy) => too_lossy(lossy),
            Fault::CannotEmbed(who) => cannot_embed(&who),
            Fault::Unpriced { deployment, upstream_model } => unpriced(&deployment, &upstream_model),
            Fault::OverLimit(over) => limits::over(&over),
            Fault::LimitsAway(owner) => limits::away(&owner),
            Fault::UnknownModel(name) => unknown_model(&name),
            Fault::NoResponse(none) => responses::none(&none),
            Fault::StoreAway => responses::store_away(),
            Fault::NoBackground(deployment) => responses::no_background(&deployment),
            Fault::NotCancellable(id) => responses::not_cancellable(&id),
            Fault::Query { name, why } => {
                let message = format!("'{name}' in the query: {why}");
                Self::new(StatusCode::BAD_REQUEST, INVALID, "invalid_value", message).about(name)
            }
            Fault::NoTarget(route) => no_target(&route),
            Fault::Upstream { deployment, fault } => upstream(&deployment, fault),
        }
    }
}

fn not_ready() -> Refusal {
    unavailable("not_ready", "the gateway has no configuration yet; try again soon", "2")
}

/// Serving it would be free, or lost.
fn unaccountable() -> Refusal {
    let message = "the gateway cannot account for more requests: its spool is full or cannot be written, since the \
                   database or the disk is away; try again soon";
    unavailable("accounting_unavailable", message, "5")
}

/// What the gateway needs is away; after so many seconds it may be back.
fn unavailable(
    code: &'static str,
    message: impl Into<Cow<'static, str>>,
    retry_after: &'static str,
) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", code, message)
        .classed(FaultClass::Unreachable)
        .with(header::RETRY_AFTER, retry_after)
}

/// What a client called something, as far as it fits into a message.
fn short(text: &str) -> &str {
    text.char_indices().nth(SHORT).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

fn no_target(route: &str) -> Refusal {
    let message =
        format!("no target of route '{route}' is one of this request: none of their conditions holds");
    Refusal::new(StatusCode::BAD_REQUEST, INVALID, "no_target", message).about("model")
}

fn unauthorized(code: &'static str, message: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, AUTH, code, message).with(header::WWW_AUTHENTICATE, "Bearer")
}

fn unreadable(error: &protocol::scan::ScanError) -> Refusal {
    use protocol::scan::ScanError as E;
    let (code, param) = match error {
        E::NotJson { .. } | E::NotObject => ("invalid_json", None),
        E::DuplicateKey { .. } => ("duplicate_key", None),
        E::ModelMissing => ("missing_required_parameter", Some("model")),
        E::ModelNotString => ("invalid_type", Some("model")),
        E::StreamNotBoolean => ("invalid_type", Some("stream")),
        E::OtherModel { .. } => ("invalid_value", Some("model")),
        E::StoreNotBoolean => ("invalid_type", Some("store")),
        E::BackgroundNotBoolean => ("invalid_type", Some("background")),
        E::PreviousNotString => ("invalid_type", Some("previous_response_id")),
    };
    let refusal = Refusal::new(StatusCode::BAD_REQUEST, INVALID, code, error.to_string());
    Refusal { param: param.map(Cow::Borrowed), ..refusal }
}

fn undecodable(error: DecodeError) -> Refusal {
    let (field, message) = (error.field.clone(), format!("the request cannot be understood: {error}"));
    Refusal::new(StatusCode::BAD_REQUEST, INVALID, "invalid_value", message).about(field)
}

fn too_lossy(lossy: Lossy) -> Refusal {
    let Lossy { deployment, language, loss } = lossy;
    let message = format!(
        "deployment {deployment} speaks {language}, which cannot carry '{}' ({}); leave it out, ask a model whose \
         provider speaks your API, or set onLoss: Ignore in the translation of the ModelDeployment",
        loss.field, loss.note
    );
    let is_thread = loss.field.split('.').next() == Some("thread");
    let code = if is_thread { NO_THREADS } else { "unsupported_parameter" };
    Refusal::new(StatusCode::BAD_REQUEST, INVALID, code, message).about(loss.field)
}

fn cannot_embed(who: &CannotEmbed) -> Refusal {
    let message = format!(
        "the model '{}' makes no embeddings: deployment {} is at provider {}, which has no embeddings endpoint \
         that Fairlead knows; ask another model, or, if there is such an endpoint, deploy it with provider type \
         custom and its baseURL",
        short(&who.model),
        who.deployment,
        who.provider
    );
    Refusal::new(StatusCode::BAD_REQUEST, INVALID, "model_cannot_embed", message).about("model")
}

/// The client may not use it as it is, and cannot help it.
fn unpriced(deployment: &str, upstream_model: &str) -> Refusal {
    let message = format!(
        "nobody knows what deployment {deployment} costs, and this gateway serves no such model: write a pricing \
         into the ModelDeployment (its model {upstream_model} is not in the catalogue), or set \
         pricing.unknownModel: Allow in the ModelGateway"
    );
    Refusal::new(StatusCode::FORBIDDEN, INVALID, "model_price_unknown", message).about("model")
}

/// 404 is what OpenAI says, and its SDKs raise `NotFoundError` for it; LiteLLM says 400.
pub(super) fn unknown_model(name: &str) -> Refusal {
    let message =
        format!("the model '{}' does not exist here; GET /v1/models lists those that do", short(name));
    Refusal::new(StatusCode::NOT_FOUND, INVALID, "model_not_found", message).about("model")
}

/// What a deployment could not do. The provider's own error is relayed where it concerns the client.
fn upstream(deployment: &str, fault: UpstreamFault) -> Refusal {
    if fault.class == FaultClass::Authentication {
        // As it is, it would say that the client's key is wrong; and it may quote ours.
        let message = format!("the provider refused the credential of deployment {deployment}");
        return Refusal::new(StatusCode::BAD_GATEWAY, UPSTREAM, "upstream_authentication", message);
    }
    let (status, kind, code) = class_of(fault.class);
    let message = format!("deployment {deployment}: {}", fault.message);
    // Only bodies are too large in the other languages; a prompt that is, is a wrong request.
    let is_about_input = matches!(fault.class, FaultClass::TooLarge | FaultClass::Filtered);
    let class = if is_about_input { FaultClass::InvalidRequest } else { fault.class };
    let refusal = Refusal::new(status, kind, code, message).classed(class);
    let Some(answer) = fault.answer else { return refusal };
    // A redirect means nothing to a client of ours.
    let theirs = answer.status.filter(|status| *status >= 400).and_then(|s| StatusCode::from_u16(s).ok());
    Refusal { status: theirs.unwrap_or(status), headers: answer.headers, relayed: answer.json, ..refusal }
}

fn class_of(class: FaultClass) -> (StatusCode, &'static str, &'static str) {
    match class {
        FaultClass::InvalidRequest => (StatusCode::BAD_REQUEST, INVALID, "upstream_invalid_request"),
        FaultClass::TooLarge => (StatusCode::BAD_REQUEST, INVALID, "context_length_exceeded"),
        FaultClass::Filtered => (StatusCode::BAD_REQUEST, INVALID, "content_policy_violation"),
        FaultClass::NotFound => (StatusCode::NOT_FOUND, UPSTREAM, "upstream_not_found"),
        FaultClass::RateLimited => {
            (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "upstream_rate_limited")
        }
        FaultClass::Authentication | FaultClass::Forbidden => {
            (StatusCode::BAD_GATEWAY, UPSTREAM, "upstream_authentication")
        }
        FaultClass::Failed => (StatusCode::BAD_GATEWAY, UPSTREAM, "upstream_failed"),
        FaultClass::Garbled => (StatusCode::BAD_GATEWAY, UPSTREAM, "upstream_invalid_response"),
        FaultClass::Unreachable => (StatusCode::BAD_GATEWAY, UPSTREAM, "upstream_unreachable"),
        FaultClass::Timeout => (StatusCode::GATEWAY_TIMEOUT, UPSTREAM, "upstream_timeout"),
    }
}

/// The numbers that Gemini's `encode_fault` writes.
fn google_status(class: FaultClass) -> StatusCode {
    match class {
        FaultClass::InvalidRequest | FaultClass::TooLarge | FaultClass::Filtered => StatusCode::BAD_REQUEST,
        FaultClass::Authentication => StatusCode::UNAUTHORIZED,
        FaultClass::Forbidden => StatusCode::FORBIDDEN,
        FaultClass::NotFound => StatusCode::NOT_FOUND,
        FaultClass::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        FaultClass::Failed | FaultClass::Garbled => StatusCode::INTERNAL_SERVER_ERROR,
        FaultClass::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        FaultClass::Timeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// No action of that name on a model of Gemini's.
pub(super) fn no_such_action(path: &str) -> Response<Body> {
    let message = format!(
        "'{}' is no action on a model; there are {{model}}:generateContent, :streamGenerateContent, :countTokens, \
         :embedContent, :batchEmbedContents",
        short(path)
    );
    let refusal = Refusal::new(StatusCode::NOT_FOUND, INVALID, "unknown_url", message);
    refusal.told_in(Dialect::Gemini).into_response()
}

/// No route of that path.
pub(super) async fn no_such_path(method: Method, uri: Uri) -> Response<Body> {
    let message = format!("there is nothing at {method} {}", short(uri.path()));
    Refusal::new(StatusCode::NOT_FOUND, INVALID, "unknown_url", message).into_response()
}

/// The path is known, but not by this method. axum adds the `Allow` header.
pub(super) async fn wrong_method(method: Method, uri: Uri) -> Response<Body> {
    let message = format!("{} does not take {method}", short(uri.path()));
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, INVALID, "method_not_allowed", message).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_no_more_than_the_beginning_of_what_clients_send() {
        assert_eq!(short("gpt-4o"), "gpt-4o");
        let (whole, long) = ("é".repeat(SHORT), "é".repeat(SHORT + 1));
        assert_eq!((short(&whole), short(&long)), (&*whole, &*whole));
    }
}

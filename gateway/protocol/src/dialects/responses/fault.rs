//! Faults: the envelope of an HTTP error, and errors inside a stream, both ways.
//! Source: platform.openai.com/docs/guides/error-codes, read 2026-11-21.

use crate::fault::{self, FaultClass, Reading};
use crate::json::{Fields, RawJson, Writer};

/// The error body that clients read.
#[must_use]
pub fn encode_fault(class: FaultClass, message: &str) -> String {
    fault::openai_error(message, kind(class), None, code(class))
}

fn kind(class: FaultClass) -> &'static str {
    match class {
        FaultClass::InvalidRequest | FaultClass::NotFound | FaultClass::TooLarge | FaultClass::Filtered => {
            "invalid_request_error"
        }
        FaultClass::Authentication => "authentication_error",
        FaultClass::Forbidden => "permission_error",
        FaultClass::RateLimited => "rate_limit_error",
        FaultClass::Failed | FaultClass::Garbled | FaultClass::Timeout | FaultClass::Unreachable => {
            "server_error"
        }
    }
}

/// The codes that a failed response may have, as far as they fit.
pub(super) fn code(class: FaultClass) -> &'static str {
    match class {
        FaultClass::InvalidRequest => "invalid_prompt",
        FaultClass::Authentication => "invalid_api_key",
        FaultClass::Forbidden => "permission_denied",
        FaultClass::NotFound => "model_not_found",
        FaultClass::TooLarge => "context_length_exceeded",
        FaultClass::Filtered => "content_policy_violation",
        FaultClass::RateLimited => "rate_limit_exceeded",
        FaultClass::Failed | FaultClass::Garbled | FaultClass::Unreachable => "server_error",
        FaultClass::Timeout => "timeout",
    }
}

/// Reads the `error` of a failed response, or an `error` event. The event has its fields at its top by the
/// documentation, in an object `error` in fact (github.com/openai/openai-dotnet/issues/881, read 2026-11-21).
pub(super) fn read(raw: &str) -> Reading {
    let mut reading = fault::read_stream_error(raw.as_bytes());
    let mut fields = Fields::parse(raw).unwrap_or_default();
    let mut inner = fields.take_object("error").unwrap_or(fields);
    let code = inner.take_string("code").or_else(|| inner.take_string("type")).unwrap_or_default();
    if reading.class == FaultClass::Failed {
        reading.class = class(&code);
    }
    reading
}

fn class(code: &str) -> FaultClass {
    match code {
        "rate_limit_exceeded" | "too_many_requests" | "insufficient_quota" | "credit_balance_exhausted" => {
            FaultClass::RateLimited
        }
        "invalid_api_key" | "permission_denied" => FaultClass::Authentication,
        "model_not_found" => FaultClass::NotFound,
        "content_filter" | "content_policy_violation" => FaultClass::Filtered,
        "timeout" => FaultClass::Timeout,
        _ if code.starts_with("invalid_") => FaultClass::InvalidRequest,
        _ => FaultClass::Failed,
    }
}

/// The `error` object inside a failed response.
pub(super) fn of_response(reading: &Reading) -> RawJson {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.string("code", code(reading.class)).string("message", message(reading));
    object.end();
    RawJson::parse(&out).unwrap_or_else(|| RawJson::from(serde_json::value::RawValue::NULL))
}

/// Adds the fields of an `error` event in both places, since clients look into either.
pub(super) fn write_event(object: &mut Writer<'_>, reading: &Reading) {
    let (code, message) = (code(reading.class), message(reading));
    object.string("code", code).string("message", message).raw("param", "null");
    object.nested("error", |error| {
        error.string("type", kind(reading.class)).string("code", code).string("message", message);
        error.raw("param", "null");
    });
}

fn message(reading: &Reading) -> &str {
    reading.message.as_deref().unwrap_or("the provider failed in the middle of its answer")
}

//! The error body that Google's clients read.

use crate::fault::FaultClass;
use crate::json::Writer;

/// Writes `{"error": {"code", "message", "status"}}`: the HTTP status once more, and Google's word for it.
///
/// Source: cloud.google.com/apis/design/errors (read 2026-11-21).
#[must_use]
pub fn encode_fault(class: FaultClass, message: &str) -> String {
    let (code, status) = match class {
        FaultClass::InvalidRequest | FaultClass::TooLarge | FaultClass::Filtered => (400, "INVALID_ARGUMENT"),
        FaultClass::Authentication => (401, "UNAUTHENTICATED"),
        FaultClass::Forbidden => (403, "PERMISSION_DENIED"),
        FaultClass::NotFound => (404, "NOT_FOUND"),
        FaultClass::RateLimited => (429, "RESOURCE_EXHAUSTED"),
        FaultClass::Failed | FaultClass::Garbled => (500, "INTERNAL"),
        FaultClass::Unreachable => (503, "UNAVAILABLE"),
        FaultClass::Timeout => (504, "DEADLINE_EXCEEDED"),
    };
    let mut out = String::new();
    let mut body = Writer::object(&mut out);
    body.nested("error", |error| {
        error.number("code", code).string("message", message).string("status", status);
    });
    body.end();
    out
}

//! Errors: the body that clients read, and the class that a provider's error type tells.
//!
//! Source: platform.claude.com/docs/en/api/errors, read 2026-11-21.

use crate::fault::{FaultClass, Reading, read_stream_error};
use crate::json::{Fields, Writer, string};

/// `{"type":"error","error":{"type","message"}}`.
pub(super) fn encode(class: FaultClass, message: &str) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.string("type", "error").nested("error", |error| {
        error.string("type", name(class)).string("message", message);
    });
    object.end();
    out
}

/// The refusal of a `thread`, after which Anthropic's SDKs go on without one.
///
/// Source: `_thread_state.py` of anthropic 2.13.0 (beta message-threads-2026-08-12), read 2026-11-25.
pub(super) fn encode_no_thread(message: &str) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.string("type", "error").nested("error", |error| {
        error.string("type", name(FaultClass::InvalidRequest)).string("message", message);
        error.nested("details", |details| {
            details.string("error_code", "thread_unsupported_request");
            details.list_of("unsupported", ["thread"], |out, word| out.push_str(&string(word)));
        });
    });
    object.end();
    out
}

fn name(class: FaultClass) -> &'static str {
    match class {
        FaultClass::InvalidRequest | FaultClass::Filtered => "invalid_request_error",
        FaultClass::Authentication => "authentication_error",
        FaultClass::Forbidden => "permission_error",
        FaultClass::NotFound => "not_found_error",
        FaultClass::TooLarge => "request_too_large",
        FaultClass::RateLimited => "rate_limit_error",
        FaultClass::Timeout => "timeout_error",
        FaultClass::Failed | FaultClass::Garbled | FaultClass::Unreachable => "api_error",
    }
}

/// Reads an `error` event. Its type stands for the status that the stream can no longer have.
pub(super) fn read(data: &str) -> Reading {
    let kind = Fields::parse(data)
        .and_then(|mut fields| fields.take_object("error"))
        .and_then(|mut error| error.take_string("type"));
    let reading = read_stream_error(data.as_bytes());
    let class = match kind.as_deref() {
        // Words may tell more exactly that the input was too large.
        Some("invalid_request_error")
            if !matches!(reading.class, FaultClass::TooLarge | FaultClass::Filtered) =>
        {
            FaultClass::InvalidRequest
        }
        Some("authentication_error" | "permission_error") => FaultClass::Authentication,
        Some("not_found_error") => FaultClass::NotFound,
        Some("request_too_large") => FaultClass::TooLarge,
        Some("rate_limit_error" | "billing_error") => FaultClass::RateLimited,
        Some("timeout_error") => FaultClass::Timeout,
        _ => reading.class,
    };
    Reading { class, ..reading }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same_class() {
        for class in [
            FaultClass::InvalidRequest,
            FaultClass::Authentication,
            FaultClass::NotFound,
            FaultClass::TooLarge,
            FaultClass::RateLimited,
            FaultClass::Failed,
            FaultClass::Timeout,
        ] {
            let reading = read(&encode(class, "no \"luck\""));
            assert_eq!((reading.class, reading.message.as_deref()), (class, Some("no \"luck\"")));
        }
    }

    #[test]
    fn an_overloaded_provider_has_failed() {
        let reading = read(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
        assert_eq!(reading.class, FaultClass::Failed);
        assert_eq!(read("garbage").class, FaultClass::Failed);
    }
}

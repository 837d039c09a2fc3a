//! OpenAI's error envelope.
//! Source: platform.openai.com/docs/guides/error-codes, as recorded by 2026-11-21.

use crate::fault::{FaultClass, openai_error};

/// The error body that clients read.
pub(super) fn encode(class: FaultClass, message: &str) -> String {
    let (kind, code) = match class {
        FaultClass::InvalidRequest => ("invalid_request_error", "invalid_request"),
        FaultClass::TooLarge => ("invalid_request_error", "context_length_exceeded"),
        FaultClass::Filtered => ("invalid_request_error", "content_policy_violation"),
        FaultClass::NotFound => ("invalid_request_error", "model_not_found"),
        FaultClass::Authentication => ("authentication_error", "invalid_api_key"),
        FaultClass::Forbidden => ("permission_error", "permission_denied"),
        FaultClass::RateLimited => ("rate_limit_error", "rate_limit_exceeded"),
        FaultClass::Failed => ("server_error", "server_error"),
        FaultClass::Garbled => ("server_error", "bad_answer"),
        FaultClass::Timeout => ("server_error", "timeout"),
        FaultClass::Unreachable => ("server_error", "unreachable"),
    };
    openai_error(message, kind, None, code)
}

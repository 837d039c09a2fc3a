//! What the holder of a virtual key is told when it does not open what they ask for. Types and codes are those that
//! LiteLLM's clients look for, where it has one.
//! Source: LiteLLM's documentation and error types, read 2026-11-25.

use axum::http::StatusCode;
use protocol::fault::FaultClass;

use super::{Refusal, unauthorized};
use crate::pipeline::Shut;

/// A key that was good, or will be.
pub(super) fn shut(key: &str, shut: Shut) -> Refusal {
    match shut {
        Shut::Expired => Refusal {
            kind: "expired_key",
            ..unauthorized(
                "expired_key",
                format!("the key {key} has expired: ask its owner for another, or for a later expiresAt"),
            )
        },
        Shut::Replaced => Refusal {
            kind: "expired_key",
            ..unauthorized(
                "expired_key",
                format!("this is an old key of {key}, which a rotation has replaced: read its Secret anew"),
            )
        },
        Shut::Suspended => unauthorized(
            "key_suspended",
            format!("the key {key} is suspended: its owner can end that with spec.suspend of the VirtualKey"),
        ),
    }
}

/// What tells of more than a key's own.
pub(super) fn master_only(key: &str) -> Refusal {
    let message = format!("this is for the master key only, and {key} is a virtual key");
    forbidden("master_key_required", message)
}

/// A model that exists, for others.
pub(super) fn model_denied(key: &str, model: &str) -> Refusal {
    let short: String = model.chars().take(200).collect();
    let message = format!(
        "the key {key} may not use the model '{short}': GET /v1/models lists those that it may, and its owner can \
         allow more with spec.models of the VirtualKey"
    );
    forbidden("key_model_access_denied", message).about("model")
}

fn forbidden(code: &'static str, message: String) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, code, code, message).classed(FaultClass::Forbidden)
}

//! What the holder of a virtual key is told when it does not open what they ask for. Types and codes are those that
//! LiteLLM's clients look for, where it has one.
//! Source: LiteLLM's documentation and error types, read 2026-11-25.

use axum::http::StatusCode;
use protocol::fault::FaultClass;

use super::{Refusal, short, unauthorized, unavailable};
use crate::pipeline::{Shut, Whose};

/// A key that was good, or will be.
pub(super) fn shut(key: &str, shut: Shut) -> Refusal {
    match shut {
        Shut::Expired => Refusal {
            kind: "expired_key",
            ..unauthorized(
                "expired_key",
                format!(
                    "the key {key} has expired: ask its owner for another, or for a later end (expiresAt of a VirtualKey)"
                ),
            )
        },
        Shut::Replaced => Refusal {
            kind: "expired_key",
            ..unauthorized(
                "expired_key",
                format!(
                    "this is an old key of {key}, which a rotation has replaced: get the new one (of a VirtualKey, from \
                     its Secret)"
                ),
            )
        },
        Shut::Suspended => unauthorized(
            "key_suspended",
            format!("the key {key} is suspended: its owner can end that with spec.suspend of the VirtualKey"),
        ),
        Shut::Blocked => blocked(format!("the key {key} is blocked: ask its owner")),
        Shut::TeamBlocked => blocked(format!("the team of the key {key} is blocked: ask its owner")),
        Shut::UserBlocked => {
            blocked(format!("the user of the key {key} is blocked: ask the gateway's owner"))
        }
    }
}

fn blocked(message: String) -> Refusal {
    Refusal { kind: "auth_error", ..unauthorized("key_blocked", message) }
}

/// A key may be good, and only the database knows.
pub(super) fn away() -> Refusal {
    let message = "the database that knows this key does not answer; try again soon";
    unavailable("keys_unavailable", message, "2")
}

/// What tells of more than a key's own.
pub(super) fn master_only(key: &str) -> Refusal {
    let message = format!("this is for the master key only, and {key} is a virtual key");
    forbidden("master_key_required", message)
}

/// A model that exists, for others.
pub(super) fn model_denied(key: &str, model: &str, whose: Whose) -> Refusal {
    let (code, why) = match whose {
        Whose::VirtualKey => {
            ("key_model_access_denied", "its owner can allow more with spec.models of the VirtualKey")
        }
        Whose::Key => ("key_model_access_denied", "its owner can allow more with the models of the key"),
        Whose::Member => ("team_model_access_denied", "its team can allow its user more"),
        Whose::Team => ("team_model_access_denied", "its team has no more"),
        Whose::User => ("user_model_access_denied", "its user may use no more without a team"),
        Whose::Customer => ("customer_model_access_denied", "the customer of this request may use no more"),
    };
    let message = format!(
        "the key {key} may not use the model '{}': GET /v1/models lists those that it may, and {why}",
        short(model)
    );
    forbidden(code, message).about("model")
}

/// A path that exists, for other keys.
pub(super) fn route_denied(key: &str, path: &str) -> Refusal {
    let message = format!(
        "the key {key} may not call {}: its owner can allow more paths, or make it of another type",
        short(path)
    );
    Refusal { kind: "auth_error", ..forbidden("route_denied", message) }
}

/// An end user, for whom nothing is done.
pub(super) fn customer_blocked(customer: &str) -> Refusal {
    let message =
        format!("the customer '{customer}' that this request is for is blocked: ask the gateway's owner");
    Refusal { kind: "auth_error", ..forbidden("customer_blocked", message) }
}

fn forbidden(code: &'static str, message: String) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, code, code, message).classed(FaultClass::Forbidden)
}

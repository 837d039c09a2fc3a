//! What a client is told of responses that cannot be had. OpenAI's SDKs know `previous_response_not_found` (400) and
//! 404 for the response itself, and people look for both.
//! Source: recorded errors of OpenAI's API in public bug reports, read 2026-11-21.

use axum::http::StatusCode;

use super::{INVALID, Refusal, short, unavailable};
use crate::pipeline::{NoResponse, Wanted, Why};

pub(super) fn none(none: &NoResponse) -> Refusal {
    let (id, why) = (short(&none.id), why(&none.why));
    match none.wanted {
        Wanted::Previous => {
            let message = format!(
                "Previous response with id '{id}' not found: {why}. Send the whole conversation as input instead"
            );
            let refusal =
                Refusal::new(StatusCode::BAD_REQUEST, INVALID, "previous_response_not_found", message);
            refusal.about("previous_response_id")
        }
        Wanted::Itself => {
            let message = format!("Response with id '{id}' not found: {why}");
            Refusal::new(StatusCode::NOT_FOUND, INVALID, "response_not_found", message)
        }
    }
}

fn why(why: &Why) -> String {
    match why {
        Why::Unknown => {
            "it was made with store: false, was deleted, is older than 30 days, or never was".to_owned()
        }
        Why::NoStore => "this gateway has no database to keep responses in".to_owned(),
        Why::DeploymentGone => {
            "the deployment that keeps it is not configured any more, or its provider keeps nothing now"
                .to_owned()
        }
        Why::OtherModel(deployment) => format!(
            "deployment {deployment} keeps it, and the model that you ask has none at the same provider account"
        ),
        Why::ManyProviders => {
            "it is an id of a provider's own, and more than one configured provider account keeps responses"
                .to_owned()
        }
    }
}

pub(super) fn store_away() -> Refusal {
    let message = "the database that keeps responses does not answer; try again soon, or send the whole \
                   conversation as input";
    unavailable("store_unavailable", message, "2")
}

pub(super) fn no_background(deployment: &str) -> Refusal {
    let message = format!(
        "deployment {deployment} cannot answer in the background: its provider keeps no responses; leave \
         'background' out, or ask a model whose provider does"
    );
    Refusal::new(StatusCode::BAD_REQUEST, INVALID, "unsupported_parameter", message).about("background")
}

pub(super) fn not_cancellable(id: &str) -> Refusal {
    let message = format!("Cannot cancel a synchronous response: '{id}' was not made with background: true");
    Refusal::new(StatusCode::BAD_REQUEST, INVALID, "invalid_value", message).about("response_id")
}

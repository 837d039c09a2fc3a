//! OpenAI chat completions, as OpenAI and about a hundred imitators speak it.
//!
//! The shape is OpenAI's (platform.openai.com/docs/api-reference/chat, as recorded by 2026-11-21); what the imitators add is
//! read where it has a meaning that the hub knows, and kept as it is where not. Each file holds one idea with both
//! its directions, so that a way of writing is read and written side by side. `request.rs` and `answer.rs` are the
//! two bodies, `stream_decode.rs` and `stream_encode.rs` the stream; start there.

mod answer;
mod calls;
mod citations;
mod content;
mod data_url;
mod details;
mod fault;
mod format;
mod lane;
mod losses;
mod media;
mod message;
mod messages;
mod options;
mod reasoning;
mod request;
mod stream_decode;
mod stream_encode;
mod thinking;
mod tool_choice;
mod tools;
mod turns;
mod usage;
mod ways;

#[cfg(test)]
mod tests;

pub(super) use losses::leaves;
pub use stream_decode::Decoder;
pub use stream_encode::Encoder;
pub(super) use usage::write as write_usage;

use super::{DecodeError, Echo};
use crate::fault::FaultClass;
use crate::hub::{Answer, Request};
use crate::loss::Encoded;

/// Reads a request.
///
/// # Errors
/// [`DecodeError`] if there is no list of messages, or a message has no role that is known.
pub fn decode_request(body: &str) -> Result<Request, DecodeError> {
    request::decode(body)
}

/// Writes a request.
///
/// The limit of tokens is written as `max_tokens`, which all imitators know, unless it was read as
/// `max_completion_tokens`.
#[must_use]
pub fn encode_request(request: &Request) -> Encoded {
    request::encode(request)
}

/// Reads a buffered answer.
///
/// # Errors
/// [`DecodeError`] if it is no JSON object, or nothing but an error.
pub fn decode_answer(body: &str) -> Result<Answer, DecodeError> {
    answer::decode(body)
}

/// Writes a buffered answer.
#[must_use]
pub fn encode_answer(answer: &Answer, echo: &Echo) -> Encoded {
    answer::encode(answer, echo)
}

/// The error body that clients read.
#[must_use]
pub fn encode_fault(class: FaultClass, message: &str) -> String {
    fault::encode(class, message)
}

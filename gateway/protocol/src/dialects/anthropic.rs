//! Anthropic Messages, `POST /v1/messages`; also what Claude speaks on Vertex and Bedrock.
//!
//! Source of the wire facts in this folder: platform.claude.com/docs/en/api/messages, the types of
//! github.com/anthropics/anthropic-sdk-python, and recorded traffic; read 2026-11-21. Each file names more.
//!
//! Start with `request_decode.rs`. `turns.rs` lays out conversations of other dialects, `blocks_*.rs` know one
//! content block each, `place.rs` names what got lost.

mod answer;
mod blocks_decode;
mod blocks_encode;
mod citations;
mod claude;
mod fault;
mod ids;
mod media;
mod notes;
mod place;
mod plain;
mod reasoning;
mod request_decode;
mod request_encode;
mod settings;
mod stop;
mod stream_decode;
mod stream_encode;
mod stream_frames;
mod stream_watch;
#[cfg(test)]
mod tests;
mod tools;
mod turns;
mod usage;

use catalogue::Dialect;
use serde_json::value::RawValue;

use super::{DecodeError, Echo};
use crate::fault::FaultClass;
use crate::hub::{Answer, Request};
use crate::loss::Encoded;
use crate::usage::Usage;

pub(in crate::dialects) use blocks_decode::REDACTED;
pub use stream_decode::Decoder;
pub use stream_encode::Encoder;
pub use stream_watch::Watcher;

/// The dialect of this folder.
const HOME: Dialect = Dialect::Anthropic;

/// Reads a request of a client.
///
/// # Errors
/// [`DecodeError`], if there is no list of messages, or one of them has no role or no content.
pub fn decode_request(body: &str) -> Result<Request, DecodeError> {
    request_decode::decode(body)
}

/// Writes a request for a provider.
///
/// `request.model` is the deployment's own name of the model: what a request of another dialect becomes hangs on
/// the version in it (`claude.rs`). `max_tokens`, which the API wants and others do not, is 32,000 where such a
/// request has none, 4,096 for models before version 4.
#[must_use]
pub fn encode_request(request: &Request) -> Encoded {
    request_encode::encode(request)
}

/// Reads a buffered answer of a provider.
///
/// # Errors
/// [`DecodeError`], if it is no object, or an error.
pub fn decode_answer(body: &str) -> Result<Answer, DecodeError> {
    answer::decode(body)
}

/// The counts of an answer's `usage`.
pub(crate) fn read_usage(raw: &RawValue) -> Option<Usage> {
    usage::read(raw.get())
}

/// Writes a buffered answer for a client.
#[must_use]
pub fn encode_answer(answer: &Answer, echo: &Echo) -> Encoded {
    answer::encode(answer, echo)
}

/// The error body that clients read.
#[must_use]
pub fn encode_fault(class: FaultClass, message: &str) -> String {
    fault::encode(class, message)
}

/// The error body that refuses a `thread`.
#[must_use]
pub fn encode_no_thread(message: &str) -> String {
    fault::encode_no_thread(message)
}

//! Google's generateContent, at the Gemini API and at Vertex. `request_decode.rs` and `request_encode.rs` are
//! requests, `answer_decode.rs` and `answer_encode.rs` answers, `stream_*.rs` streams; `part_*.rs` are the
//! blocks of all of them. What nobody models keeps its place by a dotted name: `functionCall.x`.
//!
//! Source: ai.google.dev/api/generate-content, by google/ai/generativelanguage/v1beta/*.proto of
//! github.com/googleapis/googleapis, which it is made from; read 2026-11-21.

mod answer_decode;
mod answer_encode;
mod citations;
mod config_decode;
mod config_encode;
mod contents_encode;
mod fault;
mod finish;
mod model;
mod node;
mod part_decode;
mod part_encode;
mod request_decode;
mod request_encode;
mod schema;
mod seal;
mod stream_decode;
mod stream_encode;
mod stream_watch;
mod tally;
mod tell;
#[cfg(test)]
mod tests;
mod tools_decode;
mod tools_encode;
mod usage;

pub use answer_decode::decode_answer;
pub use answer_encode::encode_answer;
pub use fault::encode_fault;
pub use request_decode::decode_request;
pub use request_encode::encode_request;
pub use stream_decode::Decoder;
pub use stream_encode::Encoder;
pub use stream_watch::Watcher;

use catalogue::Dialect;
use serde_json::value::RawValue;

use crate::usage::Usage;

/// What this folder is written for.
const HOME: Dialect = Dialect::Gemini;

/// The counts of an answer's `usageMetadata`, and how often its `candidates` searched.
pub(crate) fn read_usage(raw: &RawValue, candidates: Option<&RawValue>) -> Option<Usage> {
    let searches = candidates.map_or(0, stream_watch::searches);
    usage::read(raw.get()).map(|usage| Usage { searches, ..usage })
}

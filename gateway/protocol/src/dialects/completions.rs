//! OpenAI's older completions: one text is continued. OpenAI calls it legacy; servers of open models have it.
//!
//! The shape is OpenAI's (platform.openai.com/docs/api-reference/completions, as recorded by 2026-11-21). What imitators add
//! is kept as it is. `prompt.rs` says what a conversation becomes here and what of it cannot, `request.rs` and `answer.rs`
//! are the two bodies, `stream_decode.rs` and `stream_encode.rs` the stream.

mod answer;
mod finish;
mod losses;
mod node;
mod prompt;
mod request;
mod settings;
mod stream_decode;
mod stream_encode;
mod words;

#[cfg(test)]
mod tests;

pub use answer::{decode as decode_answer, encode as encode_answer};
pub use request::{decode as decode_request, encode as encode_request};
pub use stream_decode::Decoder;
pub use stream_encode::Encoder;

const HOME: catalogue::Dialect = catalogue::Dialect::OpenaiCompletions;

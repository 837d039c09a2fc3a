//! The wire languages. Each folder has the same faces: decode and encode of a request, an answer and a stream,
//! and encode of a fault. JSON shapes only: no URLs, no headers.
//!
//! Laws that every dialect keeps (`tests/dialects` holds them over all recorded traffic): `encode(decode(x))` is
//! `x` as JSON; the fold of a stream is the buffered answer; an unknown or retyped field never fails a decoder;
//! each leaf of a request is in what another dialect encodes, or in its losses.

pub mod anthropic;
pub mod chat;
mod chunks;
pub mod completions;
pub mod gemini;
mod likely;
mod openai;
pub mod responses;
mod search;
mod shows;
mod spelling;
mod taker;
mod untold;
mod waiting;

use catalogue::Dialect;

use crate::fault::FaultClass;
use crate::hub::{Answer, Event, Request};
use crate::loss::{Encoded, Losses};

/// Why a body is not what its dialect allows. Only what the hub cannot do without is needed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct DecodeError {
    /// Where: `messages[2].role`. Never content.
    pub field: String,
    /// What is wrong and what would be right.
    pub reason: &'static str,
}

impl DecodeError {
    /// An error at `field`.
    pub(crate) fn new(field: impl Into<String>, reason: &'static str) -> Self {
        Self { field: field.into(), reason }
    }
}

/// What an answer repeats of its request, since the provider's own would be wrong or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// The model as the client named it.
    pub model: String,
    /// For answers whose provider gives no id. Without a prefix: 32 letters and digits.
    pub id: String,
    /// Seconds since 1970, for answers whose provider gives no time.
    pub created: u64,
    /// Whether the client wants to be told the usage in a stream.
    pub stream_usage: bool,
}

/// One frame of an event stream, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The `event` field, where there is one.
    pub event: Option<&'a str>,
    /// The `data` lines, joined by LF.
    pub data: &'a str,
}

/// Reads a provider's stream. Tolerant: what it cannot read it passes over.
pub trait StreamDecoder: Send {
    /// Takes a frame and adds the events it brings.
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>);

    /// The stream has ended: closes what is open. A stream that ended too early ends with [`Event::Fault`].
    fn end(&mut self, events: &mut Vec<Event>);
}

/// Looks at a provider's stream from the side, without reading what is said.
pub trait StreamWatcher: Send {
    /// Takes a frame and adds its events of usage, ends and faults: those that the decoder would tell. Returns how many
    /// bytes of text came beside what is in the events.
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> usize;

    /// The stream has ended: as for the decoder.
    fn end(&mut self, events: &mut Vec<Event>);
}

/// Writes a client's stream.
pub trait StreamEncoder: Send {
    /// Adds the frames, blank lines included, that tell `event`. After [`Event::Fault`] it writes nothing more.
    fn push(&mut self, event: &Event, out: &mut String);

    /// Adds the last frames. Writes nothing after a fault.
    fn end(&mut self, out: &mut String);

    /// What of the answer so far the client could not be told. All are hints: the headers that would refuse are gone.
    fn losses(&self) -> &Losses;
}

/// Reads a request of `dialect`.
///
/// # Errors
/// [`DecodeError`], for a field that the meaning hangs on.
pub fn decode_request(dialect: Dialect, body: &str) -> Result<Request, DecodeError> {
    match dialect {
        Dialect::OpenaiChat => chat::decode_request(body),
        Dialect::OpenaiResponses => responses::decode_request(body),
        Dialect::OpenaiCompletions => completions::decode_request(body),
        Dialect::Anthropic => anthropic::decode_request(body),
        Dialect::Gemini => gemini::decode_request(body),
    }
}

/// Writes a request in `dialect`, with what it could not carry.
#[must_use]
pub fn encode_request(dialect: Dialect, request: &Request) -> Encoded {
    match dialect {
        Dialect::OpenaiChat => chat::encode_request(request),
        Dialect::OpenaiResponses => responses::encode_request(request),
        Dialect::OpenaiCompletions => completions::encode_request(request),
        Dialect::Anthropic => anthropic::encode_request(request),
        Dialect::Gemini => gemini::encode_request(request),
    }
}

/// Reads a buffered answer of `dialect`.
///
/// # Errors
/// [`DecodeError`], if it is no answer at all.
pub fn decode_answer(dialect: Dialect, body: &str) -> Result<Answer, DecodeError> {
    match dialect {
        Dialect::OpenaiChat => chat::decode_answer(body),
        Dialect::OpenaiResponses => responses::decode_answer(body),
        Dialect::OpenaiCompletions => completions::decode_answer(body),
        Dialect::Anthropic => anthropic::decode_answer(body),
        Dialect::Gemini => gemini::decode_answer(body),
    }
}

/// Writes a buffered answer in `dialect`, with what it could not carry.
#[must_use]
pub fn encode_answer(dialect: Dialect, answer: &Answer, echo: &Echo) -> Encoded {
    match dialect {
        Dialect::OpenaiChat => chat::encode_answer(answer, echo),
        Dialect::OpenaiResponses => responses::encode_answer(answer, echo),
        Dialect::OpenaiCompletions => completions::encode_answer(answer, echo),
        Dialect::Anthropic => anthropic::encode_answer(answer, echo),
        Dialect::Gemini => gemini::encode_answer(answer, echo),
    }
}

/// A reader for one stream of `dialect`.
#[must_use]
pub fn stream_decoder(dialect: Dialect) -> Box<dyn StreamDecoder> {
    match dialect {
        Dialect::OpenaiChat => Box::new(chat::Decoder::default()),
        Dialect::OpenaiResponses => Box::new(responses::Decoder::default()),
        Dialect::OpenaiCompletions => Box::new(completions::Decoder::default()),
        Dialect::Anthropic => Box::new(anthropic::Decoder::default()),
        Dialect::Gemini => Box::new(gemini::Decoder::default()),
    }
}

/// A watcher for one stream of `dialect`. Streams of OpenAI's chunks need none: `observe/chunks.rs` looks at them.
#[must_use]
pub fn stream_watcher(dialect: Dialect) -> Option<Box<dyn StreamWatcher>> {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => None,
        Dialect::OpenaiResponses => Some(Box::new(responses::Watcher::default())),
        Dialect::Anthropic => Some(Box::new(anthropic::Watcher::default())),
        Dialect::Gemini => Some(Box::new(gemini::Watcher::default())),
    }
}

/// A writer for one stream of `dialect`.
#[must_use]
pub fn stream_encoder(dialect: Dialect, echo: Echo) -> Box<dyn StreamEncoder> {
    match dialect {
        Dialect::OpenaiChat => Box::new(chat::Encoder::new(echo)),
        Dialect::OpenaiResponses => Box::new(responses::Encoder::new(echo)),
        Dialect::OpenaiCompletions => Box::new(completions::Encoder::new(echo)),
        Dialect::Anthropic => Box::new(anthropic::Encoder::new(echo)),
        Dialect::Gemini => Box::new(gemini::Encoder::new(echo)),
    }
}

/// The error body that clients of `dialect` read.
#[must_use]
pub fn encode_fault(dialect: Dialect, class: FaultClass, message: &str) -> String {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => chat::encode_fault(class, message),
        Dialect::OpenaiResponses => responses::encode_fault(class, message),
        Dialect::Anthropic => anthropic::encode_fault(class, message),
        Dialect::Gemini => gemini::encode_fault(class, message),
    }
}

/// The error body by which Anthropic's SDKs know that a conversation is kept nowhere but with them.
#[must_use]
pub fn encode_no_thread(message: &str) -> String {
    anthropic::encode_no_thread(message)
}

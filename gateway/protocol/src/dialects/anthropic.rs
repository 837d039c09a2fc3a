//! Not written yet.

use super::{DecodeError, Echo, Frame, StreamDecoder, StreamEncoder};
use crate::fault::FaultClass;
use crate::hub::{Answer, Event, Request};
use crate::loss::{Encoded, Losses};

/// Reads a request.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode_request(_body: &str) -> Result<Request, DecodeError> {
    Err(DecodeError::new("", "not written yet"))
}

/// Writes a request.
#[must_use]
pub fn encode_request(_request: &Request) -> Encoded {
    Encoded { body: String::new(), losses: Losses::default() }
}

/// Reads a buffered answer.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode_answer(_body: &str) -> Result<Answer, DecodeError> {
    Err(DecodeError::new("", "not written yet"))
}

/// Writes a buffered answer.
#[must_use]
pub fn encode_answer(_answer: &Answer, _echo: &Echo) -> Encoded {
    Encoded { body: String::new(), losses: Losses::default() }
}

/// The error body that clients read.
#[must_use]
pub fn encode_fault(_class: FaultClass, message: &str) -> String {
    message.to_owned()
}

/// Reads a stream.
#[derive(Debug, Default)]
pub struct Decoder;

impl StreamDecoder for Decoder {
    fn push(&mut self, _frame: Frame<'_>, _events: &mut Vec<Event>) {}
    fn end(&mut self, _events: &mut Vec<Event>) {}
}

/// Writes a stream.
#[derive(Debug)]
pub struct Encoder;

impl Encoder {
    /// A writer for one stream.
    #[must_use]
    pub fn new(_echo: Echo) -> Self {
        Self
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, _event: &Event, _out: &mut String) {}
    fn end(&mut self, _out: &mut String) {}
}

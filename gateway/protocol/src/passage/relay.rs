//! Frames go on as they came; an observer looks at them from the side.

use bytes::Bytes;
use catalogue::Dialect;

use super::{Ending, UsageFrame};
use crate::dialects::{Echo, stream_encoder};
use crate::fault::{FaultClass, Reading, openai_error};
use crate::hub::Event;
use crate::json::Writer;
use crate::observe::{Observer, Seen, is_usage_only};

#[derive(Debug)]
pub(super) struct Relay {
    dialect: Dialect,
    echo: Echo,
    usage_frame: UsageFrame,
    observer: Observer,
    /// How many frames have passed: OpenAI's responses number their events.
    passed: u64,
    out: Bytes,
}

impl Relay {
    pub(super) fn new(dialect: Dialect, echo: Echo, usage_frame: UsageFrame) -> Self {
        Self { dialect, echo, usage_frame, observer: Observer::new(dialect), passed: 0, out: Bytes::new() }
    }

    pub(super) fn seen(&self) -> &Seen {
        self.observer.seen()
    }

    pub(super) fn flush(&mut self) -> Bytes {
        std::mem::take(&mut self.out)
    }

    pub(super) fn frame(&mut self, frame: Bytes) {
        self.observer.frame(&frame);
        self.passed += 1;
        if self.usage_frame == UsageFrame::Passed || !is_usage_only(&frame) {
            self.out = frame;
        }
    }

    pub(super) fn end(&mut self, ending: Ending) -> Result<(), FaultClass> {
        match ending {
            Ending::Clean(tail) => {
                self.observer.frame(&tail);
                self.observer.end();
                // Half an event would spoil the error event that follows it.
                if self.seen().is_complete() {
                    self.out = tail;
                }
                self.verdict()
            }
            Ending::Broken(class, message) => {
                self.observer.end();
                let is_whole = self.seen().done && self.seen().error.is_none();
                let broken = Reading { class, message: Some(message), is_json: false };
                if is_whole { Ok(()) } else { self.cut(broken) }
            }
        }
    }

    /// Judges a stream that ended as streams should, if not too soon.
    fn verdict(&mut self) -> Result<(), FaultClass> {
        match self.seen().error.clone() {
            // Where the provider's own error event was passed on, a second would hide it.
            Some(error) if self.seen().is_error_shown || self.seen().is_complete() => Err(error.class),
            Some(error) => self.cut(error),
            None if self.seen().is_complete() => Ok(()),
            None => self.cut(early()),
        }
    }

    fn cut(&mut self, reading: Reading) -> Result<(), FaultClass> {
        let class = reading.class;
        self.out = match self.dialect {
            Dialect::OpenaiChat | Dialect::OpenaiCompletions => chunk_error(&reading).into(),
            Dialect::OpenaiResponses => responses_error(&reading, self.passed).into(),
            dialect => {
                let mut event = String::new();
                stream_encoder(dialect, self.echo.clone()).push(&Event::Fault(reading), &mut event);
                event.into()
            }
        };
        Err(class)
    }
}

/// A stream that stopped before its answer was complete.
fn early() -> Reading {
    let message = "the provider's stream ended before the answer was complete";
    Reading { class: FaultClass::Garbled, message: Some(message.to_owned()), is_json: false }
}

/// An error event as OpenAI's SDKs read it, with a code of ours.
fn chunk_error(reading: &Reading) -> String {
    let code = if reading.class == FaultClass::Timeout { "upstream_timeout" } else { "upstream_stream_cut" };
    let message = reading.message.as_deref().unwrap_or_default();
    format!("data: {}\n\n", openai_error(message, "upstream_error", None, code))
}

/// An error event in the middle of a response: an encoder of its own would begin another response.
///
/// OpenAI's SDKs read `error`, its reference has the fields at the top: so both are there.
/// Source: platform.openai.com/docs/api-reference/responses-streaming/error, read 2026-11-21.
fn responses_error(reading: &Reading, number: u64) -> String {
    let message = reading.message.as_deref().unwrap_or_default();
    let mut out = "event: error\ndata: ".to_owned();
    let mut event = Writer::object(&mut out);
    event.string("type", "error").number("sequence_number", number);
    event.string("code", "server_error").string("message", message).raw("param", "null");
    event.nested("error", |error| {
        error.string("type", "server_error").string("code", "server_error");
        error.string("message", message).raw("param", "null");
    });
    event.end();
    out + "\n\n"
}

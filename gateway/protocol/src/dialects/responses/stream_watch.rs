//! A provider's stream from the side: its usage, its end and its faults. Of what is said only how long it is; what
//! later frames repeat of it is not read.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::answer_decode::{Moment, Response};
use super::stream_decode::cut;
use super::{Decoder, fault};
use crate::dialects::{Frame, StreamDecoder, StreamWatcher};
use crate::fault::Reading;
use crate::hub::{Event, Extras};
use crate::json::{Fields, peek, text, text_bytes};

/// Watches one stream.
#[derive(Debug, Default)]
pub struct Watcher {
    has_ended: bool,
    has_deltas: bool,
}

impl StreamWatcher for Watcher {
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> usize {
        if self.has_ended {
            return 0;
        }
        let Some([kind, response, error, delta]) = peek(frame.data, ["type", "response", "error", "delta"])
        else {
            return 0;
        };
        let kind = kind.and_then(text).or(frame.event.map(Cow::Borrowed)).unwrap_or_default();
        match &*kind {
            "error" => self.fail(fault::read(frame.data), events),
            "response.failed" => {
                let [error] = response.and_then(|response| peek(response.get(), ["error"])).unwrap_or([None]);
                self.fail(fault::read(error.map_or("", RawValue::get)), events);
            }
            "" if error.is_some() => self.fail(fault::read(frame.data), events),
            "response.completed" | "response.incomplete" => self.finish(frame, response, events),
            "response.output_text.delta"
            | "response.refusal.delta"
            | "response.reasoning_summary_text.delta"
            | "response.reasoning_text.delta"
            | "response.function_call_arguments.delta" => {
                self.has_deltas = true;
                return delta.map_or(0, text_bytes);
            }
            _ => {}
        }
        0
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        if !self.has_ended {
            self.fail(cut(), events);
        }
    }
}

impl Watcher {
    fn finish(&mut self, frame: Frame<'_>, response: Option<&RawValue>, events: &mut Vec<Event>) {
        let Some(raw) = response else { return };
        self.has_ended = true;
        if !self.has_deltas {
            // All that was said is here alone.
            return Decoder::default().push(frame, events);
        }
        let response = Response::read(Fields::read(raw).unwrap_or_default(), Moment::Last);
        let finish = response.finish_with(false);
        events.extend(response.usage.map(Event::Usage));
        events.extend(finish.map(|finish| Event::Finish {
            candidate: 0,
            finish,
            stop: None,
            extras: Extras::default(),
        }));
    }

    fn fail(&mut self, reading: Reading, events: &mut Vec<Event>) {
        self.has_ended = true;
        events.push(Event::Fault(reading));
    }
}

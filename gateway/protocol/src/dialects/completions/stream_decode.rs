//! A provider's stream, read: each choice of a chunk has the next piece of its text. Reasons to finish are held until the
//! stream ends, since some are told twice.
//! Source: platform.openai.com/docs/api-reference/completions/create (`stream`), as recorded by 2026-11-21.

use std::collections::BTreeMap;

use super::{HOME, finish};
use crate::dialects::chunks::{Chunk, Chunks, candidate, cut};
use crate::dialects::{Frame, StreamDecoder};
use crate::hub::{At, Body, Event, Extras, Finish, Opening};
use crate::json::{Fields, RawJson};

/// Reads a stream of chunks.
#[derive(Debug)]
pub struct Decoder {
    chunks: Chunks,
    lanes: BTreeMap<usize, Lane>,
    is_over: bool,
}

/// The state of one candidate.
#[derive(Debug, Default)]
struct Lane {
    is_open: bool,
    finish: Option<Finish>,
    /// What nobody models, the last of each name: `logprobs`, filters.
    rest: Vec<(String, RawJson)>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { chunks: Chunks::new(HOME), lanes: BTreeMap::new(), is_over: false }
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.is_over {
            return;
        }
        match Chunk::of(frame) {
            Chunk::Done => self.close(events),
            Chunk::Fault(reading) => {
                self.is_over = true;
                events.push(Event::Fault(reading));
            }
            Chunk::Fields(chunk) => {
                let (choices, usage) = self.chunks.read(chunk, events);
                choices.into_iter().for_each(|choice| self.choice(choice, events));
                events.extend(usage.map(Event::Usage));
            }
            Chunk::Noise => {}
        }
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        if self.is_over {
            return;
        }
        if self.lanes.values().any(|lane| lane.finish.is_some()) {
            self.close(events);
        } else {
            self.is_over = true;
            events.push(cut());
        }
    }
}

impl Decoder {
    fn choice(&mut self, mut choice: Fields<'_>, events: &mut Vec<Event>) {
        let candidate = candidate(&mut choice);
        let lane = self.lanes.entry(candidate).or_default();
        let at = At { candidate, part: 0 };
        let text = choice.take_string("text").filter(|text| !text.is_empty());
        if let Some(text) = text {
            events.push(if std::mem::replace(&mut lane.is_open, true) {
                Event::Text(at, text)
            } else {
                Event::Open(at, Opening { body: Body::Text(text), extras: Extras::default() })
            });
        }
        if let Some(finish) = choice.take_string("finish_reason").and_then(|reason| finish::read(&reason)) {
            lane.finish = Some(finish);
        }
        for (name, raw) in choice.rest().into_iter().filter(|(_, raw)| raw.get() != "null") {
            lane.rest.retain(|(known, _)| *known != name);
            lane.rest.push((name, raw));
        }
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        self.is_over = true;
        if !self.chunks.is_started() {
            events.push(cut());
            return;
        }
        for (candidate, lane) in &mut self.lanes {
            if lane.is_open {
                events.push(Event::Close(At { candidate: *candidate, part: 0 }));
            }
            if let Some(finish) = lane.finish.take() {
                let extras = Extras::new(HOME, std::mem::take(&mut lane.rest));
                events.push(Event::Finish { candidate: *candidate, finish, stop: None, extras });
            }
        }
    }
}

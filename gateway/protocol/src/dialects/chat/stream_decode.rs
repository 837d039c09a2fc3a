//! A provider's stream, read. `lane.rs` reads what one candidate says.
//!
//! Reasons to finish are held until the stream ends, since some imitators repeat them or go on after them.
//! Source: platform.openai.com/docs/api-reference/chat-streaming, as recorded by 2026-11-21.

use std::collections::BTreeMap;

use super::answer::read_finish;
use super::lane::Lane;
use super::ways::CHAT;
use crate::dialects::chunks::{Chunk, Chunks, candidate, cut};
use crate::dialects::{Frame, StreamDecoder};
use crate::hub::Event;
use crate::json::Fields;

/// Reads a stream of chunks.
#[derive(Debug)]
pub struct Decoder {
    chunks: Chunks,
    lanes: BTreeMap<usize, Lane>,
    is_over: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { chunks: Chunks::new(CHAT), lanes: BTreeMap::new(), is_over: false }
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
        let lane = self.lanes.entry(candidate).or_insert_with(|| Lane::new(candidate));
        // Servers that only pretend to stream give the message at once.
        let delta = choice.take_object("delta").or_else(|| choice.take_object("message"));
        if let Some(delta) = delta {
            lane.delta(delta, events);
        }
        if let Some(finish) = choice.take_string("finish_reason").and_then(|reason| read_finish(&reason)) {
            lane.finish = Some(finish);
        }
        lane.keep(choice);
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        self.is_over = true;
        if !self.chunks.is_started() {
            events.push(cut());
            return;
        }
        for lane in self.lanes.values_mut() {
            lane.end(events);
        }
    }
}

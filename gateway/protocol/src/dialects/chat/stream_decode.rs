//! A provider's stream, read. `lane.rs` reads what one candidate says.
//!
//! Chunks repeat what is true of the whole answer; only what changes is told again. Reasons to finish are held until
//! the stream ends, since some imitators repeat them or go on after them.
//! Source: platform.openai.com/docs/api-reference/chat-streaming, as recorded by 2026-11-21.

use std::collections::BTreeMap;

use super::answer::read_finish;
use super::lane::Lane;
use super::ways::CHAT;
use crate::dialects::{Frame, StreamDecoder};
use crate::fault::{FaultClass, Reading, read_stream_error};
use crate::hub::{Event, Extras};
use crate::json::{Fields, RawJson};
use crate::usage::Usage;

/// Reads a stream of chunks.
#[derive(Debug, Default)]
pub struct Decoder {
    is_started: bool,
    is_over: bool,
    /// What chunks said before the answer began: Azure judges the prompt first.
    held: Vec<(String, RawJson)>,
    /// What was told of the whole answer, by field.
    told: BTreeMap<String, RawJson>,
    lanes: BTreeMap<usize, Lane>,
}

/// Filling against guesses by length. They mean nothing, and other chunks have others.
const PADDING: [&str; 2] = ["obfuscation", "p"];

/// As in [`crate::hub::Fold`].
const MOST_CANDIDATES: usize = 128;

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        let data = frame.data.trim();
        if self.is_over {
            return;
        }
        if data == "[DONE]" {
            self.close(events);
            return;
        }
        let chunk = Fields::parse(data);
        let is_error =
            chunk.as_ref().and_then(|chunk| chunk.get("error")).is_some_and(|raw| raw.get() != "null");
        if is_error || frame.event == Some("error") {
            self.is_over = true;
            events.push(Event::Fault(read_stream_error(data.as_bytes())));
        } else if let Some(chunk) = chunk {
            self.chunk(chunk, events);
        }
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        if !self.is_over && self.lanes.values().any(|lane| lane.finish.is_some()) {
            self.close(events);
        }
        if !self.is_over {
            self.cut(events);
        }
    }
}

impl Decoder {
    fn chunk(&mut self, mut chunk: Fields<'_>, events: &mut Vec<Event>) {
        let id = chunk.take_string("id").unwrap_or_default();
        let model = chunk.take_string("model").unwrap_or_default();
        let created = chunk.take_u64("created").filter(|created| *created > 0);
        chunk.take_any("object");
        let choices = chunk.take_list("choices").unwrap_or_default();
        let usage = usage(&chunk);
        let mut fields = self.news(chunk);
        if let Some((raw, _)) = &usage {
            self.told.insert("usage".into(), raw.clone());
            fields.retain(|(name, _)| name != "usage");
            fields.push(("usage".into(), raw.clone()));
        }
        if self.is_started {
            if !fields.is_empty() {
                events.push(Event::Extras(Extras::new(CHAT, fields)));
            }
        } else {
            self.held.extend(fields);
            if !id.is_empty() || !choices.is_empty() {
                self.is_started = true;
                let extras = Extras::new(CHAT, std::mem::take(&mut self.held));
                events.push(Event::Start { id, model, created, extras });
            }
        }
        for choice in choices.into_iter().filter_map(Fields::read) {
            self.choice(choice, events);
        }
        if let Some((_, Some(usage))) = usage {
            events.push(Event::Usage(usage));
        }
    }

    /// The fields that say something, and not what they said before.
    fn news(&mut self, chunk: Fields<'_>) -> Vec<(String, RawJson)> {
        let mut fields = chunk.rest();
        fields.retain(|(name, raw)| {
            let is_news = raw.get() != "null" && self.told.get(name) != Some(raw);
            is_news && !PADDING.contains(&name.as_str())
        });
        for (name, raw) in &fields {
            self.told.insert(name.clone(), raw.clone());
        }
        fields
    }

    fn choice(&mut self, mut choice: Fields<'_>, events: &mut Vec<Event>) {
        let index = choice.take_u64("index").and_then(|index| usize::try_from(index).ok()).unwrap_or(0);
        let candidate = index.min(MOST_CANDIDATES - 1);
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
        if !self.is_started {
            self.cut(events);
            return;
        }
        self.is_over = true;
        for lane in self.lanes.values_mut() {
            lane.end(events);
        }
    }

    fn cut(&mut self, events: &mut Vec<Event>) {
        self.is_over = true;
        let message = Some("the stream ended before the answer did".to_owned());
        events.push(Event::Fault(Reading { class: FaultClass::Garbled, message, is_json: false }));
    }
}

/// The usage as written and as read. Groq had it in a field of its own: console.groq.com/docs, as recorded by 2026-11-21.
fn usage(chunk: &Fields<'_>) -> Option<(RawJson, Option<Usage>)> {
    let plain = chunk.get("usage").filter(|raw| raw.get() != "null");
    let raw = plain.or_else(|| Fields::read(chunk.get("x_groq")?)?.take("usage"))?;
    Some((RawJson::from(raw), Usage::read(raw)))
}

//! What a provider's chunks say of the whole answer, read.
//!
//! Chunks repeat what is true of all; only what changes is told again.

use std::collections::BTreeMap;

use catalogue::Dialect;

use crate::dialects::Frame;
use crate::fault::{FaultClass, Reading, read_stream_error};
use crate::hub::{Event, Extras};
use crate::json::{Fields, RawJson};
use crate::usage::Usage;

/// What one frame is.
pub(in crate::dialects) enum Chunk<'a> {
    /// `[DONE]`.
    Done,
    /// An error; nothing comes after it.
    Fault(Reading),
    /// The fields of a chunk.
    Fields(Fields<'a>),
    /// Nothing that could be read.
    Noise,
}

/// The state of one stream.
#[derive(Debug)]
pub(in crate::dialects) struct Chunks {
    dialect: Dialect,
    is_started: bool,
    /// What chunks said before the answer began: Azure judges the prompt first.
    held: Vec<(String, RawJson)>,
    /// What was told of the whole answer, by field.
    told: BTreeMap<String, RawJson>,
}

/// Filling against guesses by length. They mean nothing, and other chunks have others.
const PADDING: [&str; 2] = ["obfuscation", "p"];

/// As in [`crate::hub::Fold`].
const MOST_CANDIDATES: usize = 128;

impl<'a> Chunk<'a> {
    /// Takes a frame apart.
    pub(in crate::dialects) fn of(frame: Frame<'a>) -> Self {
        let data = frame.data.trim();
        if data == "[DONE]" {
            return Self::Done;
        }
        let chunk = Fields::parse(data);
        let error = chunk.as_ref().and_then(|chunk| chunk.get("error"));
        if error.is_some_and(|raw| raw.get() != "null") || frame.event == Some("error") {
            return Self::Fault(read_stream_error(data.as_bytes()));
        }
        chunk.map_or(Self::Noise, Self::Fields)
    }
}

impl Chunks {
    /// For one stream of `dialect`.
    pub(in crate::dialects) fn new(dialect: Dialect) -> Self {
        Self { dialect, is_started: false, held: Vec::new(), told: BTreeMap::new() }
    }

    /// Whether the answer has begun.
    pub(in crate::dialects) fn is_started(&self) -> bool {
        self.is_started
    }

    /// Tells what `chunk` says of the whole answer. Its choices, and then its usage, are the caller's to tell.
    pub(in crate::dialects) fn read<'a>(
        &mut self,
        mut chunk: Fields<'a>,
        events: &mut Vec<Event>,
    ) -> (Vec<Fields<'a>>, Option<Usage>) {
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
                events.push(Event::Extras(Extras::new(self.dialect, fields)));
            }
        } else {
            self.held.extend(fields);
            if !id.is_empty() || !choices.is_empty() {
                self.is_started = true;
                let extras = Extras::new(self.dialect, std::mem::take(&mut self.held));
                events.push(Event::Start { id, model, created, extras });
            }
        }
        (choices.into_iter().filter_map(Fields::read).collect(), usage.and_then(|(_, usage)| usage))
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
}

/// Which candidate a choice belongs to.
pub(in crate::dialects) fn candidate(choice: &mut Fields<'_>) -> usize {
    let index = choice.take_u64("index").and_then(|index| usize::try_from(index).ok()).unwrap_or(0);
    index.min(MOST_CANDIDATES - 1)
}

/// The stream has ended, and the answer has not.
pub(in crate::dialects) fn cut() -> Event {
    let message = Some("the stream ended before the answer did".to_owned());
    Event::Fault(Reading { class: FaultClass::Garbled, message, is_json: false })
}

/// The usage as written and as read. Groq had it in a field of its own: console.groq.com/docs, as recorded by 2026-11-21.
fn usage(chunk: &Fields<'_>) -> Option<(RawJson, Option<Usage>)> {
    let plain = chunk.get("usage").filter(|raw| raw.get() != "null");
    let raw = plain.or_else(|| Fields::read(chunk.get("x_groq")?)?.take("usage"))?;
    let usage = Usage::read(raw).map(|usage| usage.served(chunk.get("service_tier")));
    Some((RawJson::from(raw), usage))
}

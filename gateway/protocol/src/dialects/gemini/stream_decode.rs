//! A stream, read. Each chunk is an answer with what is new in it. Texts that follow each other, thoughts or
//! not, are one block, which ends with its signature; all else comes whole.
//!
//! Source: ai.google.dev/api/generate-content#method:-models.streamgeneratecontent (read 2026-11-21).

use std::collections::BTreeMap;

use super::answer_decode::{Head, Said};
use super::tally::Tally;
use super::{HOME, citations, finish};
use crate::dialects::{Frame, StreamDecoder};
use crate::fault::{FaultClass, Reading, read_stream_error};
use crate::hub::{At, Body, Event, Extras, Finish, Opening, Part};
use crate::json::{Fields, RawJson};

/// Reads a stream.
#[derive(Debug, Default)]
pub struct Decoder {
    is_started: bool,
    is_finished: bool,
    is_broken: bool,
    candidates: BTreeMap<usize, Speaker>,
    /// As last told: providers repeat them in each chunk.
    kept: Vec<(String, RawJson)>,
    tally: Tally,
}

/// One candidate as far as it came.
#[derive(Debug, Default)]
struct Speaker {
    next: usize,
    open: Option<(At, Kind)>,
    has_calls: bool,
    /// Texts by the number of their block.
    texts: Vec<(usize, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.is_broken {
            return;
        }
        let Some(fields) = Fields::parse(frame.data) else { return };
        if fields.get("error").is_some_and(|raw| raw.get() != "null") {
            self.is_broken = true;
            events.push(Event::Fault(read_stream_error(frame.data.as_bytes())));
            return;
        }
        let mut head = Head::read(fields);
        let rest = std::mem::take(&mut head.rest);
        self.begin(&head, rest, events);
        let said = head.said.unwrap_or_default();
        if said.is_empty() && head.is_blocked && self.candidates.is_empty() {
            self.is_finished = true;
            events.push(Event::Finish {
                candidate: 0,
                finish: Finish::Filtered,
                stop: None,
                extras: Extras::default(),
            });
        }
        for (at, said) in said.into_iter().enumerate() {
            self.candidate(at, said, events);
        }
        events.extend(self.tally.take(head.usage, head.searches).map(Event::Usage));
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        if self.is_broken {
            return;
        }
        self.candidates.values_mut().for_each(|speaker| speaker.close(events));
        if !self.is_finished {
            self.is_broken = true;
            events.push(Event::Fault(cut()));
        }
    }
}

/// The fault of a stream that ended too early.
pub(super) fn cut() -> Reading {
    let message = Some("the stream ended before the answer was complete".to_owned());
    Reading { class: FaultClass::Garbled, message, is_json: false }
}

impl Decoder {
    fn begin(&mut self, head: &Head<'_>, rest: Vec<(String, RawJson)>, events: &mut Vec<Event>) {
        let extras = self.news(rest);
        if !self.is_started {
            self.is_started = true;
            let (id, model) = (head.id.clone(), head.model.clone());
            events.push(Event::Start { id, model, created: head.created, extras });
        } else if !extras.fields.is_empty() {
            events.push(Event::Extras(extras));
        }
    }

    /// What has not been told yet. An object without fields tells nothing.
    fn news(&mut self, fields: Vec<(String, RawJson)>) -> Extras {
        let mut news = Vec::new();
        for (name, raw) in fields.into_iter().filter(|(_, raw)| raw.get() != "{}") {
            match self.kept.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) if *known == raw => continue,
                Some((_, known)) => *known = raw.clone(),
                None => self.kept.push((name.clone(), raw.clone())),
            }
            news.push((name, raw));
        }
        Extras::new(HOME, news)
    }

    fn candidate(&mut self, at: usize, mut said: Said<'_>, events: &mut Vec<Event>) {
        let index = said.index.and_then(|index| usize::try_from(index).ok()).unwrap_or(at);
        let kept = said.kept(index);
        let kept = self.news(kept);
        let speaker = self.candidates.entry(index).or_default();
        for part in said.parts.take().unwrap_or_default() {
            speaker.part(index, part, events);
        }
        let grounding = kept.fields.iter().find(|(name, _)| name.ends_with(citations::FIELD));
        if let Some((_, grounding)) = grounding {
            speaker.cite(index, grounding, events);
        }
        if !kept.fields.is_empty() {
            events.push(Event::Extras(kept));
        }
        if let Some(finish) = said.finish(speaker.has_calls) {
            speaker.close(events);
            self.is_finished = true;
            events.push(Event::Finish { candidate: index, finish, stop: None, extras: Extras::default() });
        }
    }
}

impl Speaker {
    fn part(&mut self, candidate: usize, part: Part, events: &mut Vec<Event>) {
        let is_plain = part.extras.fields.is_empty();
        match &part.body {
            Body::Text(text) if text.is_empty() && is_plain => {}
            Body::Thinking { text, seal: None } if text.is_empty() && is_plain => {}
            Body::Text(text) => {
                let text = text.clone();
                match self.open {
                    Some((at, Kind::Text)) if is_plain => events.push(Event::Text(at, text.clone())),
                    _ => self.begin(candidate, part, Some(Kind::Text), events),
                }
                self.heard(&text);
            }
            Body::Thinking { text, seal } => {
                let is_sealed = seal.is_some();
                match self.open {
                    Some((at, Kind::Thinking)) if is_plain => {
                        events.push(Event::Text(at, text.clone()));
                        events.extend(seal.clone().map(|seal| Event::Sealed(at, seal)));
                    }
                    _ => self.begin(candidate, part, Some(Kind::Thinking), events),
                }
                if is_sealed {
                    self.close(events);
                }
            }
            _ => {
                self.has_calls |= finish::is_call(&part);
                self.begin(candidate, part, None, events);
            }
        }
    }

    /// Opens a block; one that is no text is whole.
    fn begin(&mut self, candidate: usize, part: Part, kind: Option<Kind>, events: &mut Vec<Event>) {
        self.close(events);
        let at = At { candidate, part: self.next };
        self.next += 1;
        if kind == Some(Kind::Text) {
            self.texts.push((at.part, String::new()));
        }
        events.push(Event::Open(at, Opening { body: part.body, extras: part.extras }));
        match kind {
            Some(kind) => self.open = Some((at, kind)),
            None => events.push(Event::Close(at)),
        }
    }

    fn heard(&mut self, text: &str) {
        if let Some((_, all)) = self.texts.last_mut() {
            all.push_str(text);
        }
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        events.extend(self.open.take().map(|(at, _)| Event::Close(at)));
    }

    fn cite(&self, candidate: usize, grounding: &RawJson, events: &mut Vec<Event>) {
        let texts: Vec<_> = self.texts.iter().map(|(_, text)| text.as_str()).collect();
        for (number, citation) in citations::read(grounding, &texts) {
            if let Some((part, _)) = self.texts.get(number) {
                events.push(Event::Cited(At { candidate, part: *part }, citation));
            }
        }
    }
}

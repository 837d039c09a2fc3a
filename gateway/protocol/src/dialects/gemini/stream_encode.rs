//! A stream, written: a chunk for each piece of text, for each call once it is complete, and a last one with
//! the reasons and the usage. There is no `[DONE]`.

use std::collections::BTreeMap;

use super::answer_encode::{Wire, of_candidate};
use super::node::is_home;
use super::part_encode::{Reader, encode};
use super::tell::Tell;
use super::{HOME, citations, encode_fault, finish, usage};
use crate::dialects::{Echo, StreamEncoder, untold};
use crate::hub::{At, Body, Citation, Event, Extras, Finish, Opening, Part, Seal};
use crate::json::{RawJson, Writer};
use crate::loss::Losses;
use crate::time;
use crate::usage::Usage;

/// Writes a stream.
#[derive(Debug)]
pub struct Encoder {
    echo: Echo,
    id: String,
    created: u64,
    /// The provider speaks this dialect too.
    is_home: bool,
    blocks: BTreeMap<At, Block>,
    /// Fields of the answer that have not been written yet.
    fields: Vec<(String, RawJson)>,
    usage: Option<Usage>,
    finishes: BTreeMap<usize, Finish>,
    tell: Tell,
    is_done: bool,
}

/// A block as far as it came.
#[derive(Debug)]
enum Block {
    /// Kept for the places of its sources.
    Text(String, Vec<Citation>),
    Thinking,
    /// Google's calls are whole, so it waits for its end.
    Call(Box<Part>),
}

impl Encoder {
    /// A writer for one stream.
    #[must_use]
    pub fn new(echo: Echo) -> Self {
        Self {
            id: echo.id.clone(),
            created: echo.created,
            echo,
            is_home: false,
            blocks: BTreeMap::new(),
            fields: Vec::new(),
            usage: None,
            finishes: BTreeMap::new(),
            tell: Tell::new(&Extras::default()),
            is_done: false,
        }
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut String) {
        if self.is_done {
            return;
        }
        match event {
            Event::Start { id, created, extras, .. } => self.start(id, *created, extras),
            Event::Open(at, opening) => self.open(*at, opening, out),
            Event::Text(at, more) => self.text(*at, more, out),
            Event::Arguments(at, more) => {
                if let Some(Body::ToolCall { arguments, .. }) = self.call(*at) {
                    arguments.push_str(more);
                }
            }
            Event::Sealed(at, seal) => self.seal(*at, seal, out),
            Event::Cited(at, citation) => {
                untold::tell(&citation.extras, HOME, "candidates.citations.", &mut self.tell.losses);
                if citation.url.is_some() && citation.quote.is_some() && !self.is_home {
                    self.tell.losses.once("candidates.citations.cited_text", "Gemini does not quote pages");
                }
                if let Some(Block::Text(_, citations)) = self.blocks.get_mut(at) {
                    citations.push(citation.clone());
                }
            }
            Event::Close(at) => self.close(*at, out),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Finish { candidate, finish, stop, extras } => {
                untold::tell(extras, HOME, "candidates.", &mut self.tell.losses);
                if stop.is_some() {
                    self.tell.losses.once("stop_sequence", "Gemini does not tell which text ended an answer");
                }
                if matches!(finish, Finish::Paused | Finish::Other(_)) && !self.is_home {
                    self.tell.losses.once("finish_reason", "a reason that Gemini does not have");
                }
                self.finishes.insert(*candidate, finish.clone());
            }
            Event::Extras(extras) => self.keep(extras),
            Event::Fault(reading) => {
                self.is_done = true;
                let message = reading.message.as_deref().unwrap_or("the provider failed");
                frame(&encode_fault(reading.class, message), out);
            }
        }
    }

    fn end(&mut self, out: &mut String) {
        if std::mem::replace(&mut self.is_done, true) {
            return;
        }
        let open: Vec<_> = self.blocks.keys().copied().collect();
        for at in open {
            self.close(at, out);
        }
        // Clients take a stream without a reason for one that was cut; OpenAI's imitators end some with `[DONE]` alone.
        if self.finishes.is_empty() {
            self.finishes.insert(0, Finish::Stop);
        }
        self.last(out);
    }

    fn losses(&self) -> &Losses {
        &self.tell.losses
    }
}

impl Encoder {
    fn start(&mut self, id: &str, created: Option<u64>, extras: &Extras) {
        if !id.is_empty() {
            id.clone_into(&mut self.id);
        }
        self.created = created.unwrap_or(self.created);
        self.is_home = is_home(extras);
        self.keep(extras);
    }

    fn keep(&mut self, extras: &Extras) {
        untold::tell(extras, HOME, "", &mut self.tell.losses);
        for (name, raw) in extras.of(HOME) {
            self.fields.retain(|(known, _)| known != name);
            self.fields.push((name.clone(), raw.clone()));
        }
    }

    fn open(&mut self, at: At, opening: &Opening, out: &mut String) {
        let Opening { body, extras } = opening;
        untold::tell(extras, HOME, "candidates.content.", &mut self.tell.losses);
        let part = Part { extras: extras.clone(), ..Part::new(body.clone()) };
        let block = match body {
            Body::Text(text) | Body::Refusal(text) => Block::Text(text.clone(), Vec::new()),
            Body::Thinking { .. } => Block::Thinking,
            Body::ToolCall { .. } => {
                self.blocks.insert(at, Block::Call(Box::new(part)));
                return;
            }
            _ => {
                self.part(at.candidate, &part, out);
                return;
            }
        };
        self.blocks.insert(at, block);
        let is_empty = matches!(body, Body::Text(text) | Body::Refusal(text) if text.is_empty());
        let is_empty = is_empty || matches!(body, Body::Thinking { text, seal: None } if text.is_empty());
        if !is_empty || !extras.of(HOME).is_empty() {
            self.part(at.candidate, &part, out);
        }
    }

    fn text(&mut self, at: At, more: &str, out: &mut String) {
        let body = match self.blocks.get_mut(&at) {
            Some(Block::Text(text, _)) => {
                text.push_str(more);
                Body::Text(more.to_owned())
            }
            Some(Block::Thinking) => Body::Thinking { text: more.to_owned(), seal: None },
            _ => return,
        };
        if !more.is_empty() {
            self.part(at.candidate, &Part::new(body), out);
        }
    }

    fn seal(&mut self, at: At, more: &Seal, out: &mut String) {
        if let Some(Body::ToolCall { seal, .. }) = self.call(at) {
            match seal {
                Some(seal) if seal.dialect == more.dialect => seal.bytes.push_str(&more.bytes),
                _ => *seal = Some(more.clone()),
            }
        } else if matches!(self.blocks.get(&at), Some(Block::Thinking)) {
            let body = Body::Thinking { text: String::new(), seal: Some(more.clone()) };
            self.part(at.candidate, &Part::new(body), out);
        }
    }

    fn call(&mut self, at: At) -> Option<&mut Body> {
        match self.blocks.get_mut(&at) {
            Some(Block::Call(part)) => Some(&mut part.body),
            _ => None,
        }
    }

    /// Writes a call. Texts stay for their sources, which may come last.
    fn close(&mut self, at: At, out: &mut String) {
        if !matches!(self.blocks.get(&at), Some(Block::Call(_))) {
            return;
        }
        if let Some(Block::Call(part)) = self.blocks.remove(&at) {
            self.part(at.candidate, &part, out);
        }
    }

    fn part(&mut self, candidate: usize, part: &Part, out: &mut String) {
        let (mut wire, mut tell) = (String::new(), Tell::new(&Extras::default()));
        let is_written = encode(part, Reader::Client, ("candidates.content", &mut tell), &mut wire);
        for loss in tell.losses.all() {
            self.tell.losses.once(loss.field.clone(), loss.note);
        }
        if !is_written {
            if matches!(part.body, Body::Foreign { .. }) {
                // More of it may follow.
                self.tell.losses.once("candidates.content", "Gemini has no such block");
            }
            return;
        }
        let spelling = Extras::default();
        let wire = Wire {
            at: candidate,
            parts: &[wire],
            finish: None,
            grounding: None,
            likely: &[],
            fields: Vec::new(),
            spelling: &spelling,
        };
        let mut said = String::new();
        wire.write(&mut said);
        self.chunk(&[said], None, out);
    }

    /// The reasons, the sources, what is left, and the usage.
    fn last(&mut self, out: &mut String) {
        let fields = std::mem::take(&mut self.fields);
        let (of_candidates, of_answer) =
            fields.into_iter().partition(|(name, _)| name.starts_with("candidates["));
        let of_candidates: Vec<_> = of_candidates;
        self.fields = of_answer;
        let mut said = Vec::new();
        let spelling = if self.is_home {
            Extras::new(HOME, Vec::new()).with("content:absent")
        } else {
            Extras::default()
        };
        let most = self.finishes.keys().next_back().copied().unwrap_or_default();
        for at in 0..=most.min(MOST) {
            let fields = of_candidate(&of_candidates, at);
            let grounding = if self.is_home { None } else { self.grounding(at) };
            let finish = self.finishes.get(&at).map(|finish| finish::write(finish, self.is_home));
            if finish.is_none() && fields.is_empty() && grounding.is_none() {
                continue;
            }
            let mut one = String::new();
            let parts = &[NOTHING.to_owned()];
            Wire { at, parts, finish, grounding, likely: &[], fields, spelling: &spelling }.write(&mut one);
            said.push(one);
        }
        let usage = self.usage.filter(|_| !self.is_home);
        if !said.is_empty() || usage.is_some() || !self.fields.is_empty() {
            self.chunk(&said, usage, out);
        }
    }

    fn grounding(&self, candidate: usize) -> Option<String> {
        let texts: Vec<_> = self
            .blocks
            .iter()
            .filter_map(|(at, block)| match block {
                Block::Text(text, citations) if at.candidate == candidate => {
                    Some((text.as_str(), citations.as_slice()))
                }
                _ => None,
            })
            .collect();
        citations::write(&texts)
    }

    fn chunk(&mut self, said: &[String], usage: Option<Usage>, out: &mut String) {
        let mut json = String::new();
        let mut chunk = Writer::object(&mut json);
        if !said.is_empty() {
            chunk.list_of("candidates", said, |out, candidate| out.push_str(candidate));
        }
        if let Some(usage) = usage {
            chunk.field(usage::FIELD, |out| usage::write(&usage, out));
        }
        let later = |name: &str| name.starts_with("candidates[");
        // Something else than candidates in their place gives way to them.
        let is_taken = |name: &str| name == "candidates" && !said.is_empty();
        for (name, raw) in self.fields.iter().filter(|(name, _)| !later(name) && !is_taken(name)) {
            chunk.raw(name, raw.get());
        }
        self.fields.retain(|(name, _)| later(name));
        chunk.string("modelVersion", &self.echo.model);
        if !self.is_home {
            chunk.string("createTime", &time::write(self.created));
        }
        chunk.string("responseId", &self.id);
        chunk.end();
        frame(&json, out);
    }
}

/// What Google says with the reason. Its SDK's chats forget a turn in which any event has no part, and then ask again.
/// Source: the last events of recorded streams, and `chats.py` of google-genai 3.6.1, read 2026-11-25.
const NOTHING: &str = r#"{"text":""}"#;

/// More candidates than anyone asks for; the hub counts no further.
const MOST: usize = 127;

fn frame(json: &str, out: &mut String) {
    out.push_str("data: ");
    out.push_str(json);
    out.push_str("\r\n\r\n");
}

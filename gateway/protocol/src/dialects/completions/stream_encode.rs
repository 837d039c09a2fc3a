//! A client's stream, written: a chunk for each piece of text, and one for the end of each candidate.
//! Source: platform.openai.com/docs/api-reference/completions/create (`stream`), as recorded by 2026-11-21.

use std::collections::BTreeSet;

use super::node::has;
use super::{HOME, finish};
use crate::dialects::chunks::{Kind, Teller};
use crate::dialects::{Echo, StreamEncoder};
use crate::hub::{At, Body, Event, Extras};
use crate::loss::Losses;

mod untold;

/// Answers and chunks are called the same.
pub(super) const KIND: Kind = Kind { dialect: HOME, object: "text_completion", prefix: "cmpl" };

/// Writes a stream of chunks.
#[derive(Debug)]
pub struct Encoder {
    teller: Teller,
    /// The open blocks that are text. Others have no place.
    texts: BTreeSet<At>,
    has_spoken: bool,
    losses: Losses,
}

impl Encoder {
    /// A writer for one stream.
    #[must_use]
    pub fn new(echo: Echo) -> Self {
        let (texts, losses) = (BTreeSet::new(), Losses::default());
        Self { teller: Teller::new(KIND, echo), texts, has_spoken: false, losses }
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut String) {
        if self.teller.is_over() {
            return;
        }
        untold::tell(event, self.teller.is_home, &mut self.losses);
        match event {
            Event::Start { id, created, extras, .. } => self.teller.start(id, *created, extras),
            Event::Usage(usage) => self.teller.used(*usage),
            Event::Extras(extras) => self.teller.learn(extras),
            Event::Open(at, opening) => {
                if let Body::Text(text) | Body::Refusal(text) = &opening.body {
                    self.texts.insert(*at);
                    self.say(*at, text, out);
                }
            }
            Event::Text(at, more) if self.texts.contains(at) => self.say(*at, more, out),
            Event::Close(at) => {
                self.texts.remove(at);
            }
            Event::Finish { candidate, finish, extras, .. } => {
                let (reason, _) = finish::write(finish, self.teller.is_home);
                self.chunk(*candidate, "", Some((reason, extras)), out);
            }
            Event::Fault(reading) => self.teller.fail(reading, out),
            Event::Text(..) | Event::Arguments(..) | Event::Sealed(..) | Event::Cited(..) => {}
        }
    }

    fn end(&mut self, out: &mut String) {
        // Without a chunk there was no answer.
        if !self.has_spoken && !self.teller.is_over() {
            self.chunk(0, "", Some(("stop", &Extras::default())), out);
        }
        self.teller.end(out);
    }

    fn losses(&self) -> &Losses {
        &self.losses
    }
}

impl Encoder {
    fn say(&mut self, at: At, text: &str, out: &mut String) {
        if !text.is_empty() {
            self.chunk(at.candidate, text, None, out);
        }
    }

    fn chunk(&mut self, candidate: usize, text: &str, finish: Option<(&str, &Extras)>, out: &mut String) {
        self.has_spoken = true;
        self.teller.choice(out, |choice| {
            choice.string("text", text).number("index", candidate as u64);
            if !finish.is_some_and(|(_, extras)| has(extras, "logprobs")) {
                choice.raw("logprobs", "null");
            }
            match finish {
                Some((reason, extras)) => choice.string("finish_reason", reason).all(extras.of(HOME)),
                None => choice.raw("finish_reason", "null"),
            };
        });
    }
}

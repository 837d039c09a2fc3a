//! A client's stream, written: one chunk for each step of any dialect's answer.
//! Source: platform.openai.com/docs/api-reference/chat-streaming, as recorded by 2026-11-21.

use std::collections::BTreeMap;

use super::answer::write_finish;
use super::ways::CHAT;
use crate::dialects::chunks::{Kind, Teller};
use crate::dialects::{Echo, StreamEncoder};
use crate::hub::{Event, Extras, Finish};
use crate::loss::Losses;

mod blocks;
mod untold;

use blocks::Blocks;

/// What chunks of chat are called.
pub(super) const KIND: Kind = Kind { dialect: CHAT, object: "chat.completion.chunk", prefix: "chatcmpl" };

/// Writes a stream of chunks.
#[derive(Debug)]
pub struct Encoder {
    teller: Teller,
    lanes: BTreeMap<usize, Blocks>,
    losses: Losses,
}

impl Encoder {
    /// A writer for one stream.
    #[must_use]
    pub fn new(echo: Echo) -> Self {
        Self { teller: Teller::new(KIND, echo), lanes: BTreeMap::new(), losses: Losses::default() }
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut String) {
        if self.teller.is_over() {
            return;
        }
        untold::tell(event, self.teller.is_home, &mut self.losses);
        match event {
            Event::Start { id, created, extras, .. } => {
                self.teller.start(id, *created, extras);
                self.greet(0, out);
            }
            Event::Usage(usage) => self.teller.used(*usage),
            Event::Extras(extras) => self.teller.learn(extras),
            Event::Finish { candidate, finish, extras, .. } => self.finish(*candidate, (finish, extras), out),
            Event::Fault(reading) => self.teller.fail(reading, out),
            Event::Open(at, _)
            | Event::Text(at, _)
            | Event::Arguments(at, _)
            | Event::Sealed(at, _)
            | Event::Cited(at, _)
            | Event::Close(at) => self.say(at.candidate, event, out),
        }
    }

    fn end(&mut self, out: &mut String) {
        self.teller.end(out);
    }

    fn losses(&self) -> &Losses {
        &self.losses
    }
}

impl Encoder {
    /// The first chunk of a candidate says only who speaks.
    fn greet(&mut self, candidate: usize, out: &mut String) {
        if !self.lanes.contains_key(&candidate) {
            self.lanes.insert(candidate, Blocks::new(&self.teller.echo, candidate));
            self.chunk(candidate, r#"{"role":"assistant","content":""}"#, None, out);
        }
    }

    fn say(&mut self, candidate: usize, event: &Event, out: &mut String) {
        self.greet(candidate, out);
        let Some(blocks) = self.lanes.get_mut(&candidate) else { return };
        for delta in blocks.deltas(event) {
            self.chunk(candidate, &delta, None, out);
        }
    }

    fn finish(&mut self, candidate: usize, (finish, extras): (&Finish, &Extras), out: &mut String) {
        self.greet(candidate, out);
        let is_legacy = self.lanes.get(&candidate).is_some_and(|blocks| blocks.is_legacy);
        let reason = match finish {
            Finish::ToolCalls if is_legacy => "function_call",
            finish => write_finish(finish, self.teller.is_home),
        };
        self.chunk(candidate, "{}", Some((reason, extras)), out);
    }

    fn chunk(&mut self, candidate: usize, delta: &str, finish: Option<(&str, &Extras)>, out: &mut String) {
        self.teller.choice(out, |choice| {
            choice.number("index", candidate as u64).raw("delta", delta);
            match finish {
                Some((reason, extras)) => choice.string("finish_reason", reason).all(extras.of(CHAT)),
                None => choice.raw("finish_reason", "null"),
            };
        });
    }
}

//! A client's stream, written: one chunk for each step of any dialect's answer.
//! Source: platform.openai.com/docs/api-reference/chat-streaming, as recorded by 2026-11-21.

use std::collections::BTreeMap;

use super::answer::{id, write_finish};
use super::ways::CHAT;
use super::{fault, usage};
use crate::dialects::{Echo, StreamEncoder};
use crate::fault::Reading;
use crate::hub::{Event, Extras, Finish};
use crate::json::{RawJson, Writer};
use crate::loss::Losses;
use crate::usage::Usage;

mod blocks;
mod untold;

use blocks::Blocks;

/// Writes a stream of chunks.
#[derive(Debug)]
pub struct Encoder {
    echo: Echo,
    id: String,
    created: u64,
    /// The provider spoke this dialect too, so its words are the client's.
    is_home: bool,
    /// Fields of the whole answer that the next chunk tells.
    news: Vec<(String, RawJson)>,
    usage: Option<Usage>,
    usage_as_told: Option<RawJson>,
    lanes: BTreeMap<usize, Blocks>,
    losses: Losses,
    is_over: bool,
}

impl Encoder {
    /// A writer for one stream.
    #[must_use]
    pub fn new(echo: Echo) -> Self {
        Self {
            id: id("", &echo),
            created: echo.created,
            echo,
            is_home: false,
            news: Vec::new(),
            usage: None,
            usage_as_told: None,
            lanes: BTreeMap::new(),
            losses: Losses::default(),
            is_over: false,
        }
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut String) {
        if self.is_over {
            return;
        }
        untold::tell(event, self.is_home, &mut self.losses);
        match event {
            Event::Start { id: given, created, extras, .. } => {
                self.id = id(given, &self.echo);
                self.created = created.unwrap_or(self.created);
                self.is_home = extras.dialect == Some(CHAT);
                self.learn(extras);
                self.greet(0, out);
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Extras(extras) => self.learn(extras),
            Event::Finish { candidate, finish, extras, .. } => self.finish(*candidate, (finish, extras), out),
            Event::Fault(reading) => self.fail(reading, out),
            Event::Open(at, _)
            | Event::Text(at, _)
            | Event::Arguments(at, _)
            | Event::Sealed(at, _)
            | Event::Cited(at, _)
            | Event::Close(at) => self.say(at.candidate, event, out),
        }
    }

    fn end(&mut self, out: &mut String) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        if self.echo.stream_usage && (self.usage.is_some() || self.usage_as_told.is_some()) {
            self.tell_usage(out);
        }
        out.push_str("data: [DONE]\n\n");
    }

    fn losses(&self) -> &Losses {
        &self.losses
    }
}

impl Encoder {
    /// Keeps the fields that are this dialect's; the usage comes last.
    fn learn(&mut self, extras: &Extras) {
        for (name, raw) in extras.of(CHAT) {
            if name == "usage" {
                self.usage_as_told = Some(raw.clone());
            } else {
                self.news.retain(|(known, _)| known != name);
                self.news.push((name.clone(), raw.clone()));
            }
        }
    }

    /// The first chunk of a candidate says only who speaks.
    fn greet(&mut self, candidate: usize, out: &mut String) {
        if !self.lanes.contains_key(&candidate) {
            self.lanes.insert(candidate, Blocks::new(&self.echo, candidate));
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
            finish => write_finish(finish, self.is_home),
        };
        self.chunk(candidate, "{}", Some((reason, extras)), out);
    }

    fn chunk(&mut self, candidate: usize, delta: &str, finish: Option<(&str, &Extras)>, out: &mut String) {
        self.frame(out, |object| {
            object.list_of("choices", [()], |out, ()| {
                let mut choice = Writer::object(out);
                choice.number("index", candidate as u64).raw("delta", delta);
                match finish {
                    Some((reason, extras)) => choice.string("finish_reason", reason).all(extras.of(CHAT)),
                    None => choice.raw("finish_reason", "null"),
                };
                choice.end();
            });
        });
    }

    fn tell_usage(&mut self, out: &mut String) {
        let (told, usage) = (self.usage_as_told.take(), self.usage.unwrap_or_default());
        self.frame(out, |object| {
            object.raw("choices", "[]");
            match told {
                Some(told) => object.raw("usage", told.get()),
                None => object.field("usage", |out| usage::write(out, &usage)),
            };
        });
    }

    fn frame(&mut self, out: &mut String, fill: impl FnOnce(&mut Writer<'_>)) {
        out.push_str("data: ");
        let mut object = Writer::object(out);
        object.string("id", &self.id).string("object", "chat.completion.chunk");
        object.number("created", self.created).string("model", &self.echo.model);
        fill(&mut object);
        object.all(&std::mem::take(&mut self.news));
        object.end();
        out.push_str("\n\n");
    }

    fn fail(&mut self, reading: &Reading, out: &mut String) {
        self.is_over = true;
        let message = reading.message.as_deref().unwrap_or("the provider failed in the middle of the answer");
        out.push_str(&format!("data: {}\n\n", fault::encode(reading.class, message)));
    }
}

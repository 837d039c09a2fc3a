//! Events to a stream for a client.
//!
//! Clients want one block after the other, numbered from 0; other dialects may fill several at once. So a text
//! or thought that gives way to another block goes on in a block of its own, and what comes beside an open call
//! waits until the call is complete, since a call cannot be cut. A text begins with its first word: Gemini ends its
//! streams with an empty one, and Claude Code takes the last text of an answer for what was said.

use std::collections::BTreeMap;

use super::super::{Echo, StreamEncoder, untold};
use super::plain::is_home;
use super::stream_frames::{self as frames, Ending};
use super::{HOME, answer, blocks_encode, fault, stop};
use crate::hub::{At, Body, Event, Extras, Finish, Opening, Seal};
use crate::json::RawJson;
use crate::loss::Losses;
use crate::usage::Usage;

/// Writes one stream.
#[derive(Debug)]
pub struct Encoder {
    echo: Echo,
    stage: Stage,
    /// The number of the next block.
    next: u64,
    live: Option<Live>,
    /// Blocks that gave way to another and may go on, and texts without words.
    paused: BTreeMap<At, Kind>,
    waiting: Vec<Event>,
    ending: Told,
    losses: Losses,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Before,
    Within,
    Over,
}

#[derive(Debug)]
struct Live {
    at: At,
    index: u64,
    kind: Kind,
    seal: Option<Seal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Call,
    Whole,
}

/// What the last frames will say.
#[derive(Debug, Default)]
struct Told {
    finish: Option<Finish>,
    stop: Option<String>,
    usage: Usage,
    raw_usage: Option<RawJson>,
    extras: Extras,
    has_calls: bool,
}

impl Encoder {
    /// A writer for one stream.
    #[must_use]
    pub fn new(echo: Echo) -> Self {
        Self {
            echo,
            stage: Stage::Before,
            next: 0,
            live: None,
            paused: BTreeMap::new(),
            waiting: Vec::new(),
            ending: Told::default(),
            losses: Losses::default(),
        }
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut String) {
        if self.stage == Stage::Over {
            return;
        }
        match event {
            Event::Start { id, extras, .. } => {
                untold::tell(extras, HOME, "", &mut self.losses);
                self.start(id, extras, out);
            }
            Event::Usage(usage) => self.ending.usage = *usage,
            Event::Finish { candidate: 0, finish, stop, extras } => {
                untold::tell(extras, HOME, "choices.", &mut self.losses);
                if matches!(finish, Finish::Other(_)) && !is_home(&self.ending.extras) {
                    self.losses.once("finish_reason", "Anthropic's clients know no such reason");
                }
                self.ending.finish = Some(finish.clone());
                self.ending.stop.clone_from(stop);
            }
            Event::Finish { .. } => self.losses.once("choices", "Anthropic's clients read one answer"),
            Event::Extras(extras) => {
                untold::tell(extras, HOME, "", &mut self.losses);
                self.ending.keep(extras);
            }
            Event::Fault(reading) => {
                self.stage = Stage::Over;
                let message = reading.message.as_deref().unwrap_or("the provider failed");
                out.push_str("event: error\ndata: ");
                out.push_str(&fault::encode(reading.class, message));
                out.push_str("\n\n");
            }
            _ => {
                if let Some(at) = place(event).filter(|at| at.candidate == 0) {
                    self.start("", &Extras::default(), out);
                    self.step(at, event, out);
                    self.catch_up(out);
                }
            }
        }
    }

    fn end(&mut self, out: &mut String) {
        if self.stage == Stage::Over {
            return;
        }
        self.start("", &Extras::default(), out);
        self.stop(out);
        while !self.waiting.is_empty() {
            self.catch_up(out);
            self.stop(out);
        }
        self.stage = Stage::Over;
        let Told { finish, stop, usage, raw_usage, extras, has_calls } = &self.ending;
        let reason = stop::write(finish.as_ref(), extras, *has_calls);
        let ending =
            Ending { reason, stop: stop.as_deref(), extras, raw_usage: raw_usage.as_ref(), usage: *usage };
        frames::message_delta(out, &ending);
        frames::frame(out, "message_stop", |_| {});
    }

    fn losses(&self) -> &Losses {
        &self.losses
    }
}

impl Told {
    fn keep(&mut self, extras: &Extras) {
        if let Some(raw) = frames::raw_usage(extras) {
            self.raw_usage = Some(raw.clone());
        }
        self.extras.dialect = self.extras.dialect.or(extras.dialect);
        self.extras.notes.extend_from_slice(&extras.notes);
        self.extras.fields.extend_from_slice(&extras.fields);
    }
}

impl Encoder {
    fn start(&mut self, id: &str, extras: &Extras, out: &mut String) {
        if self.stage != Stage::Before {
            return;
        }
        self.stage = Stage::Within;
        // What else it has is in the first frame.
        self.ending.keep(&Extras { fields: Vec::new(), ..extras.clone() });
        self.ending.raw_usage = frames::raw_usage(extras).cloned();
        frames::message_start(out, (id, extras), &self.echo);
    }

    /// Does what an event of a block asks, or lets it wait.
    fn step(&mut self, at: At, event: &Event, out: &mut String) {
        let is_live = self.live.as_ref().is_some_and(|live| live.at == at);
        if !is_live && (self.is_in_call() || !self.waiting.is_empty()) {
            self.waiting.push(event.clone());
            return;
        }
        match event {
            Event::Open(_, opening) => self.open(at, opening, out),
            Event::Close(_) if is_live => self.stop(out),
            Event::Close(_) => drop(self.paused.remove(&at)),
            Event::Text(_, more) if more.is_empty() => {}
            _ => {
                if !is_live {
                    self.resume(at, out);
                }
                self.fill(at, event, out);
            }
        }
    }

    fn is_in_call(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.kind == Kind::Call)
    }

    /// Does what waited, in order, as far as no call is in the way. Each round completes a call, so it ends.
    fn catch_up(&mut self, out: &mut String) {
        while !self.waiting.is_empty() && !self.is_in_call() {
            for event in std::mem::take(&mut self.waiting) {
                if let Some(at) = place(&event) {
                    self.step(at, &event, out);
                }
            }
        }
    }

    fn open(&mut self, at: At, opening: &Opening, out: &mut String) {
        untold::tell(&opening.extras, HOME, "content.", &mut self.losses);
        if !answer::has_place(&opening.body) {
            self.losses.once("content", "Anthropic's clients know no such block");
        } else if answer::is_silent(&opening.body) && !is_home(&self.ending.extras) {
            self.paused.insert(at, Kind::Text);
        } else {
            self.begin(at, opening, out);
        }
    }

    fn begin(&mut self, at: At, opening: &Opening, out: &mut String) {
        self.pause(out);
        let (kind, text, seal) = match &opening.body {
            Body::Text(text) | Body::Refusal(text) => (Kind::Text, text.as_str(), None),
            Body::Thinking { seal, .. } if seal.as_ref().and_then(blocks_encode::redacted).is_some() => {
                (Kind::Whole, "", None)
            }
            Body::Thinking { text, seal } => (Kind::Thinking, text.as_str(), seal.clone()),
            Body::ToolCall { arguments, seal, .. } => (Kind::Call, arguments.as_str(), seal.clone()),
            _ => (Kind::Whole, "", None),
        };
        self.ending.has_calls |= kind == Kind::Call;
        let index = self.number();
        let call_id = answer::call_id(&opening.body, at.part, &self.echo);
        frames::block_start(out, index, opening, &call_id);
        self.live = Some(Live { at, index, kind, seal });
        self.write(text, out);
    }

    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    fn fill(&mut self, at: At, event: &Event, out: &mut String) {
        let Some(live) = self.live.as_mut().filter(|live| live.at == at) else { return };
        match (event, live.kind) {
            (Event::Text(_, more), Kind::Text | Kind::Thinking) | (Event::Arguments(_, more), Kind::Call) => {
                self.write(more, out);
            }
            (Event::Sealed(_, more), Kind::Thinking | Kind::Call) => match &mut live.seal {
                Some(seal) if seal.dialect == more.dialect => seal.bytes.push_str(&more.bytes),
                seal => *seal = Some(more.clone()),
            },
            (Event::Cited(_, citation), Kind::Text) => {
                frames::citation(out, live.index, citation);
                if citation.span.is_some() {
                    let note = "Anthropic's citations belong to a whole block";
                    self.losses.once("content.annotations.start_index", note);
                }
                untold::tell(&citation.extras, HOME, "content.annotations.", &mut self.losses);
            }
            _ => {}
        }
    }

    fn write(&self, more: &str, out: &mut String) {
        let Some(live) = self.live.as_ref().filter(|_| !more.is_empty()) else { return };
        let kind = match live.kind {
            Kind::Text => ("text_delta", "text"),
            Kind::Thinking => ("thinking_delta", "thinking"),
            Kind::Call => ("input_json_delta", "partial_json"),
            Kind::Whole => return,
        };
        frames::delta(out, live.index, kind, more);
    }

    /// The block in progress gives way.
    fn pause(&mut self, out: &mut String) {
        if let Some(live) = &self.live {
            self.paused.insert(live.at, live.kind);
        }
        self.stop(out);
    }

    /// A text or thought that gave way goes on as a new block, a text that had no words begins.
    fn resume(&mut self, at: At, out: &mut String) {
        let body = match self.paused.remove(&at) {
            Some(Kind::Text) => Body::Text(String::new()),
            Some(Kind::Thinking) => Body::Thinking { text: String::new(), seal: None },
            Some(Kind::Call | Kind::Whole) | None => return,
        };
        self.begin(at, &Opening { body, extras: Extras::default() }, out);
    }

    fn stop(&mut self, out: &mut String) {
        let Some(Live { index, kind, seal, .. }) = self.live.take() else { return };
        let token = seal.as_ref().map(|seal| seal.to_token(HOME)).filter(|_| kind == Kind::Thinking);
        if let Some(token) = token {
            frames::delta(out, index, ("signature_delta", "signature"), &token);
        }
        frames::block_stop(out, index);
        if let (Kind::Call, Some(seal)) = (kind, &seal) {
            let index = self.number();
            frames::sealing_block(out, index, &answer::call_seal(seal));
        }
    }
}

/// The block that an event is about.
fn place(event: &Event) -> Option<At> {
    match event {
        Event::Open(at, _)
        | Event::Text(at, _)
        | Event::Arguments(at, _)
        | Event::Sealed(at, _)
        | Event::Cited(at, _)
        | Event::Close(at) => Some(*at),
        Event::Start { .. } | Event::Usage(_) | Event::Finish { .. } | Event::Extras(_) | Event::Fault(_) => {
            None
        }
    }
}

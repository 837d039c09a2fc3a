//! A provider's stream to events.
//!
//! Blocks nobody models are gathered and told whole when they end: their calls come in pieces too.
//! Source: platform.claude.com/docs/en/build-with-claude/streaming, read 2026-11-21.

use std::collections::BTreeMap;

use super::super::{Frame, StreamDecoder};
use super::{HOME, answer, blocks_decode, citations, fault, plain, stop, usage};
use crate::fault::{FaultClass, Reading};
use crate::hub::{At, Body, Event, Extras, Opening, Part, Seal};
use crate::json::{Fields, RawJson, string};

/// Reads one stream.
#[derive(Debug, Default)]
pub struct Decoder {
    /// By the provider's own numbers.
    open: BTreeMap<u64, Block>,
    /// How many blocks the hub knows.
    told: usize,
    /// A message, or a block of it, has begun.
    is_started: bool,
    /// All that was said of it so far, later over earlier.
    usage: Vec<(String, RawJson)>,
    state: State,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Running,
    /// A reason to end has come; only `message_stop` is missing.
    Complete,
    /// Nothing more is read.
    Over,
}

#[derive(Debug)]
enum Block {
    /// Told when it began.
    Plain(At),
    /// Told when it began. Without pieces, its arguments are those it began with.
    Call { at: At, input: Option<String> },
    /// Told when it ends.
    Foreign(Gathered),
}

#[derive(Debug)]
struct Gathered {
    fields: Vec<(String, RawJson)>,
    input: String,
    /// Texts that came in pieces, by field.
    texts: BTreeMap<String, String>,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.state == State::Over {
            return;
        }
        let Some(mut fields) = Fields::parse(frame.data) else { return };
        let kind = fields.take_string("type");
        match kind.as_deref().or(frame.event).unwrap_or_default() {
            // A second one is of no message: there is one in a stream.
            "message_start" if self.is_started => {}
            "message_start" => self.start(&mut fields, events),
            "content_block_start" => self.open(&mut fields, events),
            "content_block_delta" => self.add(&mut fields, events),
            "content_block_stop" => {
                let index = fields.take_u64("index").unwrap_or_default();
                self.close(index, events);
            }
            "message_delta" => self.change(fields, events),
            "message_stop" if self.is_started || self.state == State::Complete => self.stop(events),
            "message_stop" => self.cut(events),
            "error" => {
                self.state = State::Over;
                events.push(Event::Fault(fault::read(frame.data)));
            }
            _ => {}
        }
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        match self.state {
            State::Over => {}
            // Some servers leave out the last frame; nothing is missing then.
            State::Complete => self.stop(events),
            State::Running => self.cut(events),
        }
    }
}

impl Decoder {
    fn start(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        self.is_started = true;
        let mut message = fields.take_object("message").unwrap_or_default();
        let (id, model) = answer::head(&mut message);
        // Empty until the end: `message_delta` tells them.
        for key in ["content", "stop_reason", "stop_sequence"] {
            message.take_any(key);
        }
        self.usage = message.get("usage").and_then(Fields::read).unwrap_or_default().rest();
        let counted = message.get("usage").and_then(|raw| usage::read(raw.get()));
        events.push(Event::Start { id, model, created: None, extras: Extras::new(HOME, message.rest()) });
        events.extend(counted.map(Event::Usage));
    }

    fn open(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        self.is_started = true;
        let index = fields.take_u64("index").unwrap_or_default();
        self.close(index, events);
        let Some(raw) = fields.take("content_block") else { return };
        let Part { body, citations, mut extras, .. } = blocks_decode::read(raw);
        // How an empty beginning is written says nothing.
        extras.notes.clear();
        let (body, input) = match body {
            Body::Foreign { .. } => {
                let fields = Fields::read(raw).unwrap_or_default().rest();
                let gathered = Gathered { fields, input: String::new(), texts: BTreeMap::new() };
                self.open.insert(index, Block::Foreign(gathered));
                return;
            }
            Body::ToolCall { id, name, arguments, seal } => {
                (Body::ToolCall { id, name, arguments: String::new(), seal }, Some(arguments))
            }
            body => (body, None),
        };
        let at = self.next_place();
        events.push(Event::Open(at, Opening { body, extras }));
        events.extend(citations.into_iter().map(|citation| Event::Cited(at, citation)));
        let block = if input.is_some() { Block::Call { at, input } } else { Block::Plain(at) };
        self.open.insert(index, block);
    }

    fn next_place(&mut self) -> At {
        let at = At { candidate: 0, part: self.told };
        self.told += 1;
        at
    }

    fn add(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        let index = fields.take_u64("index").unwrap_or_default();
        let Some(mut delta) = fields.take_object("delta") else { return };
        let kind = delta.take_string("type").unwrap_or_default();
        match self.open.get_mut(&index) {
            Some(Block::Plain(at)) => events.extend(plain_delta(*at, &kind, &mut delta)),
            Some(Block::Call { at, input }) => {
                let more = delta.take_string("partial_json").filter(|more| !more.is_empty());
                if let (Some(more), "input_json_delta") = (more, kind.as_str()) {
                    *input = None;
                    events.push(Event::Arguments(*at, more));
                }
            }
            Some(Block::Foreign(gathered)) => gathered.add(&kind, delta),
            None => {}
        }
    }

    fn close(&mut self, index: u64, events: &mut Vec<Event>) {
        let at = match self.open.remove(&index) {
            None => return,
            Some(Block::Plain(at)) => at,
            Some(Block::Call { at, input }) => {
                events.extend(input.map(|input| Event::Arguments(at, input)));
                at
            }
            Some(Block::Foreign(gathered)) => {
                let Some(json) = gathered.whole() else { return };
                let at = self.next_place();
                let body = Body::Foreign { dialect: HOME, json };
                events.push(Event::Open(at, Opening { body, extras: Extras::default() }));
                at
            }
        };
        events.push(Event::Close(at));
    }

    fn change(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let mut delta = fields.take_object("delta").unwrap_or_default();
        let mut notes = Vec::new();
        if let Some(reason) = delta.take_string("stop_reason") {
            let (finish, note) = stop::read(reason);
            notes.extend(note);
            let stop = delta.take_string("stop_sequence");
            events.push(Event::Finish { candidate: 0, finish, stop, extras: Extras::default() });
            self.state = State::Complete;
        }
        if let Some(more) = fields.take_object("usage") {
            usage::merge(&mut self.usage, more.rest());
        }
        let mut rest = delta.rest();
        rest.extend(fields.rest());
        if let Some(all) = plain::object(&self.usage).filter(|_| !self.usage.is_empty()) {
            events.extend(usage::read(all.get()).map(Event::Usage));
            rest.push(("usage".to_owned(), all));
        }
        events.push(Event::Extras(Extras { notes, ..Extras::new(HOME, rest) }));
    }

    fn cut(&mut self, events: &mut Vec<Event>) {
        self.stop(events);
        let message = Some("the stream ended before the message did".to_owned());
        events.push(Event::Fault(Reading { class: FaultClass::Garbled, message, is_json: false }));
    }

    fn stop(&mut self, events: &mut Vec<Event>) {
        self.state = State::Over;
        while let Some((&index, _)) = self.open.first_key_value() {
            self.close(index, events);
        }
    }
}

fn plain_delta(at: At, kind: &str, delta: &mut Fields<'_>) -> Option<Event> {
    match kind {
        "text_delta" => delta.take_string("text").map(|more| Event::Text(at, more)),
        "thinking_delta" => delta.take_string("thinking").map(|more| Event::Text(at, more)),
        "signature_delta" => {
            let token = delta.take_string("signature").filter(|token| !token.is_empty())?;
            Some(Event::Sealed(at, Seal::from_token(&token, HOME)))
        }
        "citations_delta" => {
            citations::read(delta.take("citation")?).map(|citation| Event::Cited(at, citation))
        }
        _ => None,
    }
}

impl Gathered {
    /// Arguments are put together to `input`; of any other delta (`compaction_delta`), each text goes on the
    /// block's text of the same name.
    fn add(&mut self, kind: &str, mut delta: Fields<'_>) {
        if kind == "input_json_delta" {
            self.input.push_str(&delta.take_string("partial_json").unwrap_or_default());
            return;
        }
        for (name, raw) in delta.rest() {
            if let Ok(more) = serde_json::from_str::<String>(raw.get()) {
                let began = self.fields.iter().find(|(known, _)| *known == name);
                let text = self.texts.entry(name).or_insert_with(|| {
                    began.and_then(|(_, raw)| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
                });
                text.push_str(&more);
            }
        }
    }

    fn whole(mut self) -> Option<RawJson> {
        let input = RawJson::parse(&self.input).map(|input| ("input".to_owned(), input));
        let texts = self.texts.into_iter();
        let texts = texts.filter_map(|(name, text)| Some((name, RawJson::parse(&string(&text))?)));
        usage::merge(&mut self.fields, texts.chain(input).collect());
        plain::object(&self.fields)
    }
}

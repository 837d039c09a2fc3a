//! What one candidate of a stream says: deltas to blocks.
//!
//! A chunk has no blocks. One begins when another kind of thing is said, and ends the one before it, unless that is a
//! call which is not whole: some servers tell their calls in turns.

use catalogue::Dialect;
use serde_json::value::RawValue;

use super::answer::image;
use super::details::Details;
use super::ways::{CHAT, Node};
use super::{calls, citations, content, thinking};
use crate::dialects::anthropic::REDACTED;
use crate::hub::{At, Body, Citation, Event, Extras, Finish, Opening, Part, Seal};
use crate::json::{Fields, RawJson};

mod extent;
mod tool_calls;

use tool_calls::Known;

/// The state of one candidate.
#[derive(Debug)]
pub(super) struct Lane {
    candidate: usize,
    /// How many blocks there have been.
    parts: usize,
    open: Option<(At, Kind)>,
    calls: Vec<Known>,
    /// State of the open thought, told when it closes.
    details: Details,
    /// Sources that came before any text.
    sources: Vec<Citation>,
    /// Held until the stream ends.
    pub(super) finish: Option<Finish>,
    /// What nobody models, the last of each name: `logprobs`, filters, the provider's own reason.
    rest: Vec<(String, RawJson)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Refusal,
    Thinking,
    Call,
    Other,
}

impl Lane {
    pub(super) fn new(candidate: usize) -> Self {
        Self {
            candidate,
            parts: 0,
            open: None,
            calls: Vec::new(),
            details: Details::default(),
            sources: Vec::new(),
            finish: None,
            rest: Vec::new(),
        }
    }

    /// Reads one delta, in the order of a whole message.
    pub(super) fn delta(&mut self, mut delta: Fields<'_>, events: &mut Vec<Event>) {
        self.thoughts(&mut delta, events);
        if let Some(text) = delta.take_string("content") {
            self.say(Kind::Text, text, Extras::default(), events);
        }
        for raw in delta.take_list("content").unwrap_or_default() {
            self.listed(raw, events);
        }
        if let Some(text) = delta.take_string("refusal") {
            self.say(Kind::Refusal, text, Extras::default(), events);
        }
        for part in delta.take_list("images").into_iter().flatten().filter_map(image) {
            self.whole(part, events);
        }
        let sources = delta.take_list("annotations").into_iter().flatten();
        self.sources.extend(sources.filter_map(citations::citation));
        self.cite(events);
        self.tool_calls(&mut delta, events);
    }

    /// Keeps what is left of a choice.
    pub(super) fn keep(&mut self, choice: Fields<'_>) {
        let said = choice.rest().into_iter().filter(|(_, raw)| !matches!(raw.get(), "null" | "{}" | "[]"));
        for (name, raw) in said {
            self.rest.retain(|(known, _)| *known != name);
            self.rest.push((name, raw));
        }
    }

    /// Closes what is open, and tells why the answer ended.
    pub(super) fn end(&mut self, events: &mut Vec<Event>) {
        if !self.sources.is_empty() {
            self.begin(Kind::Text, Body::Text(String::new()), Extras::default(), events);
            self.cite(events);
        }
        self.close(events);
        self.close_calls(events);
        if let Some(finish) = self.finish.take() {
            let mut extras = Extras::default();
            if !self.rest.is_empty() {
                extras = Extras::new(CHAT, std::mem::take(&mut self.rest));
            }
            events.push(Event::Finish { candidate: self.candidate, finish, stop: None, extras });
        }
    }

    fn thoughts(&mut self, delta: &mut Fields<'_>, events: &mut Vec<Event>) {
        let plain = delta.take_string("reasoning_content");
        let other = delta.take_string("reasoning");
        let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let mut style = Node::default();
        match (said(&plain), said(&other)) {
            (true, true) => style.note("reasoning:both"),
            (false, true) => style.note("reasoning"),
            _ => {}
        }
        let text = plain.filter(|text| !text.is_empty()).or(other).unwrap_or_default();
        self.say(Kind::Thinking, text, style.extras(), events);
        let details = delta.take_list("reasoning_details").unwrap_or_default();
        if !details.is_empty() {
            self.ensure(Kind::Thinking, events);
            self.details.push(details);
        }
        for raw in delta.take_list("thinking_blocks").unwrap_or_default() {
            self.block(raw, events);
        }
    }

    /// LiteLLM's blocks: the text is that of `reasoning_content`, so only the seal is new.
    fn block(&mut self, raw: &RawValue, events: &mut Vec<Event>) {
        let Some(mut block) = Fields::read(raw) else { return };
        if let Some(data) = block.take_string("data") {
            let (mut seal, is_bare) = thinking::open(&data, Dialect::Anthropic);
            if is_bare {
                seal.bytes.insert_str(0, REDACTED);
            }
            self.whole(Part::new(Body::Thinking { text: String::new(), seal: Some(seal) }), events);
            return;
        }
        let is_open = matches!(self.open, Some((_, Kind::Thinking)));
        if let Some(text) = block.take_string("thinking").filter(|_| !is_open) {
            self.say(Kind::Thinking, text, Extras::default(), events);
        }
        if let Some(token) = block.take_string("signature").filter(|token| !token.is_empty()) {
            let at = self.ensure(Kind::Thinking, events);
            events.push(Event::Sealed(at, thinking::open(&token, Dialect::Anthropic).0));
            self.close(events);
        }
    }

    /// A part of a content that is a list: Mistral's.
    fn listed(&mut self, raw: &RawValue, events: &mut Vec<Event>) {
        let part = content::part(raw);
        match part.body {
            Body::Text(text) => self.say(Kind::Text, text, Extras::default(), events),
            Body::Thinking { text, .. } => {
                let mut style = Node::default();
                style.note("chunk");
                self.say(Kind::Thinking, text, style.extras(), events);
            }
            _ => self.whole(part, events),
        }
    }

    fn say(&mut self, kind: Kind, text: String, extras: Extras, events: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        match self.open {
            Some((at, open)) if open == kind => events.push(Event::Text(at, text)),
            _ => {
                self.begin(kind, body(kind, text), extras, events);
            }
        }
    }

    fn ensure(&mut self, kind: Kind, events: &mut Vec<Event>) -> At {
        match self.open {
            Some((at, open)) if open == kind => at,
            _ => self.begin(kind, body(kind, String::new()), Extras::default(), events),
        }
    }

    fn begin(&mut self, kind: Kind, body: Body, extras: Extras, events: &mut Vec<Event>) -> At {
        self.close(events);
        let at = At { candidate: self.candidate, part: self.parts };
        self.parts += 1;
        self.open = Some((at, kind));
        events.push(Event::Open(at, Opening { body, extras }));
        at
    }

    fn whole(&mut self, part: Part, events: &mut Vec<Event>) {
        self.begin(Kind::Other, part.body, part.extras, events);
        self.close(events);
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        let Some((at, kind)) = self.open.take() else { return };
        if kind == Kind::Call && self.waits(at) {
            return;
        }
        if kind == Kind::Thinking
            && let Some(bytes) = self.details.take()
        {
            events.push(Event::Sealed(at, Seal { dialect: CHAT, bytes }));
        }
        events.push(Event::Close(at));
    }

    fn cite(&mut self, events: &mut Vec<Event>) {
        if let Some((at, Kind::Text)) = self.open {
            events.extend(self.sources.drain(..).map(|source| Event::Cited(at, source)));
        }
    }
}

fn body(kind: Kind, text: String) -> Body {
    match kind {
        Kind::Refusal => Body::Refusal(text),
        Kind::Thinking => Body::Thinking { text, seal: None },
        Kind::Text | Kind::Call | Kind::Other => Body::Text(text),
    }
}

/// A call of the older form has no id and no place.
fn legacy(delta: &mut Fields<'_>) -> Option<(String, String)> {
    let mut call = delta.take_object("function_call")?;
    let name = call.take_string("name").unwrap_or_default();
    Some((name, call.take_string("arguments").unwrap_or_default()))
}

/// One element of `tool_calls`, as far as it is needed to know which call it belongs to.
fn peek(raw: &RawValue) -> Option<(Option<u64>, String, bool)> {
    let mut call = Fields::read(raw)?;
    let index = call.take_u64("index");
    let (id, _) = calls::split_id(call.take_string("id").unwrap_or_default());
    let name = call.take_object("function").and_then(|mut function| function.take_string("name"));
    Some((index, id, name.is_some_and(|name| !name.is_empty())))
}

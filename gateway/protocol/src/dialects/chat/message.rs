//! What an assistant says: the same in the messages of a request and in the choices of an answer.

use super::calls::{self, Call};
use super::content::{self, Caches};
use super::thinking;
use super::ways::{Blank, CHAT, Node, has, write_blanks, write_cache};
use crate::hub::{Body, Extras, Part, Seal};
use crate::json::Writer;

const BLANKS: [Blank; 15] = [
    Blank("refusal", "null", "refusal:null"),
    Blank("refusal", "\"\"", "refusal:empty"),
    Blank("tool_calls", "null", "tool_calls:null"),
    Blank("tool_calls", "[]", "tool_calls:[]"),
    Blank("function_call", "null", "function_call:null"),
    Blank("audio", "null", "audio:null"),
    Blank("images", "null", "images:null"),
    Blank("annotations", "null", "annotations:null"),
    Blank("annotations", "[]", "annotations:[]"),
    Blank("reasoning", "null", "reasoning:null"),
    Blank("reasoning", "\"\"", "reasoning:empty"),
    Blank("reasoning_content", "null", "reasoning_content:null"),
    Blank("reasoning_content", "\"\"", "reasoning_content:empty"),
    Blank("reasoning_details", "null", "reasoning_details:null"),
    Blank("reasoning_details", "[]", "reasoning_details:[]"),
];

/// Takes thoughts, content, refusal and calls, in this order.
pub(super) fn decode(node: &mut Node<'_>) -> Vec<Part> {
    node.blanks(&BLANKS);
    let mut parts = thinking::decode(node);
    parts.extend(content::decode(node));
    parts.extend(node.fields.take_string("refusal").map(|text| Part::new(Body::Refusal(text))));
    let calls = node.fields.take_list("tool_calls").into_iter().flatten().enumerate();
    parts.extend(calls.map(|(at, raw)| calls::decode(at, raw)));
    parts.extend(calls::decode_legacy(node));
    parts
}

/// Who reads the message. A provider gets only what it has written; a client keeps it for whom it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Provider,
    Client,
}

/// What an assistant says, to be written.
#[derive(Debug)]
pub(super) struct Said<'p> {
    pub(super) parts: Vec<&'p Part>,
    /// Of the message.
    pub(super) extras: &'p Extras,
    pub(super) reader: Reader,
    pub(super) caches: Caches,
}

impl<'p> Said<'p> {
    /// What stands in `content`.
    pub(super) fn content(&self) -> Vec<&'p Part> {
        self.parts.iter().copied().filter(|part| content::holds(part)).collect()
    }

    pub(super) fn has_calls(&self) -> bool {
        self.parts.iter().any(|part| is_call(part))
    }

    /// Writes all fields but `role` and `content`. `id` gives each call its id.
    pub(super) fn write(&self, object: &mut Writer<'_>, id: &mut dyn FnMut(&str, &str) -> String) {
        self.write_thoughts(object);
        let refusals = self.parts.iter().filter(|part| !content::holds(part));
        let refused: String = refusals.filter_map(|part| refusal(part)).collect();
        if !refused.is_empty() {
            object.string("refusal", &refused);
        }
        self.write_calls(object, id);
        write_blanks(object, self.extras, &BLANKS);
    }

    fn write_thoughts(&self, object: &mut Writer<'_>) {
        let thoughts: Vec<Thought<'_>> = self.parts.iter().filter_map(|part| Thought::of(part)).collect();
        let repeats = self.extras.notes(CHAT, "reasoning_content:joined");
        let texts = thoughts.iter().filter(|thought| {
            !thought.extras.notes(CHAT, "reasoning:none") && (repeats || !thought.is_block())
        });
        let text: String = texts.map(|thought| thought.text).collect();
        let first = thoughts.first().map(|thought| thought.extras);
        if !text.is_empty() {
            let notes = |note| first.is_some_and(|extras| extras.notes(CHAT, note));
            if notes("reasoning") || notes("reasoning:both") {
                object.string("reasoning", &text);
            }
            if !notes("reasoning") {
                object.string("reasoning_content", &text);
            }
        }
        let own = thoughts.iter().filter_map(|thought| thought.seal).filter(|seal| seal.dialect == CHAT);
        if let Some(details) = thinking::join_details(own) {
            object.raw("reasoning_details", &details);
        }
        self.write_blocks(object, &thoughts);
    }

    fn write_blocks(&self, object: &mut Writer<'_>, thoughts: &[Thought<'_>]) {
        let is_foreign = |thought: &&Thought<'_>| thought.seal.is_some_and(|seal| seal.dialect != CHAT);
        let any = thoughts.iter().any(|thought| thought.is_block())
            || (self.reader == Reader::Client && thoughts.iter().any(|thought| is_foreign(&thought)));
        if !any {
            return;
        }
        let blocks = thoughts.iter().filter(|thought| match self.reader {
            Reader::Provider => thought.is_block(),
            Reader::Client => thought.is_block() || thought.seal.is_none() || is_foreign(thought),
        });
        object.list_of("thinking_blocks", blocks, |out, thought| {
            thinking::write_block(out, thought.text, thought.seal, thought.extras);
        });
    }

    fn write_calls(&self, object: &mut Writer<'_>, id: &mut dyn FnMut(&str, &str) -> String) {
        let is_legacy = |part: &&&Part| part.extras.notes(CHAT, "function_call");
        let calls: Vec<_> = self.parts.iter().filter(|part| is_call(part)).collect();
        let listed: Vec<_> = calls.iter().copied().filter(|part| !is_legacy(part)).collect();
        if !listed.is_empty() {
            object.list_of("tool_calls", listed.into_iter().enumerate(), |out, (index, part)| {
                self.write_call(out, index, part, id);
            });
        }
        for part in calls.iter().copied().filter(is_legacy) {
            if let Body::ToolCall { name, arguments, .. } = &part.body {
                calls::write_legacy(object, name, arguments);
            }
        }
    }

    fn write_call(
        &self,
        out: &mut String,
        index: usize,
        part: &Part,
        id: &mut dyn FnMut(&str, &str) -> String,
    ) {
        match &part.body {
            Body::ToolCall { id: given, name, arguments, seal } => {
                let id = id(given, name);
                let seal = seal.as_ref().filter(|_| self.reader == Reader::Client || is_kept(part));
                let call = Call { id: &id, name, arguments, seal, extras: &part.extras };
                let mut object = Writer::object(out);
                call.write(&mut object, index);
                write_cache(&mut object, part.cache.as_ref().filter(|_| self.caches == Caches::Block));
                object.end();
            }
            Body::Foreign { json, .. } => out.push_str(json.get()),
            _ => {}
        }
    }
}

struct Thought<'p> {
    text: &'p str,
    seal: Option<&'p Seal>,
    extras: &'p Extras,
}

impl<'p> Thought<'p> {
    fn of(part: &'p Part) -> Option<Self> {
        match &part.body {
            Body::Thinking { text, seal } if !content::holds(part) => {
                Some(Self { text, seal: seal.as_ref(), extras: &part.extras })
            }
            _ => None,
        }
    }

    fn is_block(&self) -> bool {
        self.extras.notes(CHAT, "thinking_blocks")
    }
}

fn refusal(part: &Part) -> Option<&str> {
    match &part.body {
        Body::Refusal(text) => Some(text),
        _ => None,
    }
}

fn is_call(part: &Part) -> bool {
    match &part.body {
        Body::ToolCall { .. } => true,
        Body::Foreign { .. } => !content::holds(part),
        _ => false,
    }
}

/// Whether a seal of another dialect stood in this dialect's request, and so goes back where it stood.
pub(super) fn is_kept(part: &Part) -> bool {
    let notes = |note| part.extras.notes(CHAT, note);
    notes("thinking_blocks")
        || notes("extra_content")
        || has(&part.extras, "extra_content")
        || has(&part.extras, "id")
}

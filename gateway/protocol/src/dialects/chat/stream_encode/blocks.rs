//! The blocks of one candidate, as the deltas that tell them.

use std::collections::BTreeMap;

use super::super::answer;
use super::super::calls::{self, Call};
use super::super::ways::CHAT;
use super::super::{citations, thinking};
use crate::dialects::Echo;
use crate::hub::{At, Body, Event, Extras, MediaKind, Opening, Part, Seal};
use crate::json::{Writer, string};

/// What has been told of one candidate.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Made ids begin so.
    prefix: String,
    open: BTreeMap<At, Open>,
    /// How many tool calls there have been.
    calls: usize,
    /// How many characters of text there have been: citations count from the first of all texts.
    said: u64,
    /// A call was told in the older form.
    pub(super) is_legacy: bool,
}

/// A block that was opened, and may go on.
#[derive(Debug)]
enum Open {
    Text { before: u64, length: u64 },
    Refusal,
    Thinking { text: String, style: Style },
    Call { index: usize },
    Legacy,
}

/// The field that thoughts are told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Content,
    Reasoning,
    Both,
    Chunk,
}

impl Blocks {
    pub(super) fn new(echo: &Echo, candidate: usize) -> Self {
        let prefix = format!("call_{}_{candidate}", echo.id);
        Self { prefix, open: BTreeMap::new(), calls: 0, said: 0, is_legacy: false }
    }

    /// The deltas that tell `event`, as JSON objects.
    pub(super) fn deltas(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::Open(at, opening) => self.begin(*at, opening),
            Event::Text(at, more) => self.text(*at, more).into_iter().collect(),
            Event::Arguments(at, more) => self.arguments(*at, more).into_iter().collect(),
            Event::Sealed(at, seal) => self.seal(*at, seal).into_iter().collect(),
            Event::Cited(at, citation) => match self.open.get(at) {
                Some(Open::Text { before, length }) if citation.url.is_some() => {
                    let (before, length) = (*before, *length);
                    vec![list("annotations", |out| citations::write(out, citation, before, length))]
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn begin(&mut self, at: At, Opening { body, extras }: &Opening) -> Vec<String> {
        match body {
            Body::Text(text) => self.begin_text(at, Open::Text { before: self.said, length: 0 }, text),
            Body::Refusal(text) => self.begin_text(at, Open::Refusal, text),
            Body::Thinking { text, seal } => {
                let open = Open::Thinking { text: String::new(), style: style(extras) };
                let mut deltas = self.begin_text(at, open, text);
                deltas.extend(seal.as_ref().and_then(|seal| self.seal(at, seal)));
                deltas
            }
            Body::ToolCall { id, name, arguments, seal } => {
                vec![self.begin_call(at, (id, name, arguments), seal.as_ref(), extras)]
            }
            Body::Media(medium) if medium.kind == MediaKind::Image => {
                let part = Part { extras: extras.clone(), ..Part::new(body.clone()) };
                vec![list("images", |out| answer::write_image(out, &part, medium))]
            }
            Body::Foreign { dialect, json } if *dialect == CHAT => {
                vec![list("content", |out| out.push_str(json.get()))]
            }
            Body::Media(_) | Body::ToolResult { .. } | Body::Foreign { .. } => Vec::new(),
        }
    }

    fn begin_text(&mut self, at: At, open: Open, text: &str) -> Vec<String> {
        self.open.insert(at, open);
        self.text(at, text).into_iter().collect()
    }

    fn begin_call(
        &mut self,
        at: At,
        (id, name, arguments): (&str, &str, &str),
        seal: Option<&Seal>,
        extras: &Extras,
    ) -> String {
        if extras.notes(CHAT, "function_call") {
            self.is_legacy = true;
            self.open.insert(at, Open::Legacy);
            return object(|delta| calls::write_legacy(delta, name, arguments));
        }
        let index = self.calls;
        self.calls += 1;
        self.open.insert(at, Open::Call { index });
        let made = format!("{}{index}", self.prefix);
        let id = if id.is_empty() { made.as_str() } else { id };
        let call = Call { id, name, arguments, seal, extras };
        list("tool_calls", |out| {
            let mut object = Writer::object(out);
            object.number("index", index as u64);
            call.write(&mut object, index);
            object.end();
        })
    }

    fn text(&mut self, at: At, more: &str) -> Option<String> {
        if more.is_empty() {
            return None;
        }
        match self.open.get_mut(&at)? {
            Open::Text { length, .. } => {
                let count = more.chars().count() as u64;
                *length += count;
                self.said += count;
                Some(object(|delta| {
                    delta.string("content", more);
                }))
            }
            Open::Refusal => Some(object(|delta| {
                delta.string("refusal", more);
            })),
            Open::Thinking { text, style } => {
                text.push_str(more);
                Some(thought(*style, more))
            }
            Open::Call { .. } | Open::Legacy => None,
        }
    }

    fn arguments(&mut self, at: At, more: &str) -> Option<String> {
        match self.open.get(&at)? {
            Open::Call { index } => {
                let json = format!("{{\"index\":{index},\"function\":{{\"arguments\":{}}}}}", string(more));
                Some(list("tool_calls", |out| out.push_str(&json)))
            }
            Open::Legacy => Some(object(|delta| {
                delta.nested("function_call", |call| {
                    call.string("arguments", more);
                });
            })),
            _ => None,
        }
    }

    /// A seal comes with the whole text that it seals, so that a client can send both back.
    fn seal(&mut self, at: At, seal: &Seal) -> Option<String> {
        match self.open.get(&at)? {
            Open::Thinking { .. } if seal.dialect == CHAT => {
                let details = thinking::join_details([seal].into_iter())?;
                Some(object(|delta| {
                    delta.raw("reasoning_details", &details);
                }))
            }
            Open::Thinking { text, .. } => Some(list("thinking_blocks", |out| {
                thinking::write_block(out, text, Some(seal), &Extras::default());
            })),
            Open::Call { index } => Some(list("tool_calls", |out| {
                let mut call = Writer::object(out);
                call.number("index", *index as u64);
                calls::write_signature(&mut call, seal);
                call.end();
            })),
            _ => None,
        }
    }
}

fn style(extras: &Extras) -> Style {
    let styles = [("reasoning", Style::Reasoning), ("reasoning:both", Style::Both), ("chunk", Style::Chunk)];
    let noted = styles.into_iter().find(|(note, _)| extras.notes(CHAT, note));
    noted.map_or(Style::Content, |(_, style)| style)
}

fn thought(style: Style, text: &str) -> String {
    if style == Style::Chunk {
        return list("content", |out| {
            let mut part = Writer::object(out);
            thinking::write_chunk(&mut part, text, &Extras::default());
            part.end();
        });
    }
    object(|delta| {
        if style != Style::Reasoning {
            delta.string("reasoning_content", text);
        }
        if style != Style::Content {
            delta.string("reasoning", text);
        }
    })
}

fn object(fill: impl FnOnce(&mut Writer<'_>)) -> String {
    let mut text = String::new();
    let mut delta = Writer::object(&mut text);
    fill(&mut delta);
    delta.end();
    text
}

fn list(key: &str, element: impl FnOnce(&mut String)) -> String {
    object(|delta| {
        delta.field(key, |out| {
            let mut list = Writer::list(out);
            list.element(element);
            list.end();
        });
    })
}

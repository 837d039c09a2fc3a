//! Tool calls of a stream. OpenAI opens a call with id and name and goes on by its index; imitators send calls whole,
//! without index, or all under one index.

use serde_json::value::RawValue;

use super::super::calls;
use super::super::ways::Node;
use super::extent::Extent;
use super::{Kind, Lane, legacy, peek};
use crate::hub::{At, Body, Event, Part};
use crate::json::Fields;

/// A call that was opened.
#[derive(Debug)]
pub(super) struct Known {
    index: Option<u64>,
    id: String,
    at: At,
    arguments: Extent,
    is_open: bool,
}

impl Lane {
    pub(super) fn tool_calls(&mut self, delta: &mut Fields<'_>, events: &mut Vec<Event>) {
        for raw in delta.take_list("tool_calls").unwrap_or_default() {
            self.tool_call(raw, events);
        }
        let Some((name, arguments)) = legacy(delta) else { return };
        if name.is_empty() {
            self.more(self.calls.last().map(|call| call.at), &arguments, events);
            return;
        }
        let mut node = Node::default();
        node.note("function_call");
        let body = Body::ToolCall { id: String::new(), name, arguments, seal: None };
        self.open_call(None, String::new(), Part { extras: node.extras(), ..Part::new(body) }, events);
    }

    fn tool_call(&mut self, raw: &RawValue, events: &mut Vec<Event>) {
        let Some((index, id, is_named)) = peek(raw) else { return };
        let known = match index {
            Some(_) => self.calls.iter().rev().find(|call| call.index == index),
            None if is_named => None,
            None => self.calls.last(),
        };
        // Some number all their calls 0; an id and a name of its own make it another call.
        let goes_on = known.filter(|call| !is_named || id.is_empty() || call.id == id).map(|call| call.at);
        match goes_on {
            Some(at) => self.go_on(at, raw, events),
            None => self.start_call(index, id, raw, events),
        }
    }

    fn start_call(&mut self, index: Option<u64>, id: String, raw: &RawValue, events: &mut Vec<Event>) {
        let Some(mut node) = Node::read(raw) else { return };
        node.fields.take_any("index");
        if let Some(part) = calls::read(node) {
            self.open_call(index, id, part, events);
        }
    }

    fn open_call(&mut self, index: Option<u64>, id: String, part: Part, events: &mut Vec<Event>) {
        let mut extent = Extent::default();
        if let Body::ToolCall { arguments, .. } = &part.body {
            extent.push(arguments);
        }
        let at = self.begin(Kind::Call, part.body, part.extras, events);
        self.calls.push(Known { index, id, at, arguments: extent, is_open: true });
    }

    fn go_on(&mut self, at: At, raw: &RawValue, events: &mut Vec<Event>) {
        let Some(mut node) = Node::read(raw) else { return };
        if let Some(mut function) = node.fields.take_object("function") {
            let arguments = function.take_string("arguments");
            let whole = || function.take_raw("arguments").map(|raw| raw.get().to_owned());
            self.more(Some(at), &arguments.or_else(whole).unwrap_or_default(), events);
        }
        let seal = calls::signature(&mut node).filter(|_| self.opened(at).is_some());
        events.extend(seal.map(|seal| Event::Sealed(at, seal)));
    }

    /// What comes after a call is whole and another thing was said is not of it: some repeat all of it at the end.
    fn more(&mut self, at: Option<At>, arguments: &str, events: &mut Vec<Event>) {
        let Some(call) = at.and_then(|at| self.opened(at)).filter(|_| !arguments.is_empty()) else { return };
        call.arguments.push(arguments);
        events.push(Event::Arguments(call.at, arguments.to_owned()));
    }

    fn opened(&mut self, at: At) -> Option<&mut Known> {
        self.calls.iter_mut().find(|call| call.at == at && call.is_open)
    }

    /// Whether the call that was opened at `at` may go on, though something else is said now. It is closed if not.
    pub(super) fn waits(&mut self, at: At) -> bool {
        let Some(call) = self.opened(at) else { return false };
        call.is_open = !call.arguments.is_whole();
        call.is_open
    }

    /// Closes those that were never whole.
    pub(super) fn close_calls(&mut self, events: &mut Vec<Event>) {
        for call in self.calls.iter_mut().filter(|call| call.is_open) {
            call.is_open = false;
            events.push(Event::Close(call.at));
        }
    }
}

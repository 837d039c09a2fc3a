//! Reads a stream. Deltas are told as they come; what they lacked is filled in from the item when it is done, or
//! from the whole response at the end. Items that the provider ran come whole, when they are done.

use serde_json::value::RawValue;

use super::answer_decode::{self, Moment, Response};
use super::stream_item::{Item, Slot, USUAL};
use super::{content_decode, fault, item_decode, notes};
use crate::dialects::{Frame, StreamDecoder};
use crate::fault::{FaultClass, Reading};
use crate::hub::{Body, Event, Extras, Part, Role};
use crate::json::Fields;

/// Reads a stream.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    ended: bool,
    items: Vec<Item>,
    /// How many blocks have been opened.
    parts: usize,
    has_call: bool,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let Some(mut fields) = Fields::parse(frame.data) else { return };
        let kind = fields.take_string("type").or_else(|| frame.event.map(str::to_owned)).unwrap_or_default();
        match kind.as_str() {
            "error" => self.fail(fault::read(frame.data), events),
            "response.failed" => {
                let response = fields.take_object("response");
                let error = response.as_ref().and_then(|response| response.get("error")).map(RawValue::get);
                self.fail(fault::read(error.unwrap_or_default()), events);
            }
            "" if fields.get("error").is_some_and(|error| error.get() != "null") => {
                self.fail(fault::read(frame.data), events);
            }
            _ => self.read(&kind, fields, events),
        }
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        self.fail(cut(), events);
    }
}

impl Decoder {
    fn read(&mut self, kind: &str, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        match kind {
            "response.created" | "response.queued" | "response.in_progress" => {
                self.start(fields.take_object("response"), events);
            }
            "response.completed" | "response.incomplete" => self.finish(fields, events),
            "response.output_item.added" => self.item_added(&mut fields, events),
            "response.output_item.done" => {
                let index = self.index(&mut fields);
                if let Some(raw) = fields.take("item") {
                    self.item_done(index, raw, events);
                }
            }
            "response.content_part.added"
            | "response.reasoning_part.added"
            | "response.reasoning_summary_part.added" => self.part_added(&mut fields, events),
            "response.content_part.done" => self.part_done(&mut fields, events),
            "response.output_text.delta" => self.text(&mut fields, Body::Text(String::new()), None, events),
            "response.refusal.delta" => self.text(&mut fields, Body::Refusal(String::new()), None, events),
            "response.reasoning_summary_text.delta" => self.text(&mut fields, thinking(), None, events),
            "response.reasoning_text.delta" => {
                self.text(&mut fields, thinking(), Some(notes::REASONING_TEXT), events);
            }
            "response.function_call_arguments.delta" => self.arguments(&mut fields, events),
            "response.output_text.annotation.added" => {
                let index = self.index(&mut fields);
                let cited = fields.take("annotation").and_then(super::citation::read);
                if let (Some(cited), Some(item)) = (cited, self.find(index)) {
                    item.cite(cited, events);
                }
            }
            // The `.done` of texts and arguments, and the progress of tools: the items say it again.
            _ => {}
        }
    }

    fn start(&mut self, response: Option<Fields<'_>>, events: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        let Response { id, model, created, extras, .. } =
            Response::read(response.unwrap_or_default(), Moment::First);
        events.push(Event::Start { id, model, created, extras });
    }

    /// Where in the output; a provider that does not say means the last.
    fn index(&self, fields: &mut Fields<'_>) -> u64 {
        let last = self.items.last().map_or(0, |item| item.index);
        fields.take_u64("output_index").unwrap_or(last)
    }

    fn find(&mut self, index: u64) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.index == index)
    }

    fn item_added(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        self.start(None, events);
        let index = fields.take_u64("output_index").unwrap_or(self.items.len() as u64);
        let Some(raw) = fields.take("item") else { return };
        let turn = item_decode::read(raw);
        // What a reasoning item has now of its seal is not all of it, and its texts are still to come.
        let mut head = turn.extras;
        head.notes.retain(|note| *note != notes::EMPTY);
        let mut item = Item::new(index, Some(head));
        if let [Part { body: Body::ToolCall { .. }, .. }] = turn.parts.as_slice() {
            self.has_call = true;
            turn.parts.into_iter().for_each(|part| item.open(part, None, &mut self.parts, events));
        }
        self.items.push(item);
    }

    fn part_added(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        let (index, slot) = (self.index(fields), Slot::read(fields));
        let Some(raw) = fields.take("part") else { return };
        let part = item_decode::thought(raw).unwrap_or_else(|| content_decode::read(raw, Role::Assistant));
        // One that nobody models is taken whole, when it is done.
        if !matches!(part.body, Body::Foreign { .. }) {
            self.open(index, slot, part, events);
        }
    }

    fn part_done(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        let (index, slot) = (self.index(fields), Slot::read(fields));
        let Some(raw) = fields.take("part") else { return };
        let part = item_decode::thought(raw).unwrap_or_else(|| content_decode::read(raw, Role::Assistant));
        if matches!(part.body, Body::Foreign { .. }) {
            self.open(index, slot, part, events);
        } else if let Some(item) = self.find(index) {
            item.complete(&part, events);
        }
    }

    fn open(&mut self, index: u64, slot: Option<Slot>, part: Part, events: &mut Vec<Event>) {
        self.start(None, events);
        if self.find(index).is_none() {
            self.items.push(Item::new(index, None));
        }
        let Some(item) = self.items.iter_mut().find(|item| item.index == index) else { return };
        item.open(part, slot, &mut self.parts, events);
    }

    /// More of a text. If no block is open for it, its kind and note say what to open.
    fn text(
        &mut self,
        fields: &mut Fields<'_>,
        body: Body,
        note: Option<&'static str>,
        events: &mut Vec<Event>,
    ) {
        let (index, slot) = (self.index(fields), Slot::read(fields));
        let Some(delta) = fields.take_string("delta") else { return };
        if !self.find(index).is_some_and(|item| item.is_open(slot)) {
            let mut part = item_decode::plain(body);
            part.extras.notes.extend(note);
            self.open(index, slot, part, events);
        }
        if let Some(item) = self.find(index) {
            item.text(&delta, events);
        }
    }

    fn arguments(&mut self, fields: &mut Fields<'_>, events: &mut Vec<Event>) {
        let index = self.index(fields);
        if let (Some(delta), Some(item)) = (fields.take_string("delta"), self.find(index)) {
            item.arguments(&delta, events);
        }
    }

    fn item_done(&mut self, index: u64, raw: &RawValue, events: &mut Vec<Event>) {
        self.start(None, events);
        let parts = answer_decode::item(raw, &USUAL);
        self.has_call |= parts.iter().any(|part| matches!(part.body, Body::ToolCall { .. }));
        if self.find(index).is_none() {
            self.items.push(Item::new(index, None));
        }
        let count = &mut self.parts;
        if let Some(item) = self.items.iter_mut().find(|item| item.index == index) {
            item.done(parts, count, events);
        }
    }

    fn finish(&mut self, mut fields: Fields<'_>, events: &mut Vec<Event>) {
        let Some(raw) = fields.take("response") else { return };
        self.start(Fields::read(raw), events);
        let response = Response::read(Fields::read(raw).unwrap_or_default(), Moment::Last);
        let is_short = self.items.len() < response.output.len();
        for (index, raw) in (0..).zip(&response.output) {
            let is_known = self.find(index).is_some();
            if is_known || is_short {
                self.item_done(index, raw, events);
            }
        }
        self.items.iter_mut().for_each(|item| item.close(events));
        let finish = response.finish_with(self.has_call);
        events.push(Event::Extras(with_frame(response.extras, fields)));
        events.extend(response.usage.map(Event::Usage));
        events.extend(finish.map(|finish| Event::Finish {
            candidate: 0,
            finish,
            stop: None,
            extras: Extras::default(),
        }));
        self.ended = true;
    }

    fn fail(&mut self, reading: Reading, events: &mut Vec<Event>) {
        self.ended = true;
        events.push(Event::Fault(reading));
    }
}

/// The fault of a stream that ended too early.
pub(super) fn cut() -> Reading {
    let message = Some("the stream ended before its answer did".to_owned());
    Reading { class: FaultClass::Garbled, message, is_json: false }
}

/// Some providers put fields of the answer beside it in its frame. The notes are those of the first frame.
fn with_frame(mut extras: Extras, mut frame: Fields<'_>) -> Extras {
    frame.take_any("sequence_number");
    for (name, raw) in frame.rest() {
        if extras.fields.iter().all(|(known, _)| *known != name) {
            extras.fields.push((name, raw));
        }
    }
    extras.notes.clear();
    extras
}

fn thinking() -> Body {
    Body::Thinking { text: String::new(), seal: None }
}

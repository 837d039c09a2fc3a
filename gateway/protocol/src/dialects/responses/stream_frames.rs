//! The frames of a stream that is written: numbered, each named by its type.

use super::content_encode;
use super::context::Context;
use super::{is_home, notes, reasoning_encode};
use crate::hub::{Body, Extras, Part, Role};
use crate::json::Writer;

/// Numbers the frames of one stream.
#[derive(Debug)]
pub(super) struct Frames {
    sequence: u64,
    pub(super) context: Context,
}

impl Frames {
    pub(super) fn new(context: Context) -> Self {
        Self { sequence: 0, context }
    }

    /// Adds a frame of type `kind`.
    pub(super) fn push(&mut self, out: &mut String, kind: &str, fill: impl FnOnce(&mut Writer<'_>)) {
        out.push_str("event: ");
        out.push_str(kind);
        out.push_str("\ndata: ");
        let mut object = Writer::object(out);
        object.string("type", kind).number("sequence_number", self.sequence);
        fill(&mut object);
        object.end();
        out.push_str("\n\n");
        self.sequence += 1;
    }
}

/// Where a block of an item stands in the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'i> {
    pub(super) item: &'i str,
    pub(super) output: usize,
    /// Its number in the item's `content` or `summary`.
    pub(super) part: usize,
}

/// The names of the frames that tell a block.
#[derive(Clone, Copy, Debug)]
struct Names {
    added: &'static str,
    delta: &'static str,
    text_done: &'static str,
    done: &'static str,
    /// What the block's number is called.
    index: &'static str,
    /// What its whole text is called.
    text: &'static str,
}

const TEXT: Names = Names {
    added: "response.content_part.added",
    delta: "response.output_text.delta",
    text_done: "response.output_text.done",
    done: "response.content_part.done",
    index: "content_index",
    text: "text",
};

const REFUSAL: Names =
    Names { delta: "response.refusal.delta", text_done: "response.refusal.done", text: "refusal", ..TEXT };

const RAW_THOUGHT: Names =
    Names { delta: "response.reasoning_text.delta", text_done: "response.reasoning_text.done", ..TEXT };

const SUMMARY: Names = Names {
    added: "response.reasoning_summary_part.added",
    delta: "response.reasoning_summary_text.delta",
    text_done: "response.reasoning_summary_text.done",
    done: "response.reasoning_summary_part.done",
    index: "summary_index",
    text: "text",
};

fn names(part: &Part) -> Names {
    match &part.body {
        Body::Refusal(_) => REFUSAL,
        Body::Thinking { .. } if reasoning_encode::is_raw(part) => RAW_THOUGHT,
        Body::Thinking { .. } => SUMMARY,
        _ => TEXT,
    }
}

/// What a block says so far.
pub(super) fn text_of(part: &Part) -> &str {
    match &part.body {
        Body::Text(text) | Body::Refusal(text) | Body::Thinking { text, .. } => text,
        Body::ToolCall { arguments, .. } => arguments,
        _ => "",
    }
}

/// The same block with nothing said yet.
pub(super) fn emptied(part: &Part) -> Part {
    let body = match &part.body {
        Body::Text(_) => Body::Text(String::new()),
        Body::Refusal(_) => Body::Refusal(String::new()),
        Body::Thinking { .. } => Body::Thinking { text: String::new(), seal: None },
        Body::ToolCall { id, name, .. } => {
            Body::ToolCall { id: id.clone(), name: name.clone(), arguments: String::new(), seal: None }
        }
        other => other.clone(),
    };
    Part { extras: part.extras.clone(), ..Part::new(body) }
}

fn json(part: &Part, context: &mut Context) -> String {
    if let Body::Thinking { .. } = part.body {
        let kind = if reasoning_encode::is_raw(part) { notes::REASONING_TEXT } else { "summary_text" };
        return reasoning_encode::entry(part, kind);
    }
    content_encode::part(part, Role::Assistant, "", context).unwrap_or_else(|| "{}".to_owned())
}

/// A block of a message or of a thought.
impl Frames {
    pub(super) fn part_added(&mut self, out: &mut String, part: &Part, place: Place<'_>) {
        let (names, part) = (names(part), json(&emptied(part), &mut self.context));
        self.push(out, names.added, |frame| {
            at(frame, names.index, place);
            frame.raw("part", &part);
        });
    }

    pub(super) fn part_delta(&mut self, out: &mut String, part: &Part, place: Place<'_>, delta: &str) {
        let names = names(part);
        self.push(out, names.delta, |frame| {
            at(frame, names.index, place);
            frame.string("delta", delta);
            if let Body::Text(_) = part.body {
                frame.raw("logprobs", "[]");
            }
        });
    }

    pub(super) fn part_done(&mut self, out: &mut String, part: &Part, place: Place<'_>) {
        let names = names(part);
        let is_text = !matches!(part.body, Body::Foreign { .. });
        if is_text {
            self.push(out, names.text_done, |frame| {
                at(frame, names.index, place);
                frame.string(names.text, text_of(part));
                if let Body::Text(_) = part.body {
                    frame.raw("logprobs", "[]");
                }
            });
        }
        let part = json(part, &mut self.context);
        self.push(out, names.done, |frame| {
            at(frame, names.index, place);
            frame.raw("part", &part);
        });
    }

    pub(super) fn annotation(&mut self, out: &mut String, number: usize, place: Place<'_>, json: &str) {
        self.push(out, "response.output_text.annotation.added", |frame| {
            at(frame, "content_index", place);
            frame.number("annotation_index", number as u64).raw("annotation", json);
        });
    }

    pub(super) fn arguments_delta(&mut self, out: &mut String, place: Place<'_>, delta: &str) {
        self.push(out, "response.function_call_arguments.delta", |frame| {
            of_item(frame, place);
            frame.string("delta", delta);
        });
    }

    /// A call without arguments is one of an empty object, unless it was read so.
    pub(super) fn arguments_done(&mut self, out: &mut String, part: &Part, place: Place<'_>) {
        let Body::ToolCall { name, arguments, .. } = &part.body else { return };
        let is_blank = arguments.is_empty() && !is_home(&part.extras);
        self.push(out, "response.function_call_arguments.done", |frame| {
            of_item(frame, place);
            frame.string("name", name).string("arguments", if is_blank { "{}" } else { arguments });
        });
    }
}

fn of_item(frame: &mut Writer<'_>, place: Place<'_>) {
    frame.string("item_id", place.item).number("output_index", place.output as u64);
}

fn at(frame: &mut Writer<'_>, index: &str, place: Place<'_>) {
    of_item(frame, place);
    frame.number(index, place.part as u64);
}

/// The id of an item whose own fields are `head`, or one that is made.
pub(super) fn item_id(head: &Extras, prefix: &str, context: &Context) -> String {
    let own = head.of(super::HOME).iter().find(|(name, _)| name == "id");
    own.and_then(|(_, raw)| serde_json::from_str(raw.get()).ok()).unwrap_or_else(|| context.item_id(prefix))
}

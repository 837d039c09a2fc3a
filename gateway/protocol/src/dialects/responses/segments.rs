//! Blocks to items: which blocks stand in one item, and where an item's own fields are found.

use super::context::Side;
use super::{HOME, is_home, notes};
use crate::hub::{Body, Extras, Part, Seal};
use crate::json::{Fields, RawJson, Writer};

/// What an item is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    Reasoning,
    Call,
    Output,
    /// An item that is one block: foreign, or a picture that was drawn.
    Whole,
}

/// An item to be written: its blocks, with their places among the blocks they came from.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    pub(super) kind: Kind,
    pub(super) parts: Vec<(usize, &'a Part)>,
    /// The item's own fields.
    pub(super) head: Extras,
}

/// What item a block belongs in.
pub(super) fn kind(part: &Part, side: Side) -> Kind {
    match &part.body {
        Body::Text(_) | Body::Refusal(_) => Kind::Message,
        Body::Media(_) if side == Side::Request => Kind::Message,
        Body::Foreign { .. } if part.extras.notes(HOME, notes::PART) => Kind::Message,
        Body::Thinking { .. } => Kind::Reasoning,
        Body::ToolCall { .. } => Kind::Call,
        Body::ToolResult { .. } => Kind::Output,
        Body::Media(_) | Body::Foreign { .. } => Kind::Whole,
    }
}

/// Whether a block goes on in an item of `kind` that ends with `last`. Texts of one step are one message, and a
/// thought without a seal shares that of the next.
pub(super) fn joins(kind_of_item: Kind, last: &Part, kind_of_part: Kind) -> bool {
    kind_of_item == kind_of_part
        && match kind_of_part {
            Kind::Message => true,
            Kind::Reasoning => seal(last).is_none(),
            Kind::Call | Kind::Output | Kind::Whole => false,
        }
}

pub(super) fn seal(part: &Part) -> Option<&Seal> {
    match &part.body {
        Body::Thinking { seal, .. } | Body::ToolCall { seal, .. } => seal.as_ref(),
        _ => None,
    }
}

/// The items of a turn. The turn's extras are those of its first item.
pub(super) fn of_turn<'a>(parts: &'a [Part], head: &Extras) -> Vec<Segment<'a>> {
    let mut segments: Vec<Segment<'a>> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let kind = kind(part, Side::Request);
        match segments.last_mut() {
            Some(open) if open.parts.last().is_some_and(|(_, last)| joins(open.kind, last, kind)) => {
                open.parts.push((at, part));
            }
            Some(_) => segments.push(Segment { kind, parts: vec![(at, part)], head: Extras::default() }),
            None => segments.push(Segment { kind, parts: vec![(at, part)], head: head.clone() }),
        }
    }
    if segments.is_empty() && head.notes(HOME, notes::EMPTY) {
        segments.push(Segment { kind: Kind::Message, parts: Vec::new(), head: head.clone() });
    }
    segments
}

/// The items of an answer.
pub(super) fn of_answer(parts: &[Part]) -> Vec<Segment<'_>> {
    let mut segments: Vec<Segment<'_>> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let kind = kind(part, Side::Answer);
        match segments.last_mut() {
            Some(open) if open.parts.last().is_some_and(|(_, last)| goes_on(open.kind, last, part)) => {
                open.parts.push((at, part));
            }
            _ => segments.push(Segment { kind, parts: vec![(at, part)], head: detach(part) }),
        }
    }
    segments
}

/// The same of an answer: blocks of this dialect say themselves whether they go on.
pub(super) fn goes_on(kind_of_item: Kind, last: &Part, part: &Part) -> bool {
    if is_home(&part.extras) {
        return is_home(&last.extras) && part.extras.notes(HOME, notes::MORE);
    }
    !is_home(&last.extras) && joins(kind_of_item, last, kind(part, Side::Answer))
}

/// Puts an item's own fields on its first block; the others only say that they go on. A `status` that is among
/// `usual` is left out: it is what [`super::item_encode`] writes.
pub(super) fn attach(parts: &mut [Part], mut head: Extras, usual: &[&str]) {
    if parts.iter().all(|part| matches!(&part.body, Body::Foreign { .. }) && !is_content(part)) {
        return;
    }
    match head.fields.iter().position(|(name, _)| name == "status") {
        Some(at) => {
            let is_usual = |(_, raw): &(String, RawJson)| usual.contains(&raw.get().trim_matches('"'));
            if head.fields.get(at).is_some_and(is_usual) {
                head.fields.remove(at);
            }
        }
        None => head.notes.push(notes::STATUSLESS),
    }
    let mut parts = parts.iter_mut();
    if let Some(first) = parts.next() {
        attach_first(first, head);
    }
    parts.for_each(|part| part.extras.notes.push(notes::MORE));
}

fn is_content(part: &Part) -> bool {
    part.extras.notes(HOME, notes::PART)
}

/// The same for the first block of an item whose others are still to come.
fn attach_first(part: &mut Part, head: Extras) {
    part.extras.notes.extend(head.notes);
    if head.fields.is_empty() {
        return;
    }
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.all(&head.fields);
    object.end();
    part.extras.fields.extend(RawJson::parse(&out).map(|raw| (ITEM.to_owned(), raw)));
}

/// An item's own fields, from its first block.
pub(super) fn detach(part: &Part) -> Extras {
    let item = part.extras.of(HOME).iter().find(|(name, _)| name == ITEM);
    let fields = item.and_then(|(_, raw)| Fields::parse(raw.get())).unwrap_or_default();
    Extras { dialect: part.extras.dialect, fields: fields.rest(), notes: part.extras.notes.clone() }
}

/// Where an item's fields ride.
pub(super) const ITEM: &str = "item";

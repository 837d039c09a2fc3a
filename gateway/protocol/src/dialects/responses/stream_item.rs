//! One item of a stream that is read: what has been told of it, and so what is still to be told.

use super::{HOME, notes, segments};
use crate::hub::{At, Body, Citation, Event, Extras, Opening, Part};
use crate::json::Fields;

/// An item.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// Its place in the output.
    pub(super) index: u64,
    /// Its own fields, until a block takes them.
    head: Option<Extras>,
    /// How many blocks it has opened.
    opened: usize,
    open: Option<Open>,
    is_done: bool,
}

/// Which text of an item: of `summary` or of `content`, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    is_summary: bool,
    number: u64,
}

impl Slot {
    /// As a frame names it; `None` if it does not.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let summary = fields.take_u64("summary_index").map(|number| Self { is_summary: true, number });
        summary.or_else(|| Some(Self { is_summary: false, number: fields.take_u64("content_index")? }))
    }
}

/// The states that an item has by default while it is made and when it is done.
pub(super) const USUAL: [&str; 2] = ["in_progress", "completed"];

/// The block that is open.
#[derive(Debug)]
struct Open {
    at: At,
    slot: Option<Slot>,
    /// What has been told of its text or arguments.
    told: String,
    cited: usize,
    is_sealed: bool,
}

impl Item {
    pub(super) fn new(index: u64, head: Option<Extras>) -> Self {
        Self { index, head, ..Self::default() }
    }

    /// Whether the open block is the one in `slot`, as far as can be told.
    pub(super) fn is_open(&self, slot: Option<Slot>) -> bool {
        self.open.as_ref().is_some_and(|open| open.slot.is_none() || slot.is_none() || open.slot == slot)
    }

    /// Opens a block of it.
    pub(super) fn open(
        &mut self,
        mut part: Part,
        slot: Option<Slot>,
        parts: &mut usize,
        events: &mut Vec<Event>,
    ) {
        self.close(events);
        mark(&mut part, self.head.take(), self.opened == 0);
        self.push(part, parts, events);
        if let Some(open) = &mut self.open {
            open.slot = slot;
        }
    }

    /// Opens a block that is marked already.
    fn push(&mut self, part: Part, parts: &mut usize, events: &mut Vec<Event>) {
        self.close(events);
        let at = next(parts);
        let Part { body, citations, extras, .. } = part;
        let (told, is_sealed) = match &body {
            Body::Text(text) | Body::Refusal(text) => (text.clone(), false),
            Body::Thinking { text, seal } => (text.clone(), seal.is_some()),
            Body::ToolCall { arguments, .. } => (arguments.clone(), false),
            _ => (String::new(), false),
        };
        let cited = citations.len();
        events.push(Event::Open(at, Opening { body, extras }));
        events.extend(citations.into_iter().map(|cited| Event::Cited(at, cited)));
        self.opened += 1;
        self.open = Some(Open { at, slot: None, told, cited, is_sealed });
    }

    pub(super) fn text(&mut self, delta: &str, events: &mut Vec<Event>) {
        if let Some(open) = &mut self.open {
            open.told.push_str(delta);
            events.push(Event::Text(open.at, delta.to_owned()));
        }
    }

    pub(super) fn arguments(&mut self, delta: &str, events: &mut Vec<Event>) {
        if let Some(open) = &mut self.open {
            open.told.push_str(delta);
            events.push(Event::Arguments(open.at, delta.to_owned()));
        }
    }

    pub(super) fn cite(&mut self, citation: Citation, events: &mut Vec<Event>) {
        if let Some(open) = &mut self.open {
            open.cited += 1;
            events.push(Event::Cited(open.at, citation));
        }
    }

    /// Tells what the open block, now whole, still lacks.
    pub(super) fn complete(&mut self, whole: &Part, events: &mut Vec<Event>) {
        let Some(open) = &mut self.open else { return };
        let text = match &whole.body {
            Body::Text(text) | Body::Refusal(text) | Body::Thinking { text, .. } => text,
            Body::ToolCall { arguments, .. } => arguments,
            _ => return,
        };
        if let Some(rest) = text.strip_prefix(open.told.as_str()).filter(|rest| !rest.is_empty()) {
            let rest = rest.to_owned();
            open.told.push_str(&rest);
            events.push(match whole.body {
                Body::ToolCall { .. } => Event::Arguments(open.at, rest),
                _ => Event::Text(open.at, rest),
            });
        }
        for citation in whole.citations.iter().skip(open.cited) {
            open.cited += 1;
            events.push(Event::Cited(open.at, citation.clone()));
        }
        if let Body::Thinking { seal: Some(seal), .. } = &whole.body
            && !open.is_sealed
        {
            open.is_sealed = true;
            events.push(Event::Sealed(open.at, seal.clone()));
        }
    }

    /// Takes the whole item: what was told of it is not told again.
    pub(super) fn done(&mut self, whole: Vec<Part>, parts: &mut usize, events: &mut Vec<Event>) {
        if std::mem::replace(&mut self.is_done, true) {
            return;
        }
        let opened = self.opened;
        for (at, part) in whole.into_iter().enumerate() {
            if at >= opened {
                self.push(part, parts, events);
            } else if at + 1 == opened {
                self.complete(&part, events);
            }
        }
        self.close(events);
    }

    pub(super) fn close(&mut self, events: &mut Vec<Event>) {
        if let Some(open) = self.open.take() {
            events.push(Event::Close(open.at));
        }
    }
}

/// The next place for a block.
fn next(parts: &mut usize) -> At {
    let at = At { candidate: 0, part: *parts };
    *parts += 1;
    at
}

/// Puts an item's own fields on the first of its blocks; a later one only says that it goes on.
fn mark(part: &mut Part, head: Option<Extras>, is_first: bool) {
    if is_first {
        let head = head.unwrap_or_else(|| Extras::new(HOME, Vec::new()).with(notes::STATUSLESS));
        segments::attach(std::slice::from_mut(part), head, &USUAL);
    } else {
        part.extras.notes.push(notes::MORE);
    }
}

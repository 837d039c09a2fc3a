//! One item of a stream that is written, from its `added` to its `done`.

use super::citation;
use super::context::Context;
use super::item_encode;
use super::reasoning_encode::{is_raw, is_shown};
use super::segments::{self, Kind, Segment};
use super::stream_frames::{Frames, Place, emptied, item_id, text_of};
use crate::hub::{At, Body, Citation, Extras, Part, Role, Seal};

/// An item that is being written.
#[derive(Debug)]
pub(super) struct OpenItem {
    pub(super) kind: Kind,
    id: String,
    output: usize,
    head: Extras,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    at: At,
    part: Part,
    /// Its number in the item, once clients have been told of it.
    number: Option<usize>,
    is_closed: bool,
}

impl OpenItem {
    /// An item that begins with `part` at the place `output`, and its first frame.
    pub(super) fn begin(part: &Part, output: usize, frames: &mut Frames, out: &mut String) -> Self {
        let kind = segments::kind(part, frames.context.side);
        let head = segments::detach(part);
        let prefix = match kind {
            Kind::Message => "msg",
            Kind::Reasoning => "rs",
            Kind::Call | Kind::Output | Kind::Whole => "fc",
        };
        frames.context.count = output;
        let id = item_id(&head, prefix, &frames.context);
        let item = Self { kind, id, output, head, blocks: Vec::new() };
        let empty = emptied(part);
        let parts = if kind == Kind::Call { vec![(0, &empty)] } else { Vec::new() };
        frames.context.status = "in_progress";
        let json = item.json(parts, &mut frames.context);
        frames.context.status = "completed";
        push_item(frames, out, "response.output_item.added", output, &json);
        item
    }

    fn json(&self, parts: Vec<(usize, &Part)>, context: &mut Context) -> String {
        let segment = Segment { kind: self.kind, parts, head: self.head.clone() };
        context.count = self.output;
        item_encode::write(&segment, Role::Assistant, "", context).unwrap_or_else(|| "{}".to_owned())
    }

    /// Whether a block goes on in this item.
    pub(super) fn takes(&self, part: &Part) -> bool {
        self.blocks.last().is_some_and(|last| segments::goes_on(self.kind, &last.part, part))
    }

    pub(super) fn has(&self, at: At) -> bool {
        self.blocks.iter().any(|block| block.at == at)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.blocks.iter().all(|block| block.is_closed)
    }

    /// Adds a block, with what it says already.
    pub(super) fn add(&mut self, at: At, part: Part, frames: &mut Frames, out: &mut String) {
        let said = text_of(&part).to_owned();
        let is_announced = self.kind == Kind::Message || is_shown(&part);
        self.blocks.push(Block {
            at,
            part: Part { body: emptied(&part).body, ..part.clone() },
            number: None,
            is_closed: false,
        });
        if is_announced {
            self.announce(at, frames, out);
        }
        self.say(at, &said, frames, out);
        if let Some(seal) = segments::seal(&part) {
            self.seal(at, seal);
        }
    }

    /// Tells clients of a block: at once, or for thoughts that nobody may see at their first word.
    fn announce(&mut self, at: At, frames: &mut Frames, out: &mut String) {
        let Some(index) = self.blocks.iter().position(|block| block.at == at) else { return };
        let earlier = self.blocks.iter().take(index);
        let list_of = |part: &Part| is_raw(part);
        let Some(block) = self.blocks.get(index) else { return };
        let same = |other: &&Block| other.number.is_some() && list_of(&other.part) == list_of(&block.part);
        let number = earlier.filter(same).count();
        let place = Place { item: &self.id, output: self.output, part: number };
        frames.part_added(out, &block.part, place);
        if let Some(block) = self.blocks.get_mut(index) {
            block.number = Some(number);
        }
    }

    /// More text or arguments of a block.
    pub(super) fn say(&mut self, at: At, more: &str, frames: &mut Frames, out: &mut String) {
        if more.is_empty() {
            return;
        }
        if self.kind == Kind::Reasoning && self.blocks.iter().any(|b| b.at == at && b.number.is_none()) {
            self.announce(at, frames, out);
        }
        let Some(block) = self.blocks.iter_mut().find(|block| block.at == at) else { return };
        let place = Place { item: &self.id, output: self.output, part: block.number.unwrap_or(0) };
        match &mut block.part.body {
            Body::Text(text) | Body::Refusal(text) | Body::Thinking { text, .. } => {
                text.push_str(more);
                frames.part_delta(out, &block.part, place, more);
            }
            Body::ToolCall { arguments, .. } => {
                arguments.push_str(more);
                frames.arguments_delta(out, place, more);
            }
            _ => {}
        }
    }

    pub(super) fn seal(&mut self, at: At, more: &Seal) {
        let Some(block) = self.blocks.iter_mut().find(|block| block.at == at) else { return };
        if let Body::Thinking { seal, .. } = &mut block.part.body {
            match seal {
                Some(seal) if seal.dialect == more.dialect => seal.bytes.push_str(&more.bytes),
                _ => *seal = Some(more.clone()),
            }
        }
    }

    pub(super) fn cite(&mut self, at: At, cited: &Citation, frames: &mut Frames, out: &mut String) {
        let Some(block) = self.blocks.iter_mut().find(|block| block.at == at) else { return };
        let place = Place { item: &self.id, output: self.output, part: block.number.unwrap_or(0) };
        if let Body::Text(_) = block.part.body {
            let json = citation::write(cited, "", &mut frames.context);
            frames.annotation(out, block.part.citations.len(), place, &json);
        }
        block.part.citations.push(cited.clone());
    }

    /// A block is complete.
    pub(super) fn close(&mut self, at: At, frames: &mut Frames, out: &mut String) {
        let Some(block) = self.blocks.iter_mut().find(|block| block.at == at && !block.is_closed) else {
            return;
        };
        block.is_closed = true;
        let place = Place { item: &self.id, output: self.output, part: block.number.unwrap_or(0) };
        match (self.kind, block.number) {
            (Kind::Call, _) => frames.arguments_done(out, &block.part, place),
            (Kind::Message | Kind::Reasoning, Some(_)) => frames.part_done(out, &block.part, place),
            _ => {}
        }
    }

    /// The item is complete: its last frame, and the item itself for the response.
    pub(super) fn end(&mut self, frames: &mut Frames, out: &mut String) -> String {
        let open: Vec<_> = self.blocks.iter().map(|block| block.at).collect();
        open.into_iter().for_each(|at| self.close(at, frames, out));
        let parts = self.blocks.iter().map(|block| &block.part).enumerate().collect();
        let json = self.json(parts, &mut frames.context);
        push_item(frames, out, "response.output_item.done", self.output, &json);
        json
    }
}

/// A frame with an item.
pub(super) fn push_item(frames: &mut Frames, out: &mut String, kind: &str, output: usize, json: &str) {
    frames.push(out, kind, |frame| {
        frame.number("output_index", output as u64).raw("item", json);
    });
}

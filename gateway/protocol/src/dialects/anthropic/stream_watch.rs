//! A provider's stream from the side: its usage, its end and its faults. Of its content, which is most of it, only
//! how long it is.

use serde_json::value::RawValue;

use super::super::{Frame, StreamDecoder, StreamWatcher};
use super::Decoder;
use crate::hub::Event;
use crate::json::{peek, text, text_bytes};

/// Watches one stream. The decoder sees where blocks begin and end, and nothing in between.
#[derive(Debug, Default)]
pub struct Watcher(Decoder);

impl StreamWatcher for Watcher {
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> usize {
        let Some([kind, delta]) = peek(frame.data, ["type", "delta"]) else { return 0 };
        let kind = kind.and_then(text);
        if kind.as_deref().or(frame.event) == Some("content_block_delta") {
            return delta.map_or(0, said);
        }
        self.0.push(frame, events);
        0
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        self.0.end(events);
    }
}

fn said(delta: &RawValue) -> usize {
    let texts = peek(delta.get(), ["text", "thinking", "partial_json"]);
    texts.into_iter().flatten().flatten().map(text_bytes).sum()
}

//! What is asked of everything that is written: JSON, whole frames, and no more of it than the input accounts for.

use bytes::Bytes;
use protocol::dialects::Echo;
use protocol::frames::sse::{self, Splitter};
use serde::de::IgnoredAny;
use serde_json::Value;

/// Large enough for every input of the fuzzer.
const LIMIT: usize = 64 << 20;

/// What a message may grow by in a translation: a value of one letter may become a block, or a loss with its path.
const MESSAGE_FACTOR: usize = 64;

/// A stream grows by more: a text of one letter may become six events that name their block.
const STREAM_FACTOR: usize = 256;

/// What is written of nothing: an envelope, a first and a last event.
const FIXED_BYTES: usize = 8 << 10;

pub(crate) fn echo() -> Echo {
    Echo { model: "m".into(), id: "0".repeat(32), created: 1, stream_usage: true }
}

pub(crate) fn object(what: &str, body: &str) {
    assert!(body.starts_with('{'), "{what} is no object: {body}");
    json(what, body);
}

pub(crate) fn json(what: &str, body: &str) {
    let read = serde_json::from_str::<IgnoredAny>(body);
    assert!(read.is_ok(), "{what} is no JSON ({read:?}): {body}");
}

/// Both say the same, in whatever order. What is too deep or too large for a tree is compared as it is written.
pub(crate) fn same_json(what: &str, one: &str, other: &str) {
    let trees = (serde_json::from_str::<Value>(one), serde_json::from_str::<Value>(other));
    let is_same = if let (Ok(one), Ok(other)) = trees { one == other } else { one == other };
    assert!(is_same, "{what} is another when it is read again: {one} became {other}");
}

pub(crate) fn message_size(what: &str, written: usize, input: &[u8]) {
    size(what, written, input.len() * MESSAGE_FACTOR);
}

pub(crate) fn stream_size(what: &str, written: usize, input: &[u8]) {
    size(what, written, input.len() * STREAM_FACTOR);
}

fn size(what: &str, written: usize, most: usize) {
    let most = most + FIXED_BYTES;
    assert!(written <= most, "{what} has grown to {written} bytes, more than {most}");
}

/// The frames of a stream, and what is left over.
pub(crate) fn split(stream: &[u8]) -> (Vec<Bytes>, Bytes) {
    let mut splitter = Splitter::new(LIMIT);
    splitter.push(stream);
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = splitter.next_frame() {
        frames.push(frame);
    }
    (frames, splitter.finish())
}

/// A stream that we wrote: whole frames, each with data that is an object or OpenAI's last word.
pub(crate) fn stream(what: &str, text: &str) {
    let (frames, rest) = split(text.as_bytes());
    assert!(rest.is_empty(), "{what} ends in the middle of a frame: {rest:?}");
    for frame in frames {
        let data = sse::data(&frame).unwrap_or_default();
        let data = std::str::from_utf8(&data).unwrap_or_default();
        if data != "[DONE]" {
            object(what, data);
        }
    }
}

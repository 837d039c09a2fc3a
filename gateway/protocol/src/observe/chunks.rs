//! Chunks of OpenAI's chat and completions, looked at without a tree: most hold none of the words that matter.

use memchr::memmem;
use serde_json::value::RawValue;

use super::Seen;
use crate::fault;
use crate::frames::sse;
use crate::json::{each, peek, text};
use crate::usage::Usage;

/// Takes one frame.
pub(super) fn look(seen: &mut Seen, frame: &[u8]) {
    let Some(data) = sse::data(frame) else { return stray(seen, frame) };
    if data.trim_ascii() == b"[DONE]" {
        seen.done = true;
    } else if KEYS.iter().any(|key| says(&data, key)) {
        chunk(seen, &data);
    } else {
        seen.heard.chunk(data.len());
    }
}

/// Whether `frame` tells the usage and nothing else: the extra frame of `include_usage`.
///
/// Source: platform.openai.com/docs/api-reference/chat/create (`stream_options`), read 2026-11-21.
#[must_use]
pub fn is_usage_only(frame: &[u8]) -> bool {
    let is_empty = |choices: &RawValue| {
        let mut is_empty = choices.get().starts_with('[');
        each(choices, |_| is_empty = false);
        is_empty
    };
    let Some(data) = sse::data(frame).filter(|data| says(data, b"\"usage\"")) else { return false };
    let data = String::from_utf8_lossy(&data);
    let Some([Some(choices), Some(usage), None]) = peek(&data, ["choices", "usage", "error"]) else {
        return false;
    };
    Usage::read(usage).is_some() && is_empty(choices)
}

/// llama.cpp's servers have sent errors as `error: {…}`, which the format tells clients to skip.
fn stray(seen: &mut Seen, frame: &[u8]) {
    if let Some(body) = sse::field(frame, "error") {
        seen.error = Some(fault::read_stream_error(&body));
    }
}

fn chunk(seen: &mut Seen, data: &[u8]) {
    let data = String::from_utf8_lossy(data);
    let Some([choices, usage, tier, groq, error]) = peek(&data, FIELDS) else { return };
    seen.finished |= choices.is_some_and(finishes);
    let usage = usage.and_then(Usage::read).or_else(|| groq_usage(groq?));
    seen.usage = usage.map(|usage| usage.served(tier)).or(seen.usage);
    if error.is_some() {
        seen.error = Some(fault::read_stream_error(data.as_bytes()));
        seen.is_error_shown = true;
    }
}

/// The keys that a frame must have, with another value than `null`, to be worth parsing.
const KEYS: [&[u8]; 3] = [b"\"finish_reason\"", b"\"usage\"", b"\"error\""];

/// Whether `data` has `key` with a value that is not `null`. Inside a JSON string its quotes are
/// escaped, so the text of an answer does not look like it.
fn says(data: &[u8], key: &[u8]) -> bool {
    memmem::find_iter(data, key).any(|at| {
        let rest = data.get(at + key.len()..).unwrap_or_default();
        let value = rest.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != b':');
        value != Some(&b'n')
    })
}

/// What matters of a chunk that is parsed.
const FIELDS: [&str; 5] = ["choices", "usage", "service_tier", "x_groq", "error"];

fn finishes(choices: &RawValue) -> bool {
    let mut finishes = false;
    each(choices, |choice| {
        let [reason] = peek(choice.get(), ["finish_reason"]).unwrap_or([None]);
        finishes |= reason.and_then(text).is_some_and(|reason| !reason.is_empty());
    });
    finishes
}

/// Groq's place for it, on the last chunk of streams that did not ask for usage.
/// Source: console.groq.com/docs/api-reference, read 2026-11-21.
fn groq_usage(raw: &RawValue) -> Option<Usage> {
    let [usage] = peek(raw.get(), ["usage"])?;
    usage.and_then(Usage::read)
}

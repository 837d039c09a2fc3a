//! Chunks of OpenAI's chat and completions, looked at without a tree: most hold none of the words that matter.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Seen;
use crate::fault;
use crate::frames::sse;
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
        serde_json::from_str::<Vec<&RawValue>>(choices.get()).is_ok_and(|choices| choices.is_empty())
    };
    let Some(data) = sse::data(frame).filter(|data| says(data, b"\"usage\"")) else { return false };
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(&data) else { return false };
    chunk.error.is_none()
        && chunk.usage.and_then(Usage::read).is_some()
        && chunk.choices.is_some_and(is_empty)
}

/// llama.cpp's servers have sent errors as `error: {…}`, which the format tells clients to skip.
fn stray(seen: &mut Seen, frame: &[u8]) {
    if let Some(body) = sse::field(frame, "error") {
        seen.error = Some(fault::read_stream_error(&body));
    }
}

fn chunk(seen: &mut Seen, data: &[u8]) {
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else { return };
    seen.finished |= chunk.choices.is_some_and(finishes);
    let usage = chunk.usage.and_then(Usage::read).or_else(|| groq_usage(chunk.x_groq?));
    seen.usage = usage.map(|usage| usage.served(chunk.service_tier)).or(seen.usage);
    if chunk.error.is_some() {
        seen.error = Some(fault::read_stream_error(data));
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

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    x_groq: Option<&'a RawValue>,
}

fn finishes(choices: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Choice<'a> {
        #[serde(borrow)]
        finish_reason: Option<Cow<'a, str>>,
    }
    let choices: Vec<&RawValue> = serde_json::from_str(choices.get()).unwrap_or_default();
    let finishes = |raw: &RawValue| {
        let choice = serde_json::from_str::<Choice<'_>>(raw.get()).ok();
        choice.and_then(|choice| choice.finish_reason).is_some_and(|reason| !reason.is_empty())
    };
    choices.into_iter().any(finishes)
}

/// Groq's place for it, on the last chunk of streams that did not ask for usage.
/// Source: console.groq.com/docs/api-reference, read 2026-11-21.
fn groq_usage(raw: &RawValue) -> Option<Usage> {
    #[derive(Deserialize)]
    struct Groq<'a> {
        #[serde(borrow)]
        usage: Option<&'a RawValue>,
    }
    serde_json::from_str::<Groq<'_>>(raw.get()).ok()?.usage.and_then(Usage::read)
}

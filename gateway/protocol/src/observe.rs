//! Looks at the frames of a chat stream as they pass. Changes nothing and cannot fail: what it does
//! not understand it has not seen.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::{self, Reading};
use crate::frames::sse;
use crate::usage::Usage;

/// What the frames of one stream have told so far.
#[derive(Debug, Default)]
pub struct Observer {
    /// `[DONE]` has come.
    pub done: bool,
    /// A choice has its `finish_reason`.
    pub finished: bool,
    /// The last usage seen: providers count up to it.
    pub usage: Option<Usage>,
    /// An `error` inside the stream.
    pub error: Option<Reading>,
    /// The error came where clients look: in `data`.
    pub is_error_shown: bool,
}

impl Observer {
    /// Whether the stream may end here and the answer is whole.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.done || self.finished
    }

    /// Takes one frame, as the splitter gives it, or what is left at the end.
    pub fn frame(&mut self, frame: &[u8]) {
        let Some(data) = sse::data(frame) else { return self.stray(frame) };
        if data.trim_ascii() == b"[DONE]" {
            self.done = true;
        } else if KEYS.iter().any(|key| says(&data, key)) {
            self.chunk(&data);
        }
    }

    /// llama.cpp's servers have sent errors as `error: {…}`, which the format tells clients to skip.
    fn stray(&mut self, frame: &[u8]) {
        if let Some(body) = sse::field(frame, "error") {
            self.error = Some(fault::read_stream_error(&body));
        }
    }

    fn chunk(&mut self, data: &[u8]) {
        let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else { return };
        self.finished |= chunk.choices.is_some_and(finishes);
        let usage = chunk.usage.and_then(Usage::read).or_else(|| groq_usage(chunk.x_groq?));
        self.usage = usage.or(self.usage);
        if chunk.error.is_some() {
            self.error = Some(fault::read_stream_error(data));
            self.is_error_shown = true;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(frames: &[&str]) -> Observer {
        let mut observer = Observer::default();
        frames.iter().for_each(|frame| observer.frame(frame.as_bytes()));
        observer
    }

    #[test]
    fn the_end_of_a_stream_is_seen() {
        assert!(!seen(&["data: {\"choices\":[{\"delta\":{},\"finish_reason\":null}]}\n\n"]).is_complete());
        assert!(seen(&["data: {\"choices\":[{\"delta\":{},\"finish_reason\": \"stop\"}]}\n\n"]).finished);
        assert!(seen(&["data: [DONE]\n\n"]).done);
        assert!(seen(&["data: [DONE]"]).done, "without its blank line too");
    }

    #[test]
    fn text_about_the_end_is_not_the_end() {
        let observer =
            seen(&[r#"data: {"choices":[{"delta":{"content":"[DONE] \"finish_reason\":\"stop\""}}]}"#]);
        assert!(!observer.is_complete());
    }

    #[test]
    fn usage_is_read_from_either_place() {
        let plain =
            seen(&["data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n"]);
        assert_eq!(plain.usage.map(|usage| usage.total()), Some(7));
        let groq =
            seen(&["data: {\"x_groq\":{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}}\n\n"]);
        assert_eq!(groq.usage.map(|usage| usage.total()), Some(2));
    }

    #[test]
    fn an_error_inside_a_stream_is_seen() {
        let observer = seen(&["data: {\"error\":{\"message\":\"boom\",\"code\":429}}\n\n"]);
        let error = observer.error.expect("an error");
        assert_eq!((error.class, error.message.as_deref()), (fault::FaultClass::RateLimited, Some("boom")));
        let stray = seen(&["error: {\"error\":{\"message\":\"boom\"}}\n\n"]);
        assert!(stray.error.is_some() && !stray.is_error_shown);
        assert!(seen(&["data: {\"error\":null,\"choices\":[]}\n\n"]).error.is_none());
    }
}

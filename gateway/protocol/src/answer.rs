//! Checks a buffered answer without building a tree, and reads what the gateway counts.

use catalogue::Dialect;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::fault::{self, Reading};
use crate::usage::Usage;

/// What a buffered `200` answer is.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A JSON object: relay it.
    Sound {
        /// If it said.
        usage: Option<Usage>,
    },
    /// An `error` and nothing said: some providers say 200 and mean it not.
    Refusal(Reading),
    /// Not a JSON object, or half of one.
    Garbage,
}

/// Judges the body of an answer of `dialect`. The usage is read of those with choices only: the others need their
/// decoder.
#[must_use]
pub fn check(dialect: Dialect, body: &[u8]) -> Answer {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Answer::Garbage;
    }
    match serde_json::from_slice::<Wire<'_>>(body) {
        Ok(wire) => wire.judge(dialect, body),
        // A field twice is odd but not ours to judge: relay what is JSON.
        Err(error) if error.is_data() && serde_json::from_slice::<IgnoredAny>(body).is_ok() => {
            Answer::Sound { usage: None }
        }
        Err(_) => Answer::Garbage,
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    choices: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    candidates: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl Wire<'_> {
    fn judge(&self, dialect: Dialect, body: &[u8]) -> Answer {
        let (said, usage) = match dialect {
            Dialect::OpenaiChat | Dialect::OpenaiCompletions => {
                (self.choices, self.usage.and_then(Usage::read).map(|usage| usage.served(self.service_tier)))
            }
            Dialect::OpenaiResponses => (self.output, None),
            Dialect::Anthropic => (self.content, None),
            Dialect::Gemini => (self.candidates, None),
        };
        if self.error.is_some() && said.is_none() {
            return Answer::Refusal(fault::read_stream_error(body));
        }
        Answer::Sound { usage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8]) -> Answer {
        super::check(Dialect::OpenaiChat, body)
    }

    #[test]
    fn only_json_objects_are_answers() {
        assert_eq!(check(b"<html>"), Answer::Garbage);
        assert_eq!(check(b""), Answer::Garbage);
        assert_eq!(check(b"[]"), Answer::Garbage);
        assert_eq!(check(b"{\"choices\":["), Answer::Garbage);
        assert_eq!(check(b"{} {}"), Answer::Garbage);
        assert_eq!(check(b" {\"choices\":[]}"), Answer::Sound { usage: None });
        assert_eq!(check(b"{\"usage\":1,\"usage\":2}"), Answer::Sound { usage: None });
    }

    #[test]
    fn an_error_under_200_is_no_answer() {
        assert!(matches!(check(b"{\"error\":{\"message\":\"no\"}}"), Answer::Refusal(_)));
        assert!(matches!(check(b"{\"choices\":[],\"error\":{}}"), Answer::Sound { .. }));
        let error = br#"{"type":"error","error":{"type":"overloaded_error","message":"no"}}"#;
        assert!(matches!(super::check(Dialect::Anthropic, error), Answer::Refusal(_)));
        let failed = br#"{"output":[],"status":"failed","error":{"message":"no"}}"#;
        assert!(matches!(super::check(Dialect::OpenaiResponses, failed), Answer::Sound { .. }));
    }
}

//! Checks a buffered answer without building a tree, and reads what the gateway counts.

use catalogue::Dialect;
use serde_json::value::RawValue;

use crate::dialects::{anthropic, gemini, responses};
use crate::fault::{self, Reading};
use crate::json::peek;
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

/// Judges the body of an answer of `dialect`.
#[must_use]
pub fn check(dialect: Dialect, body: &[u8]) -> Answer {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Answer::Garbage;
    }
    let (said, usage) = keys(dialect);
    let fields = std::str::from_utf8(body).ok().and_then(|text| peek(text, [said, usage, "error", TIER]));
    match fields {
        Some([None, _, Some(_), _]) => Answer::Refusal(fault::read_stream_error(body)),
        Some([said, usage, _, tier]) => {
            Answer::Sound { usage: usage.and_then(|usage| read_usage(dialect, usage, (said, tier))) }
        }
        // Where the bytes are no UTF-8 either: most clients could not read that.
        None => Answer::Garbage,
    }
}

/// Where OpenAI says how it served an answer. The others say it in their usage.
const TIER: &str = "service_tier";

/// Where an answer says what was asked for, and where what that has cost.
fn keys(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => ("choices", "usage"),
        Dialect::OpenaiResponses => ("output", "usage"),
        Dialect::Anthropic => ("content", "usage"),
        Dialect::Gemini => ("candidates", "usageMetadata"),
    }
}

type Beside<'a> = (Option<&'a RawValue>, Option<&'a RawValue>);

/// The counts of `usage`, some of which are in what was said, and how that was served.
fn read_usage(dialect: Dialect, usage: &RawValue, (said, tier): Beside<'_>) -> Option<Usage> {
    match dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => {
            Usage::read(usage).map(|usage| usage.served(tier))
        }
        Dialect::OpenaiResponses => responses::read_usage(usage, said).map(|usage| usage.served(tier)),
        Dialect::Anthropic => anthropic::read_usage(usage),
        Dialect::Gemini => gemini::read_usage(usage, said),
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
        assert_eq!(check(b"{\"choices\":[],\"\xff\":1}"), Answer::Garbage);
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

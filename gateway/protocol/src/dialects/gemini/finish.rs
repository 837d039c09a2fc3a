//! Why an answer ended.

use crate::hub::{Body, Candidate, Finish, Part};

/// Reasons that mean that a filter cut the answer.
///
/// Source: ai.google.dev/api/generate-content#FinishReason; `MODEL_ARMOR` as Vertex was recorded (read 2026-11-21).
const FILTERED: [&str; 12] = [
    "SAFETY",
    // No filters, but what was said is not all, and no other dialect has a word for that.
    "LANGUAGE",
    "OTHER",
    "IMAGE_OTHER",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
];

/// The reasons by their numbers, which some of Google's older SDKs write. Source: `generative_service.proto`
/// (read 2026-11-21).
const NUMBERED: [&str; 18] = [
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_OTHER",
    "NO_IMAGE",
    "IMAGE_RECITATION",
];

/// Reads a reason. `has_calls`: Google says `STOP` for a turn that waits for tools too.
pub(super) fn read(reason: &str, has_calls: bool) -> Finish {
    match reason {
        "STOP" if has_calls => Finish::ToolCalls,
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        filtered if FILTERED.contains(&filtered) => Finish::Filtered,
        other => Finish::Other(other.to_owned()),
    }
}

/// The name of a reason that came as a number.
pub(super) fn name_of(number: u64) -> Option<&'static str> {
    usize::try_from(number).ok().and_then(|number| NUMBERED.get(number)).copied()
}

/// Writes a reason. `is_home`: a reason that nobody models is of this dialect, else the API's `OTHER`.
pub(super) fn write(finish: &Finish, is_home: bool) -> &str {
    match finish {
        Finish::Stop | Finish::StopSequence | Finish::ToolCalls | Finish::Paused => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::Filtered => "SAFETY",
        Finish::Other(reason) if is_home => reason,
        Finish::Other(_) => "OTHER",
    }
}

/// Whether a block waits for a tool of the client's.
pub(super) fn is_call(part: &Part) -> bool {
    matches!(part.body, Body::ToolCall { .. })
}

/// What an answer is whose prompt was blocked: no candidates came, but one was cut.
pub(super) fn blocked() -> Candidate {
    Candidate { finish: Some(Finish::Filtered), ..Candidate::default() }
}

//! Why an answer ended.

use serde_json::value::RawValue;

use crate::hub::{Body, Candidate, Finish, Part};
use crate::json::text;

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

/// Reads a reason as it stands: a name, or its number.
pub(super) fn read_raw(raw: &RawValue, has_calls: bool) -> Finish {
    if let Some(reason) = text(raw) {
        return read(&reason, has_calls);
    }
    let number = raw.get().parse::<usize>().ok();
    let name = number.and_then(|number| NUMBERED.get(number)).copied();
    read(name.unwrap_or(raw.get()), has_calls)
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

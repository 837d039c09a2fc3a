//! Why an answer ended.
//!
//! Source: platform.claude.com/docs/en/build-with-claude/handling-stop-reasons, read 2026-11-21.

use super::plain::is_home;
use super::{HOME, notes};
use crate::hub::{Extras, Finish};

/// Reads a `stop_reason`, and notes which one of two that mean the same it was.
pub(super) fn read(reason: String) -> (Finish, Option<&'static str>) {
    let finish = match reason.as_str() {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence,
        "max_tokens" => Finish::Length,
        "model_context_window_exceeded" => return (Finish::Length, Some(notes::WINDOW_EXCEEDED)),
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::Filtered,
        "pause_turn" => Finish::Paused,
        _ => Finish::Other(reason),
    };
    (finish, None)
}

/// The `stop_reason` to write; `None` where a provider of this dialect gave none.
///
/// Clients run tools only if they are told to, and some providers say a plain stop beside calls.
pub(super) fn write<'f>(finish: Option<&'f Finish>, extras: &Extras, has_calls: bool) -> Option<&'f str> {
    let at_home = is_home(extras);
    let complete = if has_calls && !at_home { "tool_use" } else { "end_turn" };
    Some(match finish {
        None if at_home => return None,
        None | Some(Finish::Stop) => complete,
        Some(Finish::StopSequence) => "stop_sequence",
        Some(Finish::Length) if extras.notes(HOME, notes::WINDOW_EXCEEDED) => "model_context_window_exceeded",
        Some(Finish::Length) => "max_tokens",
        Some(Finish::ToolCalls) => "tool_use",
        Some(Finish::Filtered) => "refusal",
        Some(Finish::Paused) => "pause_turn",
        Some(Finish::Other(reason)) if at_home => reason,
        // The SDKs know only the reasons above.
        Some(Finish::Other(_)) => complete,
    })
}

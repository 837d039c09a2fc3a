//! `finish_reason`.
//! Source: platform.openai.com/docs/api-reference/chat/object, as recorded by 2026-11-21.

use crate::hub::Finish;

/// Reads a reason. Some imitators write `""` while the answer goes on.
pub(in super::super) fn read(reason: &str) -> Option<Finish> {
    match reason {
        "" => None,
        "stop" => Some(Finish::Stop),
        // `model_length` is Mistral's: docs.rs/mistral-openapi-client, read 2026-11-21.
        "length" | "model_length" => Some(Finish::Length),
        "tool_calls" | "function_call" => Some(Finish::ToolCalls),
        "content_filter" => Some(Finish::Filtered),
        other => Some(Finish::Other(other.to_owned())),
    }
}

/// Writes a reason. One of another dialect that has no name here is `stop`: clients know no other names.
/// A pause is `length`, since there too the answer goes on when it is sent back.
pub(in super::super) fn write(finish: &Finish, is_home: bool) -> &str {
    match finish {
        Finish::Stop | Finish::StopSequence => "stop",
        Finish::Length | Finish::Paused => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::Filtered => "content_filter",
        Finish::Other(reason) if is_home => reason,
        Finish::Other(_) => "stop",
    }
}

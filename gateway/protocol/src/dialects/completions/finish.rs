//! `finish_reason`.
//! Source: platform.openai.com/docs/api-reference/completions/object, as recorded by 2026-11-21.

use crate::hub::Finish;

/// Reads a reason. Some imitators write `""` while the answer goes on.
pub(super) fn read(reason: &str) -> Option<Finish> {
    match reason {
        "" => None,
        "stop" => Some(Finish::Stop),
        "length" => Some(Finish::Length),
        "content_filter" => Some(Finish::Filtered),
        other => Some(Finish::Other(other.to_owned())),
    }
}

/// Writes a reason, and whether it says what was meant. Clients know no other names than OpenAI's three. A pause is
/// `length`, since there too the text goes on when it is sent back.
pub(super) fn write(finish: &Finish, is_home: bool) -> (&str, bool) {
    match finish {
        Finish::Stop | Finish::StopSequence => ("stop", true),
        Finish::Length => ("length", true),
        Finish::Filtered => ("content_filter", true),
        Finish::Other(reason) if is_home => (reason, true),
        Finish::Paused => ("length", false),
        Finish::ToolCalls | Finish::Other(_) => ("stop", false),
    }
}

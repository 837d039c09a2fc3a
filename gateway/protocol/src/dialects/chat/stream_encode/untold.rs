//! What of an answer a stream of chunks has no place for.

use super::super::ways::CHAT;
use crate::dialects::untold;
use crate::hub::{Body, Event, Finish, MediaKind, Opening};
use crate::loss::Losses;

/// Tells what of `event` no chunk will say.
pub(super) fn tell(event: &Event, is_home: bool, losses: &mut Losses) {
    match event {
        Event::Start { extras, .. } | Event::Extras(extras) => untold::tell(extras, CHAT, "", losses),
        Event::Open(_, Opening { body, extras }) => {
            untold::tell(extras, CHAT, "choices.content.", losses);
            block(body, losses);
        }
        Event::Cited(_, citation) => {
            untold::tell(&citation.extras, CHAT, "choices.annotations.", losses);
            if citation.url.is_none() {
                losses.once("choices.annotations", "chat completions cite pages only, not documents");
            }
        }
        Event::Finish { finish, stop, extras, .. } => {
            untold::tell(extras, CHAT, "choices.", losses);
            if stop.is_some() {
                losses.once("stop_sequence", "chat completions do not tell which text ended the answer");
            }
            if matches!(finish, Finish::Paused | Finish::Other(_)) && !is_home {
                losses.once("finish_reason", "chat completions have no such reason");
            }
        }
        Event::Text(..)
        | Event::Arguments(..)
        | Event::Sealed(..)
        | Event::Close(_)
        | Event::Usage(_)
        | Event::Fault(_) => {}
    }
}

fn block(body: &Body, losses: &mut Losses) {
    match body {
        Body::Foreign { dialect, .. } if *dialect != CHAT => {
            losses.once("choices.content", "chat completions have no such block");
        }
        Body::ToolResult { .. } => {
            losses.once("choices.content", "clients of chat completions get no results of tools");
        }
        Body::Media(medium) if medium.kind != MediaKind::Image => {
            losses.once("choices.content", "a stream of chat completions has text and images only");
        }
        _ => {}
    }
}

//! What of an answer a stream of texts has no place for.

use super::super::HOME;
use super::super::answer::field;
use super::super::finish;
use crate::dialects::untold;
use crate::hub::{Body, Event, Opening};
use crate::loss::Losses;

/// Tells what of `event` no chunk will say.
pub(super) fn tell(event: &Event, is_home: bool, losses: &mut Losses) {
    match event {
        Event::Start { extras, .. } | Event::Extras(extras) => untold::tell(extras, HOME, "", losses),
        Event::Open(_, Opening { body, extras }) => {
            untold::tell(extras, HOME, "choices.content.", losses);
            if !matches!(body, Body::Text(_) | Body::Refusal(_)) {
                let field = field(body, extras).unwrap_or("content");
                losses.once(format!("choices.{field}"), "a completion is plain text");
            }
        }
        Event::Cited(..) => losses.once("choices.annotations", "a completion names no sources"),
        Event::Finish { finish, stop, extras, .. } => {
            untold::tell(extras, HOME, "choices.", losses);
            if stop.is_some() {
                losses.once("choices.stop_sequence", "completions do not tell which text ended them");
            }
            if !finish::write(finish, is_home).1 {
                losses.once("choices.finish_reason", "completions have no such reason");
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

//! `prompt`, both ways.
//!
//! A text, alone or in a list, is what a user says. Several texts are several questions that no other language asks at
//! once: all of them are turns, so that whoever reads the request reads them all, and those after the first are told
//! as lost. Token ids mean nothing outside their model. The other way, a system prompt and one turn of a user are
//! one text; a conversation is not.

use serde_json::value::RawValue;

use super::HOME;
use super::losses::{tell, tell_beside, tell_part};
use super::node::{Node, kept};
use super::words::Place;
use crate::dialects::DecodeError;
use crate::hub::{Body, Extras, Part, Request, Role, Turn};
use crate::json::{RawJson, Writer, string};
use crate::loss::Losses;

/// The extra that holds the texts after the first. A loss bears its name.
pub(super) const OTHERS: &str = "prompt[1]";

/// The prompt was a list.
const LIST: &str = "prompt:list";

/// Between turns.
const GAP: &str = "\n\n";

/// Takes the prompt.
///
/// # Errors
/// [`DecodeError`] if it is neither a text nor a list.
pub(super) fn decode(node: &mut Node<'_>) -> Result<Vec<Turn>, DecodeError> {
    if let Some(text) = node.fields.take_string("prompt") {
        return Ok(vec![turn(text)]);
    }
    let Some(raw) = node.fields.get("prompt").filter(|raw| raw.get().starts_with('[')) else {
        return Err(DecodeError::new("prompt", "must be a text, or a list of texts or of token ids"));
    };
    // Token ids stay, as an extra; so does an empty list, which asks nothing.
    let listed = serde_json::from_str::<Vec<String>>(raw.get()).ok().filter(|texts| !texts.is_empty());
    let Some(listed) = listed else { return Ok(Vec::new()) };
    node.fields.take("prompt");
    node.note(LIST);
    if let Some(others) = others(raw) {
        node.keep(OTHERS, others);
    }
    Ok(listed.into_iter().map(turn).collect())
}

fn turn(text: String) -> Turn {
    Turn { role: Role::User, parts: vec![Part::text(text)], extras: Extras::default() }
}

fn others(list: &RawValue) -> Option<RawJson> {
    let items: Vec<&RawValue> = serde_json::from_str(list.get()).ok()?;
    let (_, others) = items.split_first()?;
    if others.is_empty() {
        return None;
    }
    let mut text = String::new();
    let mut list = Writer::list(&mut text);
    for item in others {
        list.element(|out| out.push_str(item.get()));
    }
    list.end();
    RawJson::parse(&text)
}

/// Writes the prompt.
pub(super) fn encode(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let extras = &request.extras;
    if let Some(tokens) = kept(extras, "prompt") {
        object.raw("prompt", tokens.get());
        return;
    }
    if extras.dialect != Some(HOME) {
        object.string("prompt", &one_text(request, losses));
        return;
    }
    let prompts: Vec<String> = request.turns.iter().map(|turn| texts(turn).collect()).collect();
    match prompts.as_slice() {
        [one] if !extras.notes(HOME, LIST) => {
            object.string("prompt", one);
        }
        all => {
            object.list_of("prompt", all, |out, text| out.push_str(&string(text)));
        }
    }
}

/// All that another dialect's request says, as far as it is text. What makes it more than one question is told.
fn one_text(request: &Request, losses: &mut Losses) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut is_asked = false;
    for (at, turn) in request.turns.iter().enumerate() {
        let place = Place::of(request, at);
        let is_system = matches!(turn.role, Role::System | Role::Developer);
        if is_asked || !(is_system || turn.role == Role::User) {
            losses.meaning(place.turn(), "a completion goes on from one text, not from a conversation");
        } else {
            if is_system {
                losses.hint(place.role(), "approximated: the prompt begins with it");
            }
            tell_turn(losses, turn, &place);
        }
        is_asked |= !is_system;
        let text = texts(turn).collect::<Vec<_>>().join("\n");
        if !text.is_empty() {
            said.push(text);
        }
    }
    said.join(GAP)
}

/// Tells all of a turn that is no text.
fn tell_turn(losses: &mut Losses, turn: &Turn, place: &Place) {
    tell(losses, &turn.extras, &place.turn());
    for (at, part) in turn.parts.iter().enumerate() {
        let path = place.part(at);
        tell_beside(losses, part, &path);
        tell_part(losses, part, &path);
    }
}

fn texts(turn: &Turn) -> impl Iterator<Item = &str> {
    turn.parts.iter().filter_map(|part| match &part.body {
        Body::Text(text) | Body::Refusal(text) => Some(text.as_str()),
        _ => None,
    })
}

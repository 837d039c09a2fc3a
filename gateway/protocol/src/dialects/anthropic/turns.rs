//! Lays out a conversation as the API wants it: what leads is `system`, then user and assistant take turns, the
//! user first, results of tools before anything else the user says. What came in this dialect stays as it is.
//!
//! Sources: platform.claude.com/docs/en/api/messages and …/agents-and-tools/tool-use/handle-tool-calls, read
//! 2026-11-21; empty texts are refused (github.com/anthropics/anthropic-sdk-python/issues/461).

use catalogue::Dialect;

use super::ids::CallIds;
use super::place::{Place, tell_extras, tell_leaves};
use super::plain::is_home;
use super::{HOME, media, notes};
use crate::hub::{Body, Part, Request, Role, Seal, Turn};
use crate::loss::{Losses, Weight};

/// What will be written.
#[derive(Debug, Default)]
pub(super) struct Layout<'a> {
    /// The turns before the conversation.
    pub(super) system: Vec<(Place, &'a Turn)>,
    /// The conversation.
    pub(super) messages: Vec<Message<'a>>,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// `user`, `assistant` or, at home only, `system`.
    pub(super) role: &'static str,
    /// The turn it is, if that came in this dialect: it is written as it was.
    pub(super) home: Option<&'a Turn>,
    /// Its blocks.
    pub(super) pieces: Vec<Piece<'a>>,
}

/// A block.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// The block.
    pub(super) part: &'a Part,
    /// Where it stood.
    pub(super) place: Place,
    /// What the API takes as its id, for calls and results.
    pub(super) id: Option<String>,
    /// Said by the operator later on: written with a mark.
    pub(super) is_operator: bool,
    /// The last that the model of another dialect said, for Anthropic's to go on from: the API refuses white space at
    /// its end.
    pub(super) is_last: bool,
}

/// Lays out the conversation.
pub(super) fn lay_out<'a>(request: &'a Request, losses: &mut Losses) -> Layout<'a> {
    let client = request.extras.dialect.unwrap_or(HOME);
    let mut layout = Layout::default();
    let mut ids = CallIds::default();
    for (at, turn) in request.turns.iter().enumerate() {
        let place = Place::turn(turn.extras.dialect.unwrap_or(client), at);
        tell_extras(losses, &place.to_string(), &turn.extras);
        if layout.messages.is_empty() && leads(turn) {
            layout.system.push((place, turn));
        } else {
            add(&mut layout.messages, turn, pieces(turn, place, &mut ids, losses));
        }
    }
    for message in &mut layout.messages {
        put_results_first(message, losses);
    }
    let prefill = layout.messages.last_mut().filter(|last| last.role == "assistant" && last.home.is_none());
    if let Some(last) = prefill.and_then(|message| message.pieces.last_mut()) {
        last.is_last = true;
    }
    layout
}

/// Whether nobody says anything, or the model begins: the API wants the user to.
pub(super) fn wants_opening(layout: &Layout<'_>, request: &Request) -> bool {
    match layout.messages.first() {
        Some(first) => first.role == "assistant" && first.home.is_none(),
        None => !is_home(&request.extras),
    }
}

/// Whether a seal was made by this dialect's providers.
pub(super) fn is_sealed_here(seal: Option<&Seal>) -> bool {
    seal.is_some_and(|seal| seal.dialect == HOME)
}

fn leads(turn: &Turn) -> bool {
    let as_message = is_home(&turn.extras) && !is_top_level(turn);
    matches!(turn.role, Role::System | Role::Developer) && !as_message
}

fn is_top_level(turn: &Turn) -> bool {
    [notes::SYSTEM_STRING, notes::SYSTEM_LIST].iter().any(|note| turn.extras.notes(HOME, note))
}

/// As a message of its own, or to the last one if both came from elsewhere.
fn add<'a>(messages: &mut Vec<Message<'a>>, turn: &'a Turn, mut pieces: Vec<Piece<'a>>) {
    let home = is_home(&turn.extras).then_some(turn);
    if pieces.is_empty() && (home.is_none() || !turn.parts.is_empty()) {
        return;
    }
    let role = match turn.role {
        Role::Assistant => "assistant",
        Role::System if home.is_some() => "system",
        Role::User | Role::Tool | Role::System | Role::Developer => "user",
    };
    match messages.last_mut() {
        Some(last) if last.role == role && last.home.is_none() && home.is_none() => {
            last.pieces.append(&mut pieces);
        }
        _ => messages.push(Message { role, home, pieces }),
    }
}

fn pieces<'a>(turn: &'a Turn, place: Place, ids: &mut CallIds, losses: &mut Losses) -> Vec<Piece<'a>> {
    let is_operator = matches!(turn.role, Role::System | Role::Developer) && !is_home(&turn.extras);
    let mut pieces = Vec::with_capacity(turn.parts.len());
    for (at, part) in turn.parts.iter().enumerate() {
        let place = place.part(at);
        tell_seal(part, place, losses);
        if is_written(turn.role, part, place, losses) {
            pieces.push(Piece { part, place, id: id(part, place, ids, losses), is_operator, is_last: false });
        }
    }
    if is_operator && !pieces.is_empty() {
        losses.hint(place.field("role"), "approximated: Anthropic's system prompt stands at the start only");
    }
    pieces
}

/// Whether a block has a place; what has none is told. What came in this dialect has one, but for thoughts that
/// its clients got from other providers.
fn is_written(role: Role, part: &Part, place: Place, losses: &mut Losses) -> bool {
    match &part.body {
        Body::Thinking { seal, text } => {
            let as_it_was = seal.is_none() && is_home(&part.extras);
            let is_ours = is_sealed_here(seal.as_ref()) || as_it_was;
            if !is_ours && (seal.is_none() || !text.is_empty()) {
                losses.hint(
                    place.field(thought_word(part, place)),
                    "Anthropic takes only thoughts that it sealed",
                );
            }
            is_ours
        }
        _ if is_home(&part.extras) => true,
        Body::Text(text) | Body::Refusal(text) => !text.is_empty(),
        Body::Media(found) => match media::obstacle(found, role == Role::Assistant) {
            Some(why) => {
                media::tell_lost(losses, place, (part, found), why);
                false
            }
            None => true,
        },
        Body::Foreign { dialect, json } if *dialect != HOME => {
            tell_leaves(losses, &place.to_string(), json.get(), Weight::Meaning);
            false
        }
        Body::ToolCall { .. } | Body::ToolResult { .. } | Body::Foreign { .. } => true,
    }
}

fn tell_seal(part: &Part, place: Place, losses: &mut Losses) {
    let (Body::Thinking { seal: Some(seal), .. } | Body::ToolCall { seal: Some(seal), .. }) = &part.body
    else {
        return;
    };
    if seal.dialect == HOME {
        return;
    }
    // OpenRouter's seal is the list that it stood in.
    if seal.dialect == Dialect::OpenaiChat && seal.bytes.starts_with('[') {
        tell_leaves(losses, &place.field("reasoning_details"), &seal.bytes, Weight::Hint);
    }
    let word = match place.client {
        Dialect::OpenaiResponses => "encrypted_content",
        Dialect::Gemini => "thoughtSignature",
        Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::Anthropic => "signature",
    };
    losses.hint(place.spelt(&part.extras, word), "sealed by another provider");
}

/// The field that held a thought. Chat has three: Mistral's chunks are noted by its decoder.
fn thought_word(part: &Part, place: Place) -> &'static str {
    match place.client {
        Dialect::OpenaiChat if part.extras.notes(Dialect::OpenaiChat, "chunk") => "thinking[].text",
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => "reasoning_content",
        Dialect::OpenaiResponses => "summary.text",
        Dialect::Anthropic => "thinking",
        Dialect::Gemini => "text",
    }
}

fn id(part: &Part, place: Place, ids: &mut CallIds, losses: &mut Losses) -> Option<String> {
    let at_home = is_home(&part.extras);
    match &part.body {
        Body::ToolCall { id, name, .. } => {
            let accepted = ids.call(id, name);
            if at_home {
                return Some(id.clone());
            }
            if accepted != *id && !id.is_empty() {
                losses.hint(place.field("id"), "approximated: Anthropic takes letters, digits, _ and -");
            }
            Some(accepted)
        }
        Body::ToolResult { call, name, .. } => {
            let (accepted, of) = ids.result(call, name.as_deref());
            if at_home {
                return Some(call.clone());
            }
            if accepted != *call && !call.is_empty() {
                losses.hint(
                    place.field("tool_call_id"),
                    "approximated: Anthropic takes letters, digits, _ and -",
                );
            }
            if name.is_some() && *name != of {
                losses.hint(place.field("functionResponse.name"), "Anthropic knows results by their id only");
            }
            Some(accepted)
        }
        _ => None,
    }
}

/// The API wants the results of tools before what else the user says.
fn put_results_first(message: &mut Message<'_>, losses: &mut Losses) {
    if message.home.is_some() || message.role != "user" {
        return;
    }
    let is_result = |piece: &Piece<'_>| matches!(piece.part.body, Body::ToolResult { .. });
    let late = message.pieces.iter().skip_while(|piece| is_result(piece)).find(|piece| is_result(piece));
    if let Some(late) = late {
        losses.hint(late.place.to_string(), "moved: results of tools come before what else the user says");
        message.pieces.sort_by_key(|piece| !is_result(piece));
    }
}

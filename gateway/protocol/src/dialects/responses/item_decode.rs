//! An item of `input` or `output`: a turn whose extras are the item's own fields. Never an error: an item that
//! lacks what its type needs is foreign, and so are the types that nobody models.

use serde_json::value::RawValue;

use super::{HOME, content_decode, notes};
use crate::hub::{Body, Extras, Part, Role, Seal, Turn};
use crate::json::{Fields, RawJson};

/// Reads an item.
pub(super) fn read(raw: &RawValue) -> Turn {
    Fields::read(raw).and_then(known).unwrap_or_else(|| foreign(raw))
}

fn known(mut fields: Fields<'_>) -> Option<Turn> {
    match fields.take_string("type").as_deref() {
        Some("message") => message(fields, None),
        None => message(fields, Some(notes::UNTYPED)),
        Some("function_call") => call(fields),
        Some("function_call_output") => output(fields),
        Some("reasoning") => reasoning(fields),
        Some(_) => None,
    }
}

fn message(mut fields: Fields<'_>, untyped: Option<&'static str>) -> Option<Turn> {
    let role = match fields.take_string("role")?.as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return None,
    };
    let (parts, note) = parts(&mut fields, "content", role)?;
    let mut turn = turn(role, parts, fields);
    turn.extras.notes.extend(untyped);
    turn.extras.notes.extend(note);
    Some(turn)
}

/// Text or parts in `key`, and how they were written.
fn parts(fields: &mut Fields<'_>, key: &str, role: Role) -> Option<(Vec<Part>, Option<&'static str>)> {
    if let Some(text) = fields.take_string(key) {
        return Some((vec![plain(Body::Text(text))], Some(notes::STRING)));
    }
    let list = fields.take_list(key)?;
    let note = list.is_empty().then_some(notes::EMPTY);
    Some((list.into_iter().map(|raw| content_decode::read(raw, role)).collect(), note))
}

fn call(mut fields: Fields<'_>) -> Option<Turn> {
    let body = Body::ToolCall {
        id: fields.take_string("call_id")?,
        name: fields.take_string("name")?,
        arguments: fields.take_string("arguments")?,
        seal: None,
    };
    Some(turn(Role::Assistant, vec![plain(body)], fields))
}

fn output(mut fields: Fields<'_>) -> Option<Turn> {
    let call = fields.take_string("call_id")?;
    let (parts, note) = parts(&mut fields, "output", Role::Tool)?;
    let body = Body::ToolResult { call, name: None, parts, failed: false };
    let mut turn = turn(Role::Tool, vec![plain(body)], fields);
    turn.extras.notes.extend(note);
    Some(turn)
}

/// A thought for each text of `summary`, then of `content`; the seal is on the last of them.
fn reasoning(mut fields: Fields<'_>) -> Option<Turn> {
    let no_summary = fields.get("summary").is_none().then_some(notes::NO_SUMMARY);
    let mut parts = thoughts(&mut fields, "summary")?;
    // An empty `content` is left as an extra: most providers have none.
    if fields.get("content").is_some_and(|raw| raw.get() != "[]") {
        parts.extend(thoughts(&mut fields, "content")?);
    }
    if parts.is_empty() {
        let mut bare = plain(Body::Thinking { text: String::new(), seal: None });
        bare.extras.notes.push(notes::BARE);
        parts.push(bare);
    }
    let token = fields.take_string("encrypted_content");
    if let Some(Body::Thinking { seal, .. }) = parts.last_mut().map(|part| &mut part.body) {
        *seal = token.map(|token| Seal::from_token(&token, HOME));
    }
    let mut turn = turn(Role::Assistant, parts, fields);
    turn.extras.notes.extend(no_summary);
    Some(turn)
}

fn thoughts(fields: &mut Fields<'_>, key: &str) -> Option<Vec<Part>> {
    fields.take_list(key).unwrap_or_default().into_iter().map(thought).collect()
}

/// Reads a `summary_text` or `reasoning_text`.
pub(super) fn thought(raw: &RawValue) -> Option<Part> {
    let mut fields = Fields::read(raw)?;
    let note = match fields.take_string("type")?.as_str() {
        "summary_text" => None,
        notes::REASONING_TEXT => Some(notes::REASONING_TEXT),
        _ => return None,
    };
    let body = Body::Thinking { text: fields.take_string("text")?, seal: None };
    let mut part = Part { extras: Extras::new(HOME, fields.rest()), ..Part::new(body) };
    part.extras.notes.extend(note);
    Some(part)
}

fn foreign(raw: &RawValue) -> Turn {
    let kind = Fields::read(raw).and_then(|mut fields| fields.take_string("type"));
    let is_output = kind.is_some_and(|kind| kind.ends_with("_output"));
    let role = if is_output { Role::Tool } else { Role::Assistant };
    let body = Body::Foreign { dialect: HOME, json: RawJson::from(raw) };
    turn(role, vec![plain(body)], Fields::default())
}

fn turn(role: Role, parts: Vec<Part>, fields: Fields<'_>) -> Turn {
    Turn { role, parts, extras: Extras::new(HOME, fields.rest()) }
}

/// A block of this dialect that has nothing but its body.
pub(super) fn plain(body: Body) -> Part {
    Part { extras: Extras::new(HOME, Vec::new()), ..Part::new(body) }
}

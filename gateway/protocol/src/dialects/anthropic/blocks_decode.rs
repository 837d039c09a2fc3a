//! One content block, of a request or an answer, to a part of the hub. What is not known is
//! [`Body::Foreign`], as it stood: server tools and their results, `search_result`, `container_upload`, …
//!
//! A call that another provider sealed carries its seal in a thinking block behind it, since clients send
//! those back untouched; see [`CALL_SEAL`]. Claude Code puts thinking before calls, and so it may come back.

use serde_json::value::RawValue;

use super::plain::take_cache;
use super::{HOME, citations, media, notes};
use crate::hub::{Body, Citation, Extras, MediaKind, Part, Seal};
use crate::json::{Fields, RawJson};

/// A thinking block whose signature begins so is none: the rest is the seal of a call, of that before it or of the next.
pub(super) const CALL_SEAL: &str = "call:";

/// Tells the data of a redacted thinking block from a signature, in whichever dialect the seal travels. No
/// base64 begins like this.
pub(in crate::dialects) const REDACTED: &str = "redacted_thinking:";

/// Blocks within a tool result are those of messages but calls and results, so nothing nests deeper.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Message,
    Result,
}

/// Reads the blocks of a message.
pub(super) fn read_all(list: &[&RawValue]) -> Vec<Part> {
    let mut parts = Vec::with_capacity(list.len());
    for raw in list {
        let mut part = read(raw);
        if !seals_call(&part, &mut parts) {
            take_seal(&mut part, &mut parts);
            parts.push(part);
        }
    }
    parts
}

/// Reads one block.
pub(super) fn read(raw: &RawValue) -> Part {
    read_at(raw, Level::Message)
}

/// A text, and nothing else about it.
pub(super) fn text(text: String) -> Part {
    Part { extras: Extras::new(HOME, Vec::new()), ..Part::text(text) }
}

/// The seal behind [`CALL_SEAL`].
fn call_seal(part: &Part) -> Option<Seal> {
    let Body::Thinking { text, seal: Some(seal) } = &part.body else { return None };
    let token = seal.bytes.strip_prefix(CALL_SEAL).filter(|_| text.is_empty() && seal.dialect == HOME)?;
    Some(Seal::from_token(token, HOME))
}

fn seals_call(part: &Part, before: &mut [Part]) -> bool {
    let Some(found) = call_seal(part) else { return false };
    match before.last_mut().map(|part| &mut part.body) {
        Some(Body::ToolCall { seal: seal @ None, .. }) => {
            *seal = Some(found);
            true
        }
        _ => false,
    }
}

/// Gives a call the first seal that stands before it and that no call has taken.
fn take_seal(part: &mut Part, before: &mut Vec<Part>) {
    let Body::ToolCall { seal, .. } = &mut part.body else { return };
    if let Some(at) = before.iter().position(|part| call_seal(part).is_some()) {
        *seal = call_seal(&before.remove(at));
    }
}

fn read_at(raw: &RawValue, level: Level) -> Part {
    known(raw, level).unwrap_or_else(|| Part::new(Body::Foreign { dialect: HOME, json: RawJson::from(raw) }))
}

/// What was found beside the body.
#[derive(Default)]
struct Beside {
    notes: Vec<&'static str>,
    kept: Vec<(String, RawJson)>,
    citations: Vec<Citation>,
}

fn known(raw: &RawValue, level: Level) -> Option<Part> {
    let mut fields = Fields::read(raw)?;
    let kind = fields.take_string("type")?;
    let mut beside = Beside::default();
    let body = match (kind.as_str(), level) {
        ("text", _) => text_body(&mut fields, &mut beside)?,
        ("image", _) => Body::Media(media::read(&mut fields, MediaKind::Image, &mut beside.kept)?),
        ("document", _) => Body::Media(media::read(&mut fields, MediaKind::Document, &mut beside.kept)?),
        ("thinking", Level::Message) => thinking(&mut fields, &mut beside)?,
        ("redacted_thinking", Level::Message) => redacted(&fields.take_string("data")?),
        ("tool_use", Level::Message) => call(&mut fields, &mut beside)?,
        ("tool_result", Level::Message) => result(&mut fields, &mut beside)?,
        _ => return None,
    };
    let cache = take_cache(&mut fields);
    let mut rest = fields.rest();
    rest.append(&mut beside.kept);
    let extras = Extras { notes: beside.notes, ..Extras::new(HOME, rest) };
    Some(Part { body, cache, citations: beside.citations, extras })
}

fn text_body(fields: &mut Fields<'_>, beside: &mut Beside) -> Option<Body> {
    let text = fields.take_string("text")?;
    let list: Option<Vec<&RawValue>> =
        fields.get("citations").and_then(|raw| serde_json::from_str(raw.get()).ok());
    if let Some(found) = list.and_then(|list| citations::read_all(&list)) {
        fields.take_any("citations");
        if found.is_empty() {
            beside.notes.push(notes::CITATIONS_EMPTY);
        }
        beside.citations = found;
    }
    Some(Body::Text(text))
}

fn thinking(fields: &mut Fields<'_>, beside: &mut Beside) -> Option<Body> {
    let text = fields.take_string("thinking")?;
    let signature = fields.take_string("signature");
    if signature.is_none() {
        beside.notes.push(notes::SIGNATURE_ABSENT);
    }
    let seal = signature.filter(|token| !token.is_empty()).map(|token| Seal::from_token(&token, HOME));
    Some(Body::Thinking { text, seal })
}

fn redacted(data: &str) -> Body {
    let mut seal = Seal::from_token(data, HOME);
    if seal.dialect == HOME {
        seal.bytes.insert_str(0, REDACTED);
    }
    Body::Thinking { text: String::new(), seal: Some(seal) }
}

fn call(fields: &mut Fields<'_>, beside: &mut Beside) -> Option<Body> {
    let (id, name) = (fields.take_string("id")?, fields.take_string("name")?);
    let input = fields.take_any("input");
    if input.is_none() {
        beside.notes.push(notes::INPUT_ABSENT);
    }
    let arguments = input.map(|raw| raw.get().to_owned()).unwrap_or_default();
    Some(Body::ToolCall { id, name, arguments, seal: None })
}

fn result(fields: &mut Fields<'_>, beside: &mut Beside) -> Option<Body> {
    let call = fields.take_string("tool_use_id")?;
    let failed = fields.take_bool("is_error");
    if failed == Some(false) {
        beside.notes.push(notes::NO_ERROR);
    }
    let parts = if let Some(one) = fields.take_string("content") {
        beside.notes.push(notes::CONTENT_STRING);
        vec![text(one)]
    } else if let Some(list) = fields.take_list("content") {
        list.into_iter().map(|raw| read_at(raw, Level::Result)).collect()
    } else {
        beside.notes.push(notes::CONTENT_ABSENT);
        Vec::new()
    };
    Some(Body::ToolResult { call, name: None, parts, failed: failed.unwrap_or(false) })
}

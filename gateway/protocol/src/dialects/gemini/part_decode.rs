//! A part of a turn or an answer, read.
//!
//! Source: ai.google.dev/api/caching#Part (read 2026-11-21).

use serde_json::value::RawValue;

use super::node::{Name, Node};
use super::{HOME, seal};
use crate::hub::{Body, Extras, Media, MediaKind, Part, Source};
use crate::json::{Fields, RawJson};

pub(super) const FUNCTION_CALL: Name = ("functionCall", "function_call");
pub(super) const FUNCTION_RESPONSE: Name = ("functionResponse", "function_response");
pub(super) const INLINE_DATA: Name = ("inlineData", "inline_data");
pub(super) const FILE_DATA: Name = ("fileData", "file_data");
pub(super) const FILE_URI: Name = ("fileUri", "file_uri");
pub(super) const MIME_TYPE: Name = ("mimeType", "mime_type");
pub(super) const DISPLAY_NAME: Name = ("displayName", "display_name");
pub(super) const SIGNATURE: Name = ("thoughtSignature", "thought_signature");
/// The objects inside a part, as dotted names begin.
pub(super) const INNER: &[&str] = &["functionCall", "functionResponse", "inlineData", "fileData"];
/// What a function gave is text in one of these if nothing stands beside it.
pub(super) const WRAPPERS: [&str; 3] = ["output", "result", "error"];

/// Reads a part. What is none that the hub knows stays as it stood.
pub(super) fn decode(raw: &RawValue) -> Part {
    read(raw, body).unwrap_or_else(|| foreign(raw))
}

fn foreign(raw: &RawValue) -> Part {
    let extras = Extras::new(HOME, Vec::new());
    Part { extras, ..Part::new(Body::Foreign { dialect: HOME, json: RawJson::from(raw) }) }
}

fn read<'a>(raw: &'a RawValue, body: fn(&mut Node<'a>) -> Option<Body>) -> Option<Part> {
    let mut node = Node::read(raw)?;
    let body = body(&mut node)?;
    Some(Part { extras: node.extras(), ..Part::new(body) })
}

fn body(part: &mut Node<'_>) -> Option<Body> {
    if let Some(inner) = part.object(FUNCTION_CALL) {
        return call(part, inner);
    }
    if let Some(inner) = part.object(FUNCTION_RESPONSE) {
        return result(part, inner);
    }
    if let Some(inner) = part.object(INLINE_DATA) {
        return inline(part, inner);
    }
    if let Some(inner) = part.object(FILE_DATA) {
        return file(part, inner);
    }
    text(part)
}

/// Only what may stand inside a function's response: so results cannot hold results without end.
fn media(part: &mut Node<'_>) -> Option<Body> {
    if let Some(inner) = part.object(INLINE_DATA) {
        return inline(part, inner);
    }
    let inner = part.object(FILE_DATA)?;
    file(part, inner)
}

fn text(part: &mut Node<'_>) -> Option<Body> {
    let text = part.fields.take_string("text")?;
    match part.fields.take_bool("thought") {
        Some(true) => {
            let seal = part.string(SIGNATURE).map(|token| seal::read(&token));
            Some(Body::Thinking { text, seal })
        }
        is_thought => {
            part.note_if(is_thought.is_some(), "thought:false");
            Some(Body::Text(text))
        }
    }
}

fn call<'a>(part: &mut Node<'a>, mut inner: Node<'a>) -> Option<Body> {
    let name = inner.fields.take_string("name")?;
    let id = inner.word(("id", "id")).unwrap_or_default();
    let args = inner.fields.get("args").filter(|raw| raw.get().starts_with('{'));
    let arguments = args.map_or("{}", RawValue::get).to_owned();
    if args.is_some() {
        inner.fields.take("args");
    } else {
        inner.note("args:absent");
    }
    part.absorb("functionCall", inner);
    let seal = part.string(SIGNATURE).map(|token| seal::read(&token));
    Some(Body::ToolCall { id, name, arguments, seal })
}

fn result<'a>(part: &mut Node<'a>, mut inner: Node<'a>) -> Option<Body> {
    let name = inner.fields.take_string("name");
    let call = inner.word(("id", "id")).unwrap_or_default();
    let response = inner.fields.get("response").filter(|raw| raw.get().starts_with('{'));
    let (mut parts, mut failed) = (Vec::new(), false);
    if let Some(response) = response {
        inner.fields.take("response");
        let (said, is_error) = said(response);
        parts.push(said);
        failed = is_error;
    } else {
        inner.note("response:absent");
    }
    if let Some(beside) = inner.list(("parts", "parts"), "parts:alone") {
        inner.note_if(beside.is_empty(), "parts:empty");
        parts.extend(beside.into_iter().map(|raw| read(raw, media).unwrap_or_else(|| foreign(raw))));
    }
    part.absorb("functionResponse", inner);
    Some(Body::ToolResult { call, name, parts, failed })
}

/// What the function gave, and whether it failed: `output` and `error` are the documented keys, `result` is
/// what Google's examples use; anything else is the output as it stands.
///
/// Source: googleapis.github.io/js-genai/classes/types.FunctionResponse.html (read 2026-11-21).
fn said(response: &RawValue) -> (Part, bool) {
    let whole = || Part { extras: Extras::new(HOME, Vec::new()), ..Part::text(response.get()) };
    let Some(mut fields) = Fields::read(response) else { return (whole(), false) };
    let is_error =
        fields.get("error").is_some_and(|raw| raw.get() != "null") && fields.get("output").is_none();
    for key in WRAPPERS {
        let Some(text) = fields.take_string(key) else { continue };
        if fields.is_empty() {
            let extras = Extras::new(HOME, Vec::new()).with(key);
            return (Part { extras, ..Part::text(text) }, key == "error");
        }
        break;
    }
    (whole(), is_error)
}

fn inline<'a>(part: &mut Node<'a>, mut inner: Node<'a>) -> Option<Body> {
    let mime = inner.string(MIME_TYPE)?;
    let data = inner.fields.take_string("data")?;
    let name = inner.string(DISPLAY_NAME);
    let kind = kind_of(&mime);
    part.absorb("inlineData", inner);
    Some(Body::Media(Media { kind, source: Source::Inline { mime, data }, name, detail: None }))
}

fn file<'a>(part: &mut Node<'a>, mut inner: Node<'a>) -> Option<Body> {
    let url = inner.string(FILE_URI)?;
    let name = inner.string(DISPLAY_NAME);
    // The mime type of an uploaded file has no place in the hub, so it stays with the rest.
    let mime = if is_uploaded(&url) { None } else { inner.string(MIME_TYPE) };
    let kind = mime.as_deref().map_or(MediaKind::Document, kind_of);
    part.absorb("fileData", inner);
    let source =
        if is_uploaded(&url) { Source::File { dialect: HOME, id: url } } else { Source::Url { url, mime } };
    Some(Body::Media(Media { kind, source, name, detail: None }))
}

/// Files of the Files API are known to the Gemini API only.
/// Source: mintlify.com/googleapis/python-genai/guides/files (read 2026-11-21); their address as recorded.
fn is_uploaded(uri: &str) -> bool {
    uri.contains("generativelanguage.googleapis.com/") || uri.starts_with("files/")
}

fn kind_of(mime: &str) -> MediaKind {
    match mime.split_once('/') {
        Some(("image", _)) => MediaKind::Image,
        Some(("audio", _)) => MediaKind::Audio,
        Some(("video", _)) => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

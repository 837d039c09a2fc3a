//! One part of the hub to a content block, as far as requests and answers write it alike. `turns.rs` decides
//! what of a conversation is written at all, `answer.rs` what of an answer.

use super::blocks_decode::REDACTED;
use super::plain::{is_home, write_cache, write_extras};
use super::{HOME, citations, media, notes};
use crate::hub::{Body, Citation, Media, Part, Seal};
use crate::json::{RawJson, Writer};

/// Writes a text block.
pub(super) fn text(out: &mut String, part: &Part, text: &str, cited: &[Citation]) {
    let mut object = Writer::object(out);
    object.string("type", "text").string("text", text);
    if !cited.is_empty() || part.extras.notes(HOME, notes::CITATIONS_EMPTY) {
        object.list_of("citations", cited, citations::write);
    }
    // A stream may begin with `citations: null` and name some later.
    finish(object, part, if cited.is_empty() { &[] } else { &["citations"] });
}

/// Writes a picture or a document.
pub(super) fn medium(out: &mut String, part: &Part, medium: &Media) {
    let mut object = Writer::object(out);
    media::write(&mut object, medium, &part.extras);
    finish(object, part, &["source"]);
}

/// Writes what was thought. `signature` is required, so it is empty where there is no seal; it is as its
/// author wrote it at home, and a token that names the author elsewhere.
pub(super) fn thinking(out: &mut String, part: &Part, text: &str, seal: Option<&Seal>) {
    let mut object = Writer::object(out);
    if let Some(data) = seal.and_then(redacted) {
        object.string("type", "redacted_thinking").string("data", data);
    } else {
        object.string("type", "thinking").string("thinking", text);
        let signature = seal.map(|seal| seal.to_token(HOME)).unwrap_or_default();
        if seal.is_some() || !part.extras.notes(HOME, notes::SIGNATURE_ABSENT) {
            object.string("signature", &signature);
        }
    }
    finish(object, part, &[]);
}

/// The data of a redacted thinking block.
pub(super) fn redacted(seal: &Seal) -> Option<&str> {
    seal.bytes.strip_prefix(REDACTED).filter(|_| seal.dialect == HOME)
}

/// Writes a call. Says whether the arguments were written as they are.
pub(super) fn call(out: &mut String, part: &Part, id: &str, (name, arguments): (&str, &str)) -> bool {
    let mut object = Writer::object(out);
    object.string("type", "tool_use").string("id", id).string("name", name);
    let input = input(arguments, is_home(&part.extras));
    match &input {
        Some(input) => {
            object.raw("input", input.get());
        }
        None if part.extras.notes(HOME, notes::INPUT_ABSENT) => {}
        None if arguments.trim_ascii().is_empty() => {
            object.raw("input", "{}");
        }
        None => {
            object.nested("input", |input| {
                input.string("arguments", arguments);
            });
        }
    }
    finish(object, part, &[]);
    input.is_some() || arguments.trim_ascii().is_empty()
}

/// The arguments as a value, if the API takes them: an object. At home anything that came is given back.
fn input(arguments: &str, at_home: bool) -> Option<RawJson> {
    RawJson::parse(arguments).filter(|raw| at_home || raw.get().starts_with('{'))
}

/// Writes a tool result whose `parts` are those that survive.
pub(super) fn result<'p>(
    out: &mut String,
    part: &Part,
    (call, failed): (&str, bool),
    parts: &[&'p Part],
    mut write: impl FnMut(&mut String, &'p Part),
) {
    let mut object = Writer::object(out);
    object.string("type", "tool_result").string("tool_use_id", call);
    let notes = |note| part.extras.notes(HOME, note);
    match parts {
        [] if notes(notes::CONTENT_ABSENT) => {}
        [Part { body: Body::Text(text), .. }] if notes(notes::CONTENT_STRING) => {
            object.string("content", text);
        }
        _ => {
            object.list_of("content", parts, |out, part| write(out, part));
        }
    }
    if failed || notes(notes::NO_ERROR) {
        object.flag("is_error", failed);
    }
    finish(object, part, &[]);
}

fn finish(mut object: Writer<'_>, part: &Part, but: &[&str]) {
    write_cache(&mut object, part.cache.as_ref());
    write_extras(&mut object, &part.extras, but);
    object.end();
}

//! The parts of a message's `content` and of a tool's `output` list.

use serde_json::value::RawValue;

use super::{HOME, citation, media, notes};
use crate::hub::{Body, Citation, Extras, Part, Role};
use crate::json::{Fields, RawJson};

/// Reads a part. One that nobody models is foreign.
pub(super) fn read(raw: &RawValue, role: Role) -> Part {
    Fields::read(raw).and_then(|fields| known(fields, role)).unwrap_or_else(|| foreign(raw))
}

fn known(mut fields: Fields<'_>, role: Role) -> Option<Part> {
    let kind = fields.take_string("type")?;
    match kind.as_str() {
        "refusal" => {
            let body = Body::Refusal(fields.take_string("refusal")?);
            Some(Part { extras: Extras::new(HOME, fields.rest()), ..Part::new(body) })
        }
        "input_image" | "input_file" | "input_audio" => media::read(&kind, fields),
        _ => text(&kind, fields, role),
    }
}

fn text(kind: &str, mut fields: Fields<'_>, role: Role) -> Option<Part> {
    let note = notes::TEXT_TYPES.into_iter().find(|known| *known == kind)?;
    let body = Body::Text(fields.take_string("text")?);
    let citations = annotations(&mut fields);
    let empty_logprobs = fields.get("logprobs").is_some_and(|raw| raw.get() == "[]");
    if empty_logprobs {
        fields.take_any("logprobs");
    }
    let mut extras = Extras::new(HOME, fields.rest());
    if note != text_type(role) {
        extras = extras.with(note);
    }
    if citations.is_some() {
        extras = extras.with(notes::ANNOTATED);
    }
    if empty_logprobs {
        extras = extras.with(notes::LOGPROBS);
    }
    Some(Part { citations: citations.unwrap_or_default(), extras, ..Part::new(body) })
}

/// The type that a text of `role` has if nothing else is said.
pub(super) fn text_type(role: Role) -> &'static str {
    if role == Role::Assistant { "output_text" } else { "input_text" }
}

/// All or none: a list with something odd in it stays an extra.
fn annotations(fields: &mut Fields<'_>) -> Option<Vec<Citation>> {
    let list: Vec<&RawValue> = serde_json::from_str(fields.get("annotations")?.get()).ok()?;
    let citations = list.into_iter().map(citation::read).collect::<Option<Vec<_>>>()?;
    fields.take_any("annotations");
    Some(citations)
}

fn foreign(raw: &RawValue) -> Part {
    let body = Body::Foreign { dialect: HOME, json: RawJson::from(raw) };
    Part { extras: Extras::new(HOME, Vec::new()).with(notes::PART), ..Part::new(body) }
}

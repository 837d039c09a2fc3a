//! Writes the parts of a message and of a tool's output.

use super::context::{Context, Side};
use super::{HOME, citation, content_decode, has, is_home, media, notes, segments};
use crate::dialects::likely;
use crate::hub::{Body, Extras, Part, Role};
use crate::json::{RawJson, Writer};

/// Writes a part of a message of `role`, or tells why not.
pub(super) fn part(part: &Part, role: Role, path: &str, context: &mut Context) -> Option<String> {
    context.tell(path, &part.extras);
    context.tell_cache(path, part.cache.as_ref());
    match &part.body {
        Body::Text(content) => Some(text(part, content, role, path, context)),
        Body::Refusal(refusal) => Some(simple(part, "refusal", refusal)),
        // An assistant's message has texts only, unless its client wrote it so.
        Body::Media(_) if role == Role::Assistant && !is_home(&part.extras) => {
            context.losses.meaning(path, "assistant messages have texts only");
            None
        }
        Body::Media(media) => media::write(media, &part.extras, path, context),
        Body::Foreign { dialect: HOME, json } => Some(json.get().to_owned()),
        Body::Foreign { json, .. } => {
            context.tell_foreign(path, json);
            None
        }
        _ => {
            context.losses.meaning(path, "a message or result cannot have such a block");
            None
        }
    }
}

fn text(part: &Part, text: &str, role: Role, path: &str, context: &mut Context) -> String {
    let usual = content_decode::text_type(role);
    let noted = notes::TEXT_TYPES.into_iter().find(|kind| part.extras.notes(HOME, kind));
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.string("type", noted.unwrap_or(usual)).string("text", text);
    // Clients of this API expect both lists, empty or not.
    let made = context.side == Side::Answer && !is_home(&part.extras);
    if usual == "output_text" || is_home(&part.extras) {
        let wanted = made || !part.citations.is_empty() || part.extras.notes(HOME, notes::ANNOTATED);
        if wanted && !has(&part.extras, "annotations") {
            object.list_of("annotations", &part.citations, |out, cited| {
                out.push_str(&citation::write(cited, path, context));
            });
        }
    } else if !part.citations.is_empty() {
        context.losses.hint(format!("{path}.citations"), "only answers have annotations");
    }
    if made || part.extras.notes(HOME, notes::LOGPROBS) {
        // A candidate's are those of its first text.
        object.field("logprobs", |out| likely::write_openai(out, &std::mem::take(&mut context.likely)));
    }
    object.all(own(&part.extras));
    object.end();
    out
}

/// A part whose one field is called as its type is.
fn simple(part: &Part, kind: &str, text: &str) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.string("type", kind).string(kind, text).all(own(&part.extras));
    object.end();
    out
}

/// A part's extras without those of its item.
pub(super) fn own(extras: &Extras) -> impl Iterator<Item = &(String, RawJson)> {
    extras.of(HOME).iter().filter(|(name, _)| name != segments::ITEM)
}

//! The body of a buffered answer. Sources: platform.openai.com/docs/api-reference/chat/object, and recordings of
//! the imitators; as recorded by 2026-11-21.

use super::losses::tell_briefly;
use super::stream_encode::KIND;
use super::ways::{Blank, CHAT, Node, has, write_blanks};
use crate::dialects::{DecodeError, Echo, likely, untold};
use crate::hub::Answer;
use crate::json::{RawJson, Writer};
use crate::loss::{Encoded, Losses};
use crate::usage::Usage;

mod choice;
mod finish;

pub(super) use choice::{image, write_image};
pub(super) use finish::{read as read_finish, write as write_finish};

const BLANKS: [Blank; 4] = [
    Blank("id", "\"\"", "id:empty"),
    Blank("usage", "null", "usage:null"),
    Blank("service_tier", "null", "service_tier:null"),
    Blank("system_fingerprint", "null", "system_fingerprint:null"),
];

pub(super) fn decode(body: &str) -> Result<Answer, DecodeError> {
    let Some(mut node) = Node::parse(body) else {
        return Err(DecodeError::new("", "the answer must be a JSON object"));
    };
    let is_fault = node.fields.get("error").is_some_and(|raw| raw.get() != "null");
    if is_fault && node.fields.get("choices").is_none() {
        return Err(DecodeError::new("error", "the provider told an error instead of an answer"));
    }
    node.blanks(&BLANKS);
    for (key, note) in [("id", "id:none"), ("object", "object:none"), ("created", "created:none")] {
        if node.fields.get(key).is_none() {
            node.note(note);
        }
    }
    if node.fields.get("object").is_some_and(|raw| raw.get() == "\"chat.completion\"") {
        node.fields.take("object");
    }
    // At home the object goes back as it came: imitators have many fields in it.
    let usage = node.fields.get("usage").and_then(Usage::read);
    let usage = usage.map(|usage| usage.served(node.fields.get("service_tier")));
    let choices = node.fields.take_list("choices").unwrap_or_default();
    Ok(Answer {
        id: node.fields.take_string("id").unwrap_or_default(),
        model: node.fields.take_string("model").unwrap_or_default(),
        created: node.fields.take_u64("created"),
        candidates: choices.into_iter().enumerate().map(|(at, raw)| choice::decode(at, raw)).collect(),
        usage,
        extras: node.tagged(),
    })
}

pub(super) fn encode(answer: &Answer, echo: &Echo) -> Encoded {
    let mut losses = Losses::default();
    let mut body = String::new();
    let extras = &answer.extras;
    let mut object = Writer::object(&mut body);
    head(&mut object, answer, echo);
    object.list_of("choices", answer.candidates.iter().enumerate(), |out, (at, candidate)| {
        choice::encode(
            out,
            at,
            candidate,
            &mut choice::Place { echo, losses: &mut losses, is_home: is_home(answer) },
        );
    });
    if let Some(usage) = answer.usage.filter(|_| !has(extras, "usage")) {
        object.field("usage", |out| super::usage::write(out, &usage));
    }
    write_blanks(&mut object, extras, &BLANKS);
    object.all(own(extras));
    object.end();
    tell_foreign(&mut losses, answer);
    Encoded { body, losses }
}

fn is_home(answer: &Answer) -> bool {
    answer.extras.dialect == Some(CHAT)
}

fn head(object: &mut Writer<'_>, answer: &Answer, echo: &Echo) {
    let extras = &answer.extras;
    let missing = |key, note| has(extras, key) || extras.notes(CHAT, note);
    if !missing("id", "id:none") && !extras.notes(CHAT, "id:empty") {
        object.string("id", &KIND.id(&answer.id, echo));
    }
    if !missing("object", "object:none") {
        object.string("object", "chat.completion");
    }
    if !missing("created", "created:none") {
        object.number("created", answer.created.unwrap_or(echo.created));
    }
    object.string("model", &echo.model);
}

/// The fields to be written again. The client's name for the model stands in for any other.
fn own(extras: &crate::hub::Extras) -> impl Iterator<Item = &(String, RawJson)> {
    extras.of(CHAT).iter().filter(|(name, _)| name != "model" && name != "choices")
}

/// Every dialect keeps its own spelling of the usage; the hub has it too.
fn tell_foreign(losses: &mut Losses, answer: &Answer) {
    let mut extras = likely::without(&answer.extras, likely::of(answer)).into_owned();
    extras.fields.retain(|(name, _)| name != "usage" && name != "usageMetadata");
    tell_briefly(losses, &extras, "");
    untold::tell_usage(&answer.extras, CHAT, losses);
}

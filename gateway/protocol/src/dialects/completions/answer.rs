//! The body of a buffered answer.
//! Source: platform.openai.com/docs/api-reference/completions/object, and recordings of imitators; as recorded by 2026-11-21.

use catalogue::Dialect;
use serde_json::value::RawValue;

use super::node::{Blank, Node, all_but, has, write_blanks};
use super::stream_encode::KIND;
use super::{HOME, finish, losses};
use crate::dialects::{DecodeError, Echo, chat, untold};
use crate::hub::{Answer, Body, Candidate, Extras, Part};
use crate::json::Writer;
use crate::loss::{Encoded, Losses};
use crate::usage::Usage;

const BLANKS: [Blank; 3] = [
    Blank("id", "\"\"", "id:empty"),
    Blank("usage", "null", "usage:null"),
    Blank("system_fingerprint", "null", "system_fingerprint:null"),
];

const OF_CHOICE: [Blank; 4] = [
    Blank("finish_reason", "null", "finish_reason:null"),
    Blank("finish_reason", "\"\"", "finish_reason:empty"),
    Blank("logprobs", "null", "logprobs:null"),
    Blank("text", "null", "text:null"),
];

/// Reads a buffered answer.
///
/// # Errors
/// [`DecodeError`] if it is no JSON object, or nothing but an error.
pub fn decode(body: &str) -> Result<Answer, DecodeError> {
    let Some(mut node) = Node::parse(body) else {
        return Err(DecodeError::new("", "the answer must be a JSON object"));
    };
    let is_fault = node.fields.get("error").is_some_and(|raw| raw.get() != "null");
    if is_fault && node.fields.get("choices").is_none() {
        return Err(DecodeError::new("error", "the provider told an error instead of an answer"));
    }
    node.blanks(&BLANKS);
    node.note_absent(&[
        ("id", "id:none"),
        ("object", "object:none"),
        ("created", "created:none"),
        ("model", "model:none"),
    ]);
    if node.fields.get("object").is_some_and(|raw| raw.get() == "\"text_completion\"") {
        node.fields.take("object");
    }
    // At home the object goes back as it came: imitators have other fields in it.
    let usage = node.fields.get("usage").and_then(Usage::read);
    let usage = usage.map(|usage| usage.served(node.fields.get("service_tier")));
    let choices = node.fields.take_list("choices").unwrap_or_default();
    Ok(Answer {
        id: node.fields.take_string("id").unwrap_or_default(),
        model: node.fields.take_string("model").unwrap_or_default(),
        created: node.fields.take_u64("created"),
        candidates: choices.into_iter().enumerate().map(|(at, raw)| candidate(at, raw)).collect(),
        usage,
        extras: node.extras(),
    })
}

/// Reads the choice at `at` of the list. One that is no object says nothing.
fn candidate(at: usize, raw: &RawValue) -> Candidate {
    let Some(mut node) = Node::read(raw) else { return Candidate::default() };
    node.blanks(&OF_CHOICE);
    node.note_absent(&[("index", "index:none")]);
    if node.fields.get("index").is_some_and(|index| index.get() == at.to_string()) {
        node.fields.take("index");
    }
    node.note_absent(&[("finish_reason", "finish_reason:none"), ("text", "text:none")]);
    let finish = node.fields.take_string("finish_reason").and_then(|reason| finish::read(&reason));
    let text = node.fields.take_string("text").filter(|text| !text.is_empty());
    Candidate {
        parts: text.map(Part::text).into_iter().collect(),
        finish,
        stop: None,
        likely: Vec::new(),
        extras: node.extras(),
    }
}

/// Writes a buffered answer.
#[must_use]
pub fn encode(answer: &Answer, echo: &Echo) -> Encoded {
    let mut losses = Losses::default();
    let mut body = String::new();
    let extras = &answer.extras;
    let mut object = Writer::object(&mut body);
    head(&mut object, answer, echo);
    object.list_of("choices", answer.candidates.iter().enumerate(), |out, (at, candidate)| {
        choice(out, at, candidate, &mut losses);
    });
    if let Some(usage) = answer.usage.filter(|_| !has(extras, "usage")) {
        object.field("usage", |out| chat::write_usage(out, &usage));
    }
    write_blanks(&mut object, extras, &BLANKS);
    // The client's name for the model stands in for any other.
    object.all(all_but(extras, &["model", "choices"]));
    object.end();
    losses::tell_briefly(&mut losses, extras, "");
    untold::tell_usage(extras, HOME, &mut losses);
    Encoded { body, losses }
}

fn head(object: &mut Writer<'_>, answer: &Answer, echo: &Echo) {
    let extras = &answer.extras;
    let is_written = |key, note| !has(extras, key) && !extras.notes(HOME, note);
    if is_written("id", "id:none") && !extras.notes(HOME, "id:empty") {
        object.string("id", &KIND.id(&answer.id, echo));
    }
    if is_written("object", "object:none") {
        object.string("object", KIND.object);
    }
    if is_written("created", "created:none") {
        object.number("created", answer.created.unwrap_or(echo.created));
    }
    object.string("model", &echo.model);
}

fn choice(out: &mut String, at: usize, candidate: &Candidate, losses: &mut Losses) {
    let (extras, path) = (&candidate.extras, format!("choices[{at}]"));
    let is_home = extras.dialect == Some(HOME);
    let mut object = Writer::object(out);
    let text = said(candidate, &path, losses);
    if !text.is_empty() || !(has(extras, "text") || is_noted(candidate, &["text:none", "text:null"])) {
        object.string("text", &text);
    }
    if !has(extras, "index") && !extras.notes(HOME, "index:none") {
        object.number("index", at as u64);
    }
    if !is_home {
        object.raw("logprobs", "null");
    }
    reason(&mut object, candidate, &path, losses);
    write_blanks(&mut object, extras, &OF_CHOICE);
    object.all(extras.of(HOME));
    object.end();
    losses::tell_briefly(losses, extras, &path);
}

fn is_noted(candidate: &Candidate, notes: &[&str]) -> bool {
    notes.iter().any(|note| candidate.extras.notes(HOME, note))
}

/// All that is said, as one text. What is no text has no place.
fn said(candidate: &Candidate, path: &str, losses: &mut Losses) -> String {
    let mut text = String::new();
    for (at, part) in candidate.parts.iter().enumerate() {
        match &part.body {
            Body::Text(more) | Body::Refusal(more) => text.push_str(more),
            body => {
                let field = field(body, &part.extras).map_or_else(|| format!("content[{at}]"), str::to_owned);
                losses.hint(format!("{path}.{field}"), "a completion is plain text");
            }
        }
        if !part.citations.is_empty() {
            losses.hint(format!("{path}.annotations"), "a completion names no sources");
        }
        losses::tell_briefly(losses, &part.extras, path);
    }
    text
}

/// The field that a block stands in where chat has one for it beside the content.
pub(super) fn field(body: &Body, extras: &Extras) -> Option<&'static str> {
    match body {
        Body::Thinking { .. } => Some("reasoning_content"),
        Body::ToolCall { .. } if extras.notes(Dialect::OpenaiChat, "function_call") => Some("function_call"),
        _ => None,
    }
}

fn reason(object: &mut Writer<'_>, candidate: &Candidate, path: &str, losses: &mut Losses) {
    let extras = &candidate.extras;
    if candidate.stop.is_some() {
        losses.hint(format!("{path}.stop_sequence"), "completions do not tell which text ended them");
    }
    let unsaid = ["finish_reason:none", "finish_reason:null", "finish_reason:empty"];
    if has(extras, "finish_reason") || is_noted(candidate, &unsaid) {
        return;
    }
    let Some(finish) = &candidate.finish else {
        object.raw("finish_reason", "null");
        return;
    };
    let (reason, is_exact) = finish::write(finish, extras.dialect == Some(HOME));
    object.string("finish_reason", reason);
    if !is_exact {
        losses.hint(format!("{path}.finish_reason"), "completions have no such reason");
    }
}

//! A buffered answer, both ways.
//!
//! The `usage` object stays among the extras as it came, since it says more than buckets can; the buckets are
//! for everybody else.

use super::super::{DecodeError, Echo, untold};
use super::place::tell_leaves;
use super::plain::{is_home, kept, write_extras};
use super::{HOME, blocks_decode, blocks_encode, citations, stop, usage};
use crate::hub::{Answer, Body, Candidate, Extras, Finish, Part, Seal};
use crate::json::{Fields, Writer};
use crate::loss::{Encoded, Losses, Weight};

/// Reads it.
pub(super) fn decode(body: &str) -> Result<Answer, DecodeError> {
    let mut fields = Fields::parse(body).ok_or_else(|| DecodeError::new("", "must be a JSON object"))?;
    if fields.get("type").is_some_and(|kind| kind.get() == "\"error\"") {
        return Err(DecodeError::new("type", "is an error, not an answer"));
    }
    let (id, model) = head(&mut fields);
    let parts = fields.take_list("content").map(|list| blocks_decode::read_all(&list)).unwrap_or_default();
    let finish = fields.take_string("stop_reason").map(stop::read);
    let stop = fields.take_string("stop_sequence");
    let usage = fields.get("usage").and_then(|raw| usage::read(raw.get()));
    let (finish, note) = finish.unzip();
    let candidate = Candidate { parts, finish, stop, likely: Vec::new(), extras: Extras::default() };
    let extras = Extras { notes: note.flatten().into_iter().collect(), ..Extras::new(HOME, fields.rest()) };
    Ok(Answer { id, model, created: None, candidates: vec![candidate], usage, extras })
}

/// Takes id and model, and what is the same in all messages.
pub(super) fn head(fields: &mut Fields<'_>) -> (String, String) {
    for (key, always) in [("type", "\"message\""), ("role", "\"assistant\"")] {
        if fields.get(key).is_some_and(|raw| raw.get() == always) {
            fields.take(key);
        }
    }
    (fields.take_string("id").unwrap_or_default(), fields.take_string("model").unwrap_or_default())
}

/// Writes it.
pub(super) fn encode(answer: &Answer, echo: &Echo) -> Encoded {
    let mut losses = Losses::default();
    let mut body = String::new();
    let none = Candidate::default();
    let said = answer.candidates.first().unwrap_or(&none);
    tell_rest(answer, said, &mut losses);
    let mut object = Writer::object(&mut body);
    write_head(&mut object, (&answer.id, &answer.extras), echo);
    if kept(&answer.extras, "content").is_none() {
        object.field("content", |out| write_content(out, answer, echo, &mut losses));
    }
    write_stop(&mut object, said, &answer.extras);
    if !is_home(&answer.extras) {
        object.field("usage", |out| usage::write(out, &answer.usage.unwrap_or_default()));
    }
    write_extras(&mut object, &answer.extras, &[]);
    object.end();
    Encoded { body, losses }
}

/// What each message begins with. Ids of other dialects are of no use to clients of this one.
pub(super) fn write_head(object: &mut Writer<'_>, (id, extras): (&str, &Extras), echo: &Echo) {
    if id.is_empty() || !is_home(extras) {
        object.string("id", &format!("msg_{}", echo.id));
    } else {
        object.string("id", id);
    }
    for (key, always) in [("type", "message"), ("role", "assistant")] {
        if kept(extras, key).is_none() {
            object.string(key, always);
        }
    }
    if kept(extras, "model").is_none() {
        object.string("model", &echo.model);
    }
}

fn write_stop(object: &mut Writer<'_>, said: &Candidate, extras: &Extras) {
    let has_calls = said.parts.iter().any(|part| matches!(part.body, Body::ToolCall { .. }));
    object.string_if("stop_reason", stop::write(said.finish.as_ref(), extras, has_calls));
    match &said.stop {
        Some(stop) => object.string("stop_sequence", stop),
        None if is_home(extras) => object,
        None => object.raw("stop_sequence", "null"),
    };
}

fn write_content(out: &mut String, answer: &Answer, echo: &Echo, losses: &mut Losses) {
    let parts = answer.candidates.first().map(|said| said.parts.as_slice()).unwrap_or_default();
    let mut list = Writer::list(out);
    for (at, part) in parts.iter().enumerate() {
        let path = format!("content[{at}]");
        for (name, raw) in part.extras.foreign_to(HOME) {
            tell_leaves(losses, &format!("{path}.{name}"), raw.get(), Weight::Hint);
        }
        if !has_place(&part.body) {
            losses.hint(path, "Anthropic's clients know no such block");
            continue;
        }
        if is_silent(&part.body) && part.citations.is_empty() && !is_home(&answer.extras) {
            continue;
        }
        list.element(|out| write_block(out, part, &call_id(&part.body, at, echo)));
        if let Body::ToolCall { seal: Some(seal), .. } = &part.body {
            list.element(|out| write_call_seal(out, seal));
        }
    }
    list.end();
}

/// Whether clients of this dialect can read it.
pub(super) fn has_place(body: &Body) -> bool {
    match body {
        Body::Text(_) | Body::Refusal(_) | Body::Thinking { .. } | Body::ToolCall { .. } => true,
        Body::Foreign { dialect, .. } => *dialect == HOME,
        Body::Media(_) | Body::ToolResult { .. } => false,
    }
}

/// Whether it is a text without words. Anthropic sends none, and its API refuses them when they come back.
pub(super) fn is_silent(body: &Body) -> bool {
    matches!(body, Body::Text(text) | Body::Refusal(text) if text.is_empty())
}

/// The id of a call: the provider's, or one that no other call has.
pub(super) fn call_id(body: &Body, at: usize, echo: &Echo) -> String {
    match body {
        Body::ToolCall { id, .. } if id.is_empty() => format!("toolu_{}_{at}", echo.id),
        Body::ToolCall { id, .. } => id.clone(),
        _ => String::new(),
    }
}

fn write_block(out: &mut String, part: &Part, id: &str) {
    match &part.body {
        Body::Text(text) | Body::Refusal(text) => blocks_encode::text(out, part, text, &part.citations),
        Body::Thinking { text, seal } => blocks_encode::thinking(out, part, text, seal.as_ref()),
        Body::ToolCall { name, arguments, .. } => {
            blocks_encode::call(out, part, id, (name, arguments));
        }
        Body::Foreign { json, .. } => out.push_str(json.get()),
        Body::Media(_) | Body::ToolResult { .. } => {}
    }
}

/// Calls have no signature here, but clients send thinking blocks back: see `blocks_decode.rs`.
fn write_call_seal(out: &mut String, seal: &Seal) {
    let mut object = Writer::object(out);
    object.string("type", "thinking").string("thinking", "").string("signature", &call_seal(seal));
    object.end();
}

/// The signature of the block that carries the seal of a call.
pub(super) fn call_seal(seal: &Seal) -> String {
    format!("{}{}", blocks_decode::CALL_SEAL, seal.to_token(HOME))
}

fn tell_rest(answer: &Answer, said: &Candidate, losses: &mut Losses) {
    untold::tell_usage(&answer.extras, HOME, losses);
    for (name, raw) in answer.extras.foreign_to(HOME).iter().filter(|(name, _)| !is_usage(name)) {
        tell_leaves(losses, name, raw.get(), Weight::Hint);
    }
    for (name, raw) in said.extras.foreign_to(HOME) {
        tell_leaves(losses, &format!("choices[0].{name}"), raw.get(), Weight::Hint);
    }
    for at in 1..answer.candidates.len() {
        losses.hint(format!("choices[{at}]"), "Anthropic's clients read one answer");
    }
    if let (Some(Finish::Other(_)), false) = (&said.finish, is_home(&answer.extras)) {
        losses.hint("finish_reason", "Anthropic's clients know no such reason");
    }
    for (at, part) in said.parts.iter().enumerate() {
        for (cited, citation) in part.citations.iter().enumerate() {
            citations::tell_rest(losses, &format!("content[{at}].annotations[{cited}]"), citation);
        }
    }
}

/// Everybody's usage objects are carried by the buckets.
fn is_usage(name: &str) -> bool {
    matches!(name, "usage" | "usageMetadata")
}

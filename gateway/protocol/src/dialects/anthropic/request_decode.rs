//! A client's request to the hub. Settings are in `settings.rs`, `reasoning.rs` and `tools.rs`.

use serde_json::value::RawValue;

use super::super::DecodeError;
use super::plain::{take_number, take_strings};
use super::{HOME, blocks_decode, notes, reasoning, settings, tools};
use crate::hub::{Body, Extras, Part, Request, Role, Sampling, Turn};
use crate::json::{Fields, RawJson};

/// Reads the body.
pub(super) fn decode(body: &str) -> Result<Request, DecodeError> {
    let mut fields = Fields::parse(body).ok_or_else(|| DecodeError::new("", "must be a JSON object"))?;
    let mut notes = Vec::new();
    let turns = turns(&mut fields)?;
    let (tools, tool_choice) = (tools::read_all(&mut fields, &mut notes), tools::read_choice(&mut fields));
    let output = settings::read_output(&mut fields);
    let reasoning = reasoning::read(&mut fields, output.effort);
    let stream = fields.take_bool("stream");
    if stream == Some(false) {
        notes.push(notes::STREAM_FALSE);
    }
    let (user, metadata) = settings::read_user(&mut fields);
    let mut request = Request {
        model: fields.take_string("model").unwrap_or_default(),
        turns,
        tools,
        tool_choice: tool_choice.choice,
        parallel_tools: tool_choice.parallel,
        max_output: fields.take_u64("max_tokens"),
        sampling: sampling(&mut fields, &mut notes),
        format: output.format,
        reasoning,
        stream: stream.unwrap_or(false),
        stream_usage: true,
        user,
        service_tier: fields.take_string("service_tier"),
        ..Request::default()
    };
    let mut rest = fields.rest();
    rest.extend([tool_choice.kept, output.kept, metadata].into_iter().flatten());
    request.extras = Extras { notes, ..Extras::new(HOME, rest) };
    Ok(request)
}

fn turns(fields: &mut Fields<'_>) -> Result<Vec<Turn>, DecodeError> {
    let mut turns: Vec<Turn> = system(fields).into_iter().collect();
    let messages = fields
        .take_list("messages")
        .ok_or_else(|| DecodeError::new("messages", "must be a list of messages"))?;
    for (at, raw) in messages.into_iter().enumerate() {
        turns.push(message(at, raw)?);
    }
    Ok(turns)
}

fn system(fields: &mut Fields<'_>) -> Option<Turn> {
    let (parts, note) = if let Some(text) = fields.take_string("system") {
        (vec![blocks_decode::text(text)], notes::SYSTEM_STRING)
    } else {
        (blocks_decode::read_all(&fields.take_list("system")?), notes::SYSTEM_LIST)
    };
    Some(Turn { role: Role::System, parts, extras: Extras::new(HOME, Vec::new()).with(note) })
}

fn message(at: usize, raw: &RawValue) -> Result<Turn, DecodeError> {
    let Some(mut fields) = Fields::read(raw) else { return Ok(no_message(raw)) };
    let wrong = |field: &str, reason| DecodeError::new(format!("messages[{at}].{field}"), reason);
    let role = match fields.take_string("role").as_deref() {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        // platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages, read 2026-11-21.
        Some("system") => Role::System,
        _ => return Err(wrong("role", "must be user, assistant or system")),
    };
    let mut notes = Vec::new();
    let parts = if let Some(text) = fields.take_string("content") {
        notes.push(notes::CONTENT_STRING);
        vec![blocks_decode::text(text)]
    } else {
        let list = fields.take_list("content");
        blocks_decode::read_all(&list.ok_or_else(|| wrong("content", "must be a text or a list of blocks"))?)
    };
    Ok(Turn { role, parts, extras: Extras { notes, ..Extras::new(HOME, fields.rest()) } })
}

/// A message that is no object goes on as it stands, for the API to refuse in its own words.
fn no_message(raw: &RawValue) -> Turn {
    let body = Body::Foreign { dialect: HOME, json: RawJson::from(raw) };
    let extras = Extras::new(HOME, Vec::new()).with(notes::MESSAGE_RAW);
    Turn { role: Role::User, parts: vec![Part::new(body)], extras }
}

fn sampling(fields: &mut Fields<'_>, notes: &mut Vec<&'static str>) -> Sampling {
    let stop = take_strings(fields, "stop_sequences");
    if stop.as_ref().is_some_and(Vec::is_empty) {
        notes.push(notes::STOP_EMPTY);
    }
    Sampling {
        temperature: take_number(fields, "temperature"),
        top_p: take_number(fields, "top_p"),
        top_k: take_number(fields, "top_k"),
        stop: stop.unwrap_or_default(),
        ..Sampling::default()
    }
}

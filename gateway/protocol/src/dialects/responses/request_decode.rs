//! Reads a request. What nobody models is an extra of its name; what stood inside `text` is called `text.…`.

use serde_json::value::RawValue;

use super::settings::{self, IN_TEXT};
use super::{HOME, item_decode, notes, reasoning_encode, tools};
use crate::dialects::DecodeError;
use crate::hub::{Body, Extras, Format, Request, Role, Sampling, Tool, Turn};
use crate::json::{Fields, RawJson};

/// Reads a request.
///
/// # Errors
/// If it is no object, or `input` is neither text nor a list.
pub fn decode_request(body: &str) -> Result<Request, DecodeError> {
    let mut fields = Fields::parse(body).ok_or_else(|| DecodeError::new("", "must be a JSON object"))?;
    let mut written = Vec::new();
    let turns = turns(&mut fields, &mut written)?;
    let Text { format, verbosity, mut inside } = text(&mut fields);
    let stream = fields.take_bool("stream");
    if stream == Some(false) {
        written.push(notes::STREAM_FALSE);
    }
    let mut request = Request {
        model: model(&mut fields, &mut written),
        turns,
        tools: tools(&mut fields, &mut written),
        tool_choice: fields.take("tool_choice").map(tools::read_choice),
        parallel_tools: fields.take_bool("parallel_tool_calls"),
        max_output: fields.take_u64("max_output_tokens"),
        sampling: sampling(&mut fields),
        format,
        reasoning: fields.take_object("reasoning").map(settings::read_reasoning),
        stream: stream.unwrap_or(false),
        // Streams of this API always tell it.
        stream_usage: true,
        user: fields.take_string("user"),
        metadata: fields.take_raw("metadata"),
        service_tier: fields.take_string("service_tier"),
        cache_key: fields.take_string("prompt_cache_key"),
        cache_retention: fields.take_string("prompt_cache_retention"),
        verbosity,
        store: fields.take_bool("store"),
        ..Request::default()
    };
    inside.extend(fields.rest());
    request.extras = Extras { notes: written, ..Extras::new(HOME, inside) };
    Ok(request)
}

fn model(fields: &mut Fields<'_>, written: &mut Vec<&'static str>) -> String {
    fields.take_string("model").unwrap_or_else(|| {
        written.push(notes::NO_MODEL);
        String::new()
    })
}

fn turns(fields: &mut Fields<'_>, written: &mut Vec<&'static str>) -> Result<Vec<Turn>, DecodeError> {
    let instructions =
        fields.take_string("instructions").map(|text| said(Role::System, text, notes::INSTRUCTIONS));
    let mut turns: Vec<_> = instructions.into_iter().collect();
    if let Some(text) = fields.take_string("input") {
        turns.push(said(Role::User, text, notes::INPUT_STRING));
    } else if let Some(items) = fields.take_list("input") {
        turns.extend(items.into_iter().map(item_decode::read));
    } else if fields.get("input").is_none_or(|raw| raw.get() == "null") {
        written.push(notes::NO_INPUT);
    } else {
        return Err(DecodeError::new("input", "must be a text or a list of items"));
    }
    Ok(give_seals_to_calls(turns))
}

fn said(role: Role, text: String, note: &'static str) -> Turn {
    let extras = Extras::new(HOME, Vec::new()).with(note);
    Turn { role, parts: vec![item_decode::plain(Body::Text(text))], extras }
}

/// A reasoning item that carries only the seal of the call after it goes into that call; see
/// [`reasoning_encode::of_call`].
fn give_seals_to_calls(turns: Vec<Turn>) -> Vec<Turn> {
    let mut kept: Vec<Turn> = Vec::with_capacity(turns.len());
    for mut turn in turns {
        if let [part] = turn.parts.as_mut_slice()
            && let Body::ToolCall { seal, .. } = &mut part.body
            && let Some(mut carried) = kept.last().and_then(seal_of_call)
        {
            carried.bytes = carried.bytes.replacen(reasoning_encode::OF_CALL, "", 1);
            *seal = Some(carried);
            kept.pop();
        }
        kept.push(turn);
    }
    kept
}

fn seal_of_call(turn: &Turn) -> Option<crate::hub::Seal> {
    let [part] = turn.parts.as_slice() else { return None };
    let Body::Thinking { seal: Some(seal), .. } = &part.body else { return None };
    let is_marked = seal.dialect != HOME && seal.bytes.starts_with(reasoning_encode::OF_CALL);
    is_marked.then(|| seal.clone())
}

fn tools(fields: &mut Fields<'_>, written: &mut Vec<&'static str>) -> Vec<Tool> {
    let Some(list) = fields.take_list("tools") else { return Vec::new() };
    if list.is_empty() {
        written.push(notes::NO_TOOLS);
    }
    list.into_iter().map(tools::read).collect()
}

fn sampling(fields: &mut Fields<'_>) -> Sampling {
    Sampling {
        temperature: fields.take_raw("temperature"),
        top_p: fields.take_raw("top_p"),
        logprobs: fields.take_u64("top_logprobs"),
        ..Sampling::default()
    }
}

/// What stood in `text`.
#[derive(Default)]
struct Text {
    format: Option<Format>,
    verbosity: Option<String>,
    inside: Vec<(String, RawJson)>,
}

/// An empty `text` leaves a mark that it was there.
fn text(fields: &mut Fields<'_>) -> Text {
    let Some(mut text) = fields.take_object("text") else { return Text::default() };
    let raw = text.get("format");
    let format = raw.and_then(Fields::read).and_then(settings::read_format);
    if format.is_some() {
        text.take_any("format");
    }
    let verbosity = text.take_string("verbosity");
    let mut rest: Vec<_> = text.rest();
    if rest.is_empty() && format.is_none() && verbosity.is_none() {
        rest.push((String::new(), RawJson::from(RawValue::NULL)));
    }
    let inside = rest.into_iter().map(|(name, raw)| (format!("{IN_TEXT}{name}"), raw)).collect();
    Text { format, verbosity, inside }
}

//! OpenAI's request, which self-hosted servers and most providers take too.

use serde_json::value::RawValue;

use super::{Content, Encoded, Encoding, Form, Input, MOST_INPUTS, Request, Rest, gemini};
use crate::dialects::DecodeError;
use crate::json::{Fields, RawJson, Writer};
use crate::loss::Losses;

/// The input was not a list of inputs.
const ALONE: &str = "alone";

/// Reads a request. `task_type` is no field of OpenAI's, but LiteLLM's clients send it for Google's models.
pub(super) fn decode(body: &str) -> Result<Request, DecodeError> {
    let mut fields = Fields::parse(body).ok_or_else(|| DecodeError::new("body", "must be a JSON object"))?;
    let model = fields.take_string("model").unwrap_or_default();
    let input =
        fields.take("input").ok_or_else(|| DecodeError::new("input", "is missing: set it to a text"))?;
    let (dimensions, task) = (fields.take_u64("dimensions"), fields.take_string("task_type"));
    let (user, encoding) = (fields.take_string("user"), encoding(&mut fields));
    let (contents, is_alone) = contents(input)?;
    let made =
        |content| Input { content, dimensions, task: task.clone(), title: None, rest: Rest::default() };
    let inputs = contents.into_iter().map(made).collect();
    let mut rest = Rest { fields: fields.rest(), notes: Vec::new() };
    if is_alone {
        rest.note(ALONE);
    }
    Ok(Request { form: Form::Openai, model, inputs, encoding, user, rest })
}

/// Another encoding than these two stays, and so becomes a field that nobody models.
fn encoding(fields: &mut Fields<'_>) -> Option<Encoding> {
    let encoding = match fields.get("encoding_format")?.get() {
        r#""float""# => Encoding::Float,
        r#""base64""# => Encoding::Base64,
        _ => return None,
    };
    fields.take_any("encoding_format");
    Some(encoding)
}

/// The inputs, and whether `raw` is a single one.
fn contents(raw: &RawValue) -> Result<(Vec<Content>, bool), DecodeError> {
    let odd = || DecodeError::new("input", "must be a text, a list of texts, or lists of tokens");
    if raw.get().starts_with('"') {
        return Ok((vec![Content::Texts(vec![raw.into()])], true));
    }
    if !raw.get().starts_with('[') {
        return Err(odd());
    }
    let list: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| odd())?;
    if list.is_empty() {
        return Err(DecodeError::new("input", "is an empty list: send at least one text"));
    }
    if list.iter().all(|one| is_number(one)) {
        return Ok((vec![Content::Tokens(raw.into())], true));
    }
    if list.len() > MOST_INPUTS {
        return Err(DecodeError::new("input", "has more than 2048 inputs: send them in several calls"));
    }
    Ok((list.into_iter().map(content).collect(), false))
}

fn content(raw: &RawValue) -> Content {
    match raw.get().as_bytes().first() {
        Some(b'"') => Content::Texts(vec![raw.into()]),
        Some(b'[') if is_tokens(raw) => Content::Tokens(raw.into()),
        _ => Content::Foreign(raw.into()),
    }
}

fn is_tokens(raw: &RawValue) -> bool {
    let list: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    !list.is_empty() && list.iter().all(|one| is_number(one))
}

fn is_number(raw: &RawValue) -> bool {
    raw.get().starts_with(|first: char| first.is_ascii_digit() || first == '-')
}

/// Writes a request. One of Google's is asked as numbers: not every server of this language knows base64.
pub(super) fn encode(request: &Request) -> Encoded {
    let (mut body, mut losses) = (String::new(), Losses::default());
    let is_home = request.form == Form::Openai;
    let mut object = Writer::object(&mut body);
    object.string("model", &request.model);
    object.field("input", |out| write_inputs(request, out));
    if let Some(dimensions) = request.inputs.first().and_then(|input| input.dimensions) {
        object.number("dimensions", dimensions);
    }
    object.string_if("user", request.user.as_deref());
    if is_home {
        object.string_if("encoding_format", request.encoding.map(name));
        object.string_if("task_type", request.inputs.first().and_then(|input| input.task.as_deref()));
        object.all(&request.rest.fields);
    } else {
        foreign(request, &mut losses);
    }
    object.end();
    Encoded { bodies: vec![body], losses }
}

fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Float => "float",
        Encoding::Base64 => "base64",
    }
}

fn write_inputs(request: &Request, out: &mut String) {
    let is_alone = request.form == Form::GeminiOne || request.rest.notes(ALONE);
    match request.inputs.as_slice() {
        [one] if is_alone => write_input(&one.content, out),
        all => {
            let mut list = Writer::list(out);
            for input in all {
                list.element(|out| write_input(&input.content, out));
            }
            list.end();
        }
    }
}

fn write_input(content: &Content, out: &mut String) {
    match content {
        Content::Texts(texts) => joined(texts, out),
        Content::Tokens(raw) => out.push_str(raw.get()),
        Content::Foreign(raw) => match gemini::texts(raw) {
            Some(texts) => joined(&texts, out),
            None => out.push_str(raw.get()),
        },
    }
}

/// One JSON string of several, with line feeds between.
fn joined(texts: &[RawJson], out: &mut String) {
    out.push('"');
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            out.push_str("\\n");
        }
        let inside = text.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        out.push_str(inside.unwrap_or_default());
    }
    out.push('"');
}

/// What of a request of Google's has no place here.
fn foreign(request: &Request, losses: &mut Losses) {
    let list = if request.form == Form::GeminiBatch { "requests[]." } else { "" };
    request.rest.lost("", losses);
    let first = request.inputs.first().and_then(|input| input.dimensions);
    for (at, input) in request.inputs.iter().enumerate() {
        let place = if list.is_empty() { String::new() } else { format!("requests[{at}].") };
        match &input.content {
            Content::Texts(texts) if texts.len() > 1 => {
                losses.hint(format!("{place}content.parts"), "the texts were joined to one");
            }
            Content::Texts(_) => {}
            Content::Tokens(_) | Content::Foreign(_) => {
                losses.meaning(format!("{place}content.parts"), "only texts can be carried");
            }
        }
        if input.dimensions != first {
            let size = gemini::place_of(&input.rest, gemini::SIZE);
            losses.meaning(format!("{place}{size}"), "one call has vectors of one size");
        }
        for (name, is_there) in [(gemini::TASK, input.task.is_some()), (gemini::TITLE, input.title.is_some())]
        {
            let path = format!("{list}{}", gemini::place_of(&input.rest, name));
            if is_there && !losses.all().iter().any(|loss| loss.field == path) {
                losses.hint(path, "this language does not say what a vector is for");
            }
        }
        input.rest.lost(list, losses);
    }
}

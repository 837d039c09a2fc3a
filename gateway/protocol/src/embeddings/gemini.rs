//! Google's requests: `embedContent`, and `batchEmbedContents`, which is a list of the former. Fields come in two
//! spellings, `taskType` and `task_type`; those of `embedContentConfig` may stand beside it, as they used to.

use serde_json::value::RawValue;

use super::{Content, Encoded, Form, GEMINI_INPUTS, Input, MOST_INPUTS, Request, Rest};
use crate::dialects::DecodeError;
use crate::json::{Fields, RawJson, Writer};
use crate::loss::Losses;

/// Notes: the object names its model; its settings are spelt in snake case; the role is said to be the user's,
/// which means nothing here; its only part is not in a list.
const MODEL: &str = "model";
const SNAKE: &str = "snake";
const USER: &str = "user";
const ALONE: &str = "alone";

/// Where settings may stand. Each is a note, too: that they do.
const CONFIG_NAMES: [&str; 2] = ["embedContentConfig", "embed_content_config"];

/// Settings in both spellings.
pub(super) const TASK: (&str, &str) = ("taskType", "task_type");
pub(super) const TITLE: (&str, &str) = ("title", "title");
pub(super) const SIZE: (&str, &str) = ("outputDimensionality", "output_dimensionality");

/// Reads a request of one of Google's forms.
pub(super) fn decode(form: Form, body: &str) -> Result<Request, DecodeError> {
    let mut fields = Fields::parse(body).ok_or_else(|| DecodeError::new("body", "must be a JSON object"))?;
    if form == Form::GeminiOne {
        let (model, input) = read_input(fields, "")?;
        let rest = Rest::default();
        return Ok(Request { form, model, inputs: vec![input], encoding: None, user: None, rest });
    }
    let list = fields.take_list("requests");
    let list = list.ok_or_else(|| DecodeError::new("requests", "must be a list of requests"))?;
    if list.is_empty() {
        return Err(DecodeError::new("requests", "is an empty list: send at least one"));
    }
    if list.len() > MOST_INPUTS {
        return Err(DecodeError::new("requests", "has more than 2048 requests: send them in several calls"));
    }
    let named = fields.take_string("model").map(|name| bare(&name).to_owned());
    let (mut inner, mut inputs) = (None, Vec::with_capacity(list.len()));
    for (at, raw) in list.into_iter().enumerate() {
        let place = format!("requests[{at}]");
        let fields = Fields::read(raw).ok_or_else(|| DecodeError::new(&place, "must be an object"))?;
        let (model, input) = read_input(fields, &format!("{place}."))?;
        inner.get_or_insert(model);
        inputs.push(input);
    }
    let mut rest = Rest { fields: fields.rest(), notes: Vec::new() };
    if named.is_some() {
        rest.note(MODEL);
    }
    let model = named.or(inner).unwrap_or_default();
    Ok(Request { form, model, inputs, encoding: None, user: None, rest })
}

/// A model's name without `models/`.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix("models/").unwrap_or(name)
}

fn read_input(mut fields: Fields<'_>, place: &str) -> Result<(String, Input), DecodeError> {
    let mut rest = Rest::default();
    let model = fields.take_string("model");
    if model.is_some() {
        rest.note(MODEL);
    }
    let raw = fields.take("content");
    let missing = || DecodeError::new(format!("{place}content"), "must be an object with a list of parts");
    let content = raw.filter(|raw| raw.get().starts_with('{')).ok_or_else(missing)?;
    let content = read_content(content, &mut rest).ok_or_else(missing)?;
    let config = CONFIG_NAMES.into_iter().find_map(|name| Some((name, fields.take_object(name)?)));
    let (dimensions, task, title) = match config {
        Some((name, mut config)) => {
            rest.note(name);
            let settings = settings(&mut config, &mut rest);
            rest.fields.extend(prefixed(name, config));
            settings
        }
        None => settings(&mut fields, &mut rest),
    };
    rest.fields.extend(fields.rest());
    let model = model.map(|name| bare(&name).to_owned()).unwrap_or_default();
    Ok((model, Input { content, dimensions, task, title, rest }))
}

type Settings = (Option<u64>, Option<String>, Option<String>);

fn settings(fields: &mut Fields<'_>, rest: &mut Rest) -> Settings {
    let (dimensions, task) = (fields.take_u64(SIZE.0), fields.take_string(TASK.0));
    let old = (fields.take_u64(SIZE.1), fields.take_string(TASK.1));
    if old.0.is_some() || old.1.is_some() {
        rest.note(SNAKE);
    }
    (dimensions.or(old.0), task.or(old.1), fields.take_string("title"))
}

fn prefixed(prefix: &str, fields: Fields<'_>) -> impl Iterator<Item = (String, RawJson)> {
    fields.rest().into_iter().map(move |(name, raw)| (format!("{prefix}.{name}"), raw))
}

/// `None` if it has no parts at all. What is not text alone stays as it is.
fn read_content(raw: &RawValue, rest: &mut Rest) -> Option<Content> {
    let mut fields = Fields::read(raw)?;
    let (parts, is_alone) = parts(&mut fields)?;
    let mut texts = Vec::with_capacity(parts.len());
    let mut kept = Vec::new();
    for (at, part) in parts.into_iter().enumerate() {
        let Some((text, others)) = Fields::read(part).and_then(|mut part| Some((text(&mut part)?, part)))
        else {
            return Some(Content::Foreign(raw.into()));
        };
        texts.push(text);
        kept.extend(prefixed(&format!("content.parts[{at}]"), others));
    }
    if texts.is_empty() {
        return Some(Content::Foreign(raw.into()));
    }
    if is_alone {
        rest.note(ALONE);
    }
    if fields.get("role").is_some_and(|role| role.get() == r#""user""#) {
        fields.take_any("role");
        rest.note(USER);
    }
    rest.fields.extend(kept);
    rest.fields.extend(prefixed("content", fields));
    Some(Content::Texts(texts))
}

/// The parts; one object alone is taken for a list by Google, too.
fn parts<'a>(fields: &mut Fields<'a>) -> Option<(Vec<&'a RawValue>, bool)> {
    if let Some(list) = fields.take_list("parts") {
        return Some((list, false));
    }
    fields.get("parts").filter(|raw| raw.get().starts_with('{'))?;
    fields.take("parts").map(|one| (vec![one], true))
}

fn text(part: &mut Fields<'_>) -> Option<RawJson> {
    part.get("text").filter(|raw| raw.get().starts_with('"'))?;
    part.take_raw("text")
}

/// The texts of a content that has other parts, too. `None` if it is no content.
pub(super) fn texts(content: &RawJson) -> Option<Vec<RawJson>> {
    let mut fields = Fields::parse(content.get())?;
    let (parts, _) = parts(&mut fields)?;
    Some(parts.into_iter().filter_map(|part| text(&mut Fields::read(part)?)).collect())
}

/// Writes a request, in as many bodies as Google's limit asks for.
pub(super) fn encode(request: &Request) -> Encoded {
    let mut losses = Losses::default();
    if request.form == Form::Openai {
        foreign(request, &mut losses);
    }
    if let (Form::GeminiOne, [input]) = (request.form, request.inputs.as_slice()) {
        let mut body = String::new();
        write_input(request, input, &mut body);
        return Encoded { bodies: vec![body], losses };
    }
    let bodies = request.inputs.chunks(GEMINI_INPUTS).map(|inputs| batch(request, inputs)).collect();
    Encoded { bodies, losses }
}

fn batch(request: &Request, inputs: &[Input]) -> String {
    let mut body = String::new();
    let mut object = Writer::object(&mut body);
    if is_home(request) {
        if request.rest.notes(MODEL) {
            object.string("model", &full(&request.model));
        }
        object.all(&request.rest.fields);
    }
    object.list_of("requests", inputs, |out, input| write_input(request, input, out));
    object.end();
    body
}

fn full(model: &str) -> String {
    format!("models/{}", bare(model))
}

fn is_home(request: &Request) -> bool {
    request.form != Form::Openai
}

fn write_input(request: &Request, input: &Input, out: &mut String) {
    let rest = &input.rest;
    let mut object = Writer::object(out);
    if !is_home(request) || rest.notes(MODEL) {
        object.string("model", &full(&request.model));
    }
    object.field("content", |out| write_content(input, out));
    if let Some(name) = config_of(rest) {
        object.nested(name, |config| {
            write_settings(input, config);
            within(rest, &format!("{name}.")).for_each(|(name, raw)| {
                config.raw(name, raw.get());
            });
        });
    } else {
        write_settings(input, &mut object);
    }
    let own = rest.fields.iter().filter(|(name, _)| !name.contains('.'));
    object.all(own);
    object.end();
}

fn config_of(rest: &Rest) -> Option<&'static str> {
    CONFIG_NAMES.into_iter().find(|name| rest.notes(name))
}

fn write_settings(input: &Input, object: &mut Writer<'_>) {
    let key = |name| key(&input.rest, name);
    object.string_if(key(TASK), input.task.as_deref()).string_if("title", input.title.as_deref());
    if let Some(dimensions) = input.dimensions {
        object.number(key(SIZE), dimensions);
    }
}

fn key(rest: &Rest, (camel, snake): (&'static str, &'static str)) -> &'static str {
    if rest.notes(SNAKE) { snake } else { camel }
}

/// Where in an input the client wrote a setting.
pub(super) fn place_of(rest: &Rest, name: (&'static str, &'static str)) -> String {
    let key = key(rest, name);
    config_of(rest).map_or_else(|| key.to_owned(), |config| format!("{config}.{key}"))
}

fn write_content(input: &Input, out: &mut String) {
    let texts = match &input.content {
        Content::Texts(texts) => texts.as_slice(),
        Content::Foreign(raw) if texts(raw).is_some() => return out.push_str(raw.get()),
        Content::Foreign(_) | Content::Tokens(_) => &[],
    };
    let mut content = Writer::object(out);
    if let ([text], true) = (texts, input.rest.notes(ALONE)) {
        content.field("parts", |out| write_part(input, 0, text, out));
    } else {
        content
            .list_of("parts", texts.iter().enumerate(), |out, (at, text)| write_part(input, at, text, out));
    }
    if input.rest.notes(USER) {
        content.string("role", USER);
    }
    let own = within(&input.rest, "content.").filter(|(name, _)| !name.contains('.'));
    own.for_each(|(name, raw)| {
        content.raw(name, raw.get());
    });
    content.end();
}

fn write_part(input: &Input, at: usize, text: &RawJson, out: &mut String) {
    let mut part = Writer::object(out);
    part.raw("text", text.get());
    within(&input.rest, &format!("content.parts[{at}].")).for_each(|(name, raw)| {
        part.raw(name, raw.get());
    });
    part.end();
}

/// The fields of an object inside.
fn within<'r>(rest: &'r Rest, prefix: &str) -> impl Iterator<Item = (&'r str, &'r RawJson)> {
    rest.fields.iter().filter_map(move |(name, raw)| Some((name.strip_prefix(prefix)?, raw)))
}

/// What of a request of OpenAI's has no place here.
fn foreign(request: &Request, losses: &mut Losses) {
    if request.user.is_some() {
        losses.hint("user", "Google is told of no user");
    }
    request.rest.lost("", losses);
    for (at, input) in request.inputs.iter().enumerate() {
        let place = || if request.inputs.len() == 1 { "input".to_owned() } else { format!("input[{at}]") };
        match input.content {
            Content::Texts(_) => {}
            Content::Tokens(_) => losses.meaning(place(), "Google takes texts, not tokens"),
            Content::Foreign(_) => losses.meaning(place(), "only texts can be carried"),
        }
    }
}

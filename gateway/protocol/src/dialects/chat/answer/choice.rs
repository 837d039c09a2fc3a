//! One of `choices`. The fields of its message that nobody models are kept as the extra `message`.

use serde_json::value::RawValue;

use super::super::content::{self, Caches};
use super::super::losses::tell_briefly;
use super::super::message::{self, Reader, Said};
use super::super::ways::{Blank, CHAT, Node, all_but, has, nested, write_blanks};
use super::super::{citations, data_url, media};
use super::{read_finish, write_finish};
use crate::dialects::{Echo, likely};
use crate::hub::{Body, Candidate, Finish, Media, MediaKind, Part};
use crate::json::{Fields, Writer};
use crate::loss::Losses;

const BLANKS: [Blank; 4] = [
    Blank("finish_reason", "null", "finish_reason:null"),
    Blank("finish_reason", "\"\"", "finish_reason:empty"),
    Blank("logprobs", "null", "logprobs:null"),
    Blank("content_filter_results", "{}", "content_filter_results:empty"),
];

/// Reads the choice at `at` of the list. One that is no object says nothing.
pub(super) fn decode(at: usize, raw: &RawValue) -> Candidate {
    let Some(mut node) = Node::read(raw) else { return Candidate::default() };
    node.blanks(&BLANKS);
    match node.fields.get("index").map(RawValue::get) {
        Some(index) if index == at.to_string() => {
            node.fields.take("index");
        }
        Some(_) => {}
        None => node.note("index:none"),
    }
    let finish = finish(&mut node);
    let parts = match node.fields.take_object("message") {
        Some(fields) => message(Node::of(fields), &mut node),
        None => {
            node.note("message:none");
            Vec::new()
        }
    };
    let list = node.fields.get("logprobs").and_then(Fields::read).and_then(|mut told| told.take("content"));
    let likely = list.map(likely::read_openai).unwrap_or_default();
    Candidate { parts, finish, stop: None, likely, extras: node.extras() }
}

fn finish(node: &mut Node<'_>) -> Option<Finish> {
    if node.fields.get("finish_reason").is_none() {
        node.note("finish_reason:none");
    }
    let reason = node.fields.take_string("finish_reason")?;
    match reason.as_str() {
        "function_call" => node.note("finish_reason:function_call"),
        "model_length" => node.note("finish_reason:model_length"),
        _ => {}
    }
    read_finish(&reason)
}

fn message(mut inner: Node<'_>, choice: &mut Node<'_>) -> Vec<Part> {
    match inner.fields.get("role").map(RawValue::get) {
        Some("\"assistant\"") => {
            inner.fields.take("role");
        }
        Some(_) => {}
        None => inner.note("role:none"),
    }
    let mut parts = message::decode(&mut inner);
    citations::decode(&mut inner, &mut parts);
    parts.extend(images(&mut inner));
    choice.adopt(&mut inner);
    choice.keep_rest("message", inner.fields);
    parts
}

/// Pictures that the model made. Source: openrouter.ai/docs/features/multimodal/image-generation, read 2026-11-21.
fn images(node: &mut Node<'_>) -> Vec<Part> {
    let list: Vec<&RawValue> =
        node.fields.get("images").and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let parts: Option<Vec<Part>> = list.into_iter().map(image).collect();
    let parts = parts.unwrap_or_default();
    if !parts.is_empty() {
        node.fields.take("images");
    }
    parts
}

/// Reads one of `images`.
pub(in super::super) fn image(raw: &RawValue) -> Option<Part> {
    let mut node = Node::read(raw)?;
    node.note("images");
    if node.fields.take_string("type")? != "image_url" {
        return None;
    }
    let mut inner: Fields<'_> = node.fields.take_object("image_url")?;
    let source = data_url::read(inner.take_string("url")?);
    node.keep_rest("image_url", inner);
    let medium = Media { kind: MediaKind::Image, source, name: None, detail: None };
    Some(Part { extras: node.extras(), ..Part::new(Body::Media(medium)) })
}

/// What a choice is written with.
#[derive(Debug)]
pub(super) struct Place<'l> {
    pub(super) echo: &'l Echo,
    pub(super) losses: &'l mut Losses,
    pub(super) is_home: bool,
}

pub(super) fn encode(out: &mut String, at: usize, candidate: &Candidate, place: &mut Place<'_>) {
    let extras = &candidate.extras;
    let mut object = Writer::object(out);
    if !has(extras, "index") && !extras.notes(CHAT, "index:none") {
        object.number("index", at as u64);
    }
    if !extras.notes(CHAT, "message:none") {
        object.nested("message", |message| write_message(message, at, candidate, place));
    }
    write_reason(&mut object, candidate, place);
    if !candidate.likely.is_empty() && !has(extras, "logprobs") {
        object.nested("logprobs", |told| {
            told.field("content", |out| likely::write_openai(out, &candidate.likely)).raw("refusal", "null");
        });
    }
    write_blanks(&mut object, extras, &BLANKS);
    object.all(all_but(extras, if extras.notes(CHAT, "message:none") { "" } else { "message" }));
    object.end();
    tell_briefly(place.losses, extras, &format!("choices[{at}]"));
}

fn write_reason(object: &mut Writer<'_>, candidate: &Candidate, place: &mut Place<'_>) {
    let extras = &candidate.extras;
    if candidate.stop.is_some() {
        place.losses.hint("stop_sequence", "chat completions do not tell which text ended the answer");
    }
    let said = ["finish_reason:none", "finish_reason:null", "finish_reason:empty"];
    if has(extras, "finish_reason") || said.iter().any(|note| extras.notes(CHAT, note)) {
        return;
    }
    match &candidate.finish {
        None => {
            object.raw("finish_reason", "null");
        }
        Some(_) if extras.notes(CHAT, "finish_reason:function_call") => {
            object.string("finish_reason", "function_call");
        }
        Some(_) if extras.notes(CHAT, "finish_reason:model_length") => {
            object.string("finish_reason", "model_length");
        }
        Some(finish) => {
            object.string("finish_reason", write_finish(finish, place.is_home));
            if matches!(finish, Finish::Paused | Finish::Other(_)) && !place.is_home {
                place.losses.hint("finish_reason", "chat completions have no such reason");
            }
        }
    }
}

fn write_message(message: &mut Writer<'_>, at: usize, candidate: &Candidate, place: &mut Place<'_>) {
    let extras = &candidate.extras;
    let rest = nested(extras, "message");
    let has_own = |key: &str| rest.iter().any(|(name, _)| name == key);
    if !has_own("role") && !extras.notes(CHAT, "role:none") {
        message.string("role", "assistant");
    }
    let parts = told(at, candidate, place);
    let said = Said { parts, extras, reader: Reader::Client, caches: Caches::Lost };
    let content: Vec<&Part> = said.content();
    if !has_own("content") {
        write_content(message, &content, candidate, at, place);
    }
    citations::encode(message, &content, place.losses);
    write_media(message, &content, place);
    let mut made = 0;
    said.write(message, &mut |id, _| {
        made += 1;
        if id.is_empty() { format!("call_{}_{at}{made}", place.echo.id) } else { id.to_owned() }
    });
    message.all(&rest);
}

/// The blocks that clients can be told.
fn told<'c>(at: usize, candidate: &'c Candidate, place: &mut Place<'_>) -> Vec<&'c Part> {
    let mut parts = Vec::new();
    for (n, part) in candidate.parts.iter().enumerate() {
        let path = format!("choices[{at}].content[{n}]");
        tell_briefly(place.losses, &likely::without(&part.extras, &candidate.likely), &path);
        match &part.body {
            Body::Foreign { dialect, .. } if *dialect != CHAT => {
                place.losses.hint(path, "chat completions have no such block");
            }
            Body::ToolResult { .. } => {
                place.losses.hint(path, "clients of chat completions get no results of tools")
            }
            _ => parts.push(part),
        }
    }
    parts
}

/// Clients expect one text, so all are put together; only a list that was one stays one.
fn write_content(
    message: &mut Writer<'_>,
    content: &[&Part],
    candidate: &Candidate,
    at: usize,
    place: &mut Place<'_>,
) {
    let extras = &candidate.extras;
    let texts: Vec<&str> = content.iter().filter_map(|part| text(part)).collect();
    if texts.is_empty() || extras.notes(CHAT, "content:list") {
        let listed: Vec<&Part> = content.iter().copied().filter(|part| !is_aside(part, candidate)).collect();
        // Sources of an answer are written as annotations.
        let bare: Vec<Part> =
            listed.iter().map(|part| Part { citations: Vec::new(), ..(*part).clone() }).collect();
        let path = format!("choices[{at}]");
        let mut inner = content::Place { losses: place.losses, path, caches: Caches::Message };
        content::encode(message, &bare.iter().collect::<Vec<_>>(), extras, "null", &mut inner);
    } else {
        message.string("content", &texts.concat());
    }
}

fn text(part: &Part) -> Option<&str> {
    match &part.body {
        Body::Text(text) => Some(text),
        _ => None,
    }
}

/// Media stand beside the content, unless they were read in it.
fn is_aside(part: &Part, candidate: &Candidate) -> bool {
    let in_list = candidate.extras.notes(CHAT, "content:list") && !part.extras.notes(CHAT, "images");
    matches!(part.body, Body::Media(_)) && !in_list
}

fn write_media(message: &mut Writer<'_>, content: &[&Part], place: &mut Place<'_>) {
    let media = content.iter().filter_map(|part| match &part.body {
        Body::Media(medium) => Some((*part, medium)),
        _ => None,
    });
    let (images, others): (Vec<_>, Vec<_>) = media.partition(|(_, medium)| medium.kind == MediaKind::Image);
    if !images.is_empty() {
        message.list_of("images", images, |out, (part, medium)| write_image(out, part, medium));
    }
    for (_, medium) in others {
        match (medium.kind, &medium.source) {
            (MediaKind::Audio, crate::hub::Source::Inline { data, .. }) => {
                let id = format!("audio_{}", place.echo.id);
                message.nested("audio", |audio| {
                    audio.string("id", &id).string("data", data).string("transcript", "");
                    audio.number("expires_at", place.echo.created);
                });
                place.losses.hint("mimeType", "chat completions do not tell the type of sound");
            }
            _ => place
                .losses
                .hint("choices.message.content", "chat completions answer with text, images and sound only"),
        }
    }
}

/// Writes one of `images`.
pub(in super::super) fn write_image(out: &mut String, part: &Part, medium: &Media) {
    let mut object = Writer::object(out);
    object.string("type", "image_url").nested("image_url", |inner| {
        inner.string("url", &media::address(&medium.source)).all(&nested(&part.extras, "image_url"));
    });
    object.all(all_but(&part.extras, "image_url"));
    object.end();
}

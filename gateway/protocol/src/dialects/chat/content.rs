//! `content`: a text, or a list of parts.
//! Source: platform.openai.com/docs/api-reference/chat/create, as recorded by 2026-11-21.

use serde_json::value::RawValue;

use super::losses::{tell, tell_cache, tell_foreign};
use super::media;
use super::thinking;
use super::ways::{Blank, CHAT, Node, all_but, has, write_blanks, write_cache};
use crate::hub::{Body, Extras, Part};
use crate::json::{RawJson, Writer};
use crate::loss::Losses;

const BLANKS: [Blank; 2] =
    [Blank("content", "null", "content:null"), Blank("content", "\"\"", "content:empty")];

/// What a content is written for.
#[derive(Debug)]
pub(super) struct Place<'l> {
    pub(super) losses: &'l mut Losses,
    /// Where its turn stood in the client's request: `messages[2]`.
    pub(super) path: String,
    /// Where the cache hints of blocks go.
    pub(super) caches: Caches,
}

/// Where the cache hints of blocks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caches {
    /// On the block: the client wrote it so.
    Block,
    /// On the message, where its last block's was read.
    Message,
    /// Nowhere: OpenAI refuses a field that it does not know, and caches by itself.
    Lost,
}

/// Takes `content`.
pub(super) fn decode(node: &mut Node<'_>) -> Vec<Part> {
    if node.fields.get("content").is_none() {
        node.note("content:none");
        return Vec::new();
    }
    node.blanks(&BLANKS);
    if let Some(text) = node.fields.take_string("content") {
        return vec![Part::text(text)];
    }
    let Some(list) = node.fields.take_list("content") else { return Vec::new() };
    node.note("content:list");
    list.into_iter().map(part).collect()
}

/// One part of a list; one that nobody models is foreign.
pub(super) fn part(raw: &RawValue) -> Part {
    known(raw).unwrap_or_else(|| Part::new(Body::Foreign { dialect: CHAT, json: RawJson::from(raw) }))
}

fn known(raw: &RawValue) -> Option<Part> {
    let mut node = Node::read(raw)?;
    let kind = node.fields.take_string("type")?;
    let body = match kind.as_str() {
        "text" => Body::Text(node.fields.take_string("text")?),
        "refusal" => {
            node.note("part");
            Body::Refusal(node.fields.take_string("refusal")?)
        }
        "thinking" => thinking::chunk(&mut node)?,
        _ => Body::Media(media::decode(&kind, &mut node)?),
    };
    let cache = node.cache();
    Some(Part { cache, extras: node.extras(), ..Part::new(body) })
}

/// Whether `part` stands in `content`, and not in a field of its own.
pub(super) fn holds(part: &Part) -> bool {
    match &part.body {
        Body::Text(_) | Body::Media(_) => true,
        Body::Refusal(_) => part.extras.notes(CHAT, "part"),
        Body::Thinking { .. } => part.extras.notes(CHAT, "chunk"),
        Body::Foreign { .. } => !part.extras.notes(CHAT, "tool_calls"),
        Body::ToolCall { .. } | Body::ToolResult { .. } => false,
    }
}

/// Writes `content` in the way that the message's `extras` note: as a text if it is one, else as a list.
/// `nothing` is what stands for no parts at all.
pub(super) fn encode(
    object: &mut Writer<'_>,
    parts: &[&Part],
    extras: &Extras,
    nothing: &str,
    place: &mut Place<'_>,
) {
    let is_list = extras.notes(CHAT, "content:list");
    if let ([part], false) = (parts, is_list)
        && let Some(text) = plain(part, place)
    {
        tell_part(part, 0, place);
        object.string("content", text);
        return;
    }
    if !parts.is_empty() || is_list {
        object.list_of("content", parts.iter().enumerate(), |out, (at, part)| write(out, part, at, place));
        return;
    }
    let is_blank = BLANKS.iter().any(|Blank(_, _, note)| extras.notes(CHAT, note));
    if is_blank {
        write_blanks(object, extras, &BLANKS);
    } else if !extras.notes(CHAT, "content:none") && !has(extras, "content") {
        object.raw("content", nothing);
    }
}

/// The text of a part that is nothing but text.
pub(super) fn plain<'p>(part: &'p Part, place: &Place<'_>) -> Option<&'p str> {
    let Body::Text(text) = &part.body else { return None };
    let is_cached = place.caches == Caches::Block && part.cache.is_some();
    (!is_cached && part.extras.of(CHAT).is_empty()).then_some(text)
}

/// The parts that can be said here. What cannot changes the meaning, and is told.
pub(super) fn carried<'p>(
    parts: impl IntoIterator<Item = (usize, &'p Part)>,
    place: &mut Place<'_>,
) -> Vec<&'p Part> {
    let mut all = Vec::new();
    for (at, part) in parts {
        let path = format!("{}.content[{at}]", place.path);
        match &part.body {
            Body::Foreign { dialect, json } if *dialect != CHAT => {
                tell_foreign(place.losses, json, &path, "chat completions have no such block");
            }
            Body::Media(medium) => match media::refusal(medium, &part.extras) {
                Some((key, why)) => {
                    place.losses.meaning(format!("{path}.{key}"), why);
                    media::tell(medium, &path, place.losses);
                    tell_part(part, at, place);
                }
                None => all.push(part),
            },
            _ => all.push(part),
        }
    }
    all
}

fn write(out: &mut String, part: &Part, at: usize, place: &mut Place<'_>) {
    tell_part(part, at, place);
    if let Body::Foreign { json, .. } = &part.body {
        out.push_str(json.get());
        return;
    }
    let mut nested = "";
    let mut object = Writer::object(out);
    match &part.body {
        Body::Text(text) => {
            object.string("type", "text").string("text", text);
        }
        Body::Refusal(text) => {
            object.string("type", "refusal").string("refusal", text);
        }
        Body::Thinking { text, .. } => thinking::write_chunk(&mut object, text, &part.extras),
        Body::Media(medium) => {
            nested = media::encode(&mut object, medium, &part.extras);
            media::tell(medium, &format!("{}.content[{at}]", place.path), place.losses);
        }
        Body::ToolCall { .. } | Body::ToolResult { .. } | Body::Foreign { .. } => {}
    }
    write_cache(&mut object, part.cache.as_ref().filter(|_| place.caches == Caches::Block));
    object.all(all_but(&part.extras, nested));
    object.end();
}

/// Tells what of a block does not come along.
pub(super) fn tell_part(part: &Part, at: usize, place: &mut Place<'_>) {
    let path = format!("{}.content[{at}]", place.path);
    tell(place.losses, &part.extras, &path);
    if place.caches == Caches::Lost {
        tell_cache(place.losses, part.cache.as_ref(), &path);
    }
    for (n, citation) in part.citations.iter().enumerate() {
        let path = format!("{path}.citations[{n}]");
        let named = [
            ("url", &citation.url),
            ("title (document_title)", &citation.title),
            ("cited_text", &citation.quote),
        ];
        for (key, _) in named.into_iter().filter(|(_, value)| value.is_some()) {
            place.losses.hint(format!("{path}.{key}"), "messages of chat completions carry no citations");
        }
        tell(place.losses, &citation.extras, &path);
    }
}

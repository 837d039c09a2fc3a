//! The hub to a request for a provider.

use super::claude::Claude;
use super::place::{Place, tell_extras, tell_leaves};
use super::plain::{is_home, write_extras};
use super::reasoning::{self, Thinking};
use super::turns::{self, Layout, Message, Piece};
use super::{HOME, blocks_encode, media, notes, settings, tools};
use crate::hub::{Body, Citation, Format, Part, Request, Turn};
use crate::json::Writer;
use crate::loss::{Encoded, Losses, Weight};

/// What the user is made to say where a conversation begins with the model: as little as can be.
const OPENING: &str = ".";

/// Before instructions that come in the middle of a conversation. Models from 4.8 on take a `system` message
/// there, but not in every place; older ones refuse the whole request for it.
/// Source: platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages, read 2026-11-21.
const OPERATOR: &str = "Instruction from the operator of this application, not from the user:\n";

/// Anthropic holds schemas, but has no word for any JSON at all.
const JSON_ONLY: &str = "Answer with one JSON object and nothing else.";

/// Writes the body.
pub(super) fn encode(request: &Request) -> Encoded {
    let mut losses = Losses::default();
    let mut body = String::new();
    tell_extras(&mut losses, "", &request.extras);
    let layout = turns::lay_out(request, &mut losses);
    let at_home = is_home(&request.extras);
    let default = Claude::of(request).max_tokens();
    let max_tokens = request.max_output.or((!at_home).then_some(default));
    let thinking = reasoning::plan(request, max_tokens.unwrap_or(default), &mut losses);
    let mut object = Writer::object(&mut body);
    if !request.model.is_empty() {
        object.string("model", &request.model);
    }
    if let Some(max_tokens) = max_tokens {
        object.number("max_tokens", max_tokens);
    }
    write_system(&mut object, request, &layout, &mut losses);
    write_messages(&mut object, request, &layout, &mut losses);
    tools::write_all(&mut object, request, &mut losses);
    tools::write_choice(&mut object, request, &mut losses);
    write_settings(&mut object, request, &thinking, &mut losses);
    write_extras(&mut object, &request.extras, &["metadata", "output_config", "tool_choice"]);
    if request.tool_choice.is_none() {
        // One of a type that nobody reads.
        object.raw_if("tool_choice", super::plain::kept(&request.extras, "tool_choice"));
    }
    object.end();
    Encoded { body, losses }
}

fn write_settings(object: &mut Writer<'_>, request: &Request, thinking: &Thinking, losses: &mut Losses) {
    settings::write_sampling(object, request, thinking, losses);
    reasoning::write(object, request, thinking);
    settings::write_output(object, request, thinking, losses);
    settings::write_user(object, request, losses);
    settings::write_tier(object, request, losses);
    if request.stream || request.extras.notes(HOME, notes::STREAM_FALSE) {
        object.flag("stream", request.stream);
    }
    if request.cache_key.is_some() {
        losses.hint("prompt_cache_key", "Anthropic finds its cache by the prompt itself");
    }
    if request.cache_retention.is_some() {
        losses.hint("prompt_cache_retention", "Anthropic's marks in the prompt say how long");
    }
    if request.verbosity.is_some() {
        losses.hint("verbosity", "Anthropic has no such setting");
    }
    if request.store == Some(true) {
        losses.hint("store", "Anthropic keeps no answers");
    }
}

fn write_system(object: &mut Writer<'_>, request: &Request, layout: &Layout<'_>, losses: &mut Losses) {
    if let [(_, turn)] = layout.system.as_slice()
        && let ([Part { body: Body::Text(text), .. }], true) =
            (turn.parts.as_slice(), turn.extras.notes(HOME, notes::SYSTEM_STRING))
    {
        object.string("system", text);
        return;
    }
    let is_list = |turn: &Turn| turn.extras.notes(HOME, notes::SYSTEM_LIST);
    let blocks: Vec<_> = layout.system.iter().flat_map(|(place, turn)| system_parts(*place, turn)).collect();
    let blocks: Vec<_> =
        blocks.into_iter().filter(|(place, part)| Holder::System.takes(part, *place, losses)).collect();
    let wants_json = request.format == Some(Format::Json);
    if blocks.is_empty() && !wants_json && !layout.system.iter().any(|(_, turn)| is_list(turn)) {
        return;
    }
    object.field("system", |out| {
        let mut list = Writer::list(out);
        for (place, part) in blocks {
            list.element(|out| write_part(out, part, place, losses));
        }
        if wants_json {
            list.element(|out| blocks_encode::text(out, &Part::text(JSON_ONLY), JSON_ONLY, &[]));
        }
        list.end();
    });
}

fn system_parts(place: Place, turn: &Turn) -> impl Iterator<Item = (Place, &Part)> {
    turn.parts.iter().enumerate().map(move |(at, part)| (place.part(at), part))
}

fn write_messages(object: &mut Writer<'_>, request: &Request, layout: &Layout<'_>, losses: &mut Losses) {
    object.field("messages", |out| {
        let mut list = Writer::list(out);
        if turns::wants_opening(layout, request) {
            let first = Place::turn(request.extras.dialect.unwrap_or(HOME), 0);
            losses.hint(first.field("role"), "approximated: Anthropic's conversations begin with the user");
            list.element(write_opening);
        }
        for message in &layout.messages {
            list.element(|out| write_message(out, message, losses));
        }
        list.end();
    });
}

fn write_opening(out: &mut String) {
    let mut object = Writer::object(out);
    object.string("role", "user").string("content", OPENING);
    object.end();
}

fn write_message(out: &mut String, message: &Message<'_>, losses: &mut Losses) {
    let notes = |note| message.home.is_some_and(|turn| turn.extras.notes(HOME, note));
    if let ([Piece { part: Part { body: Body::Foreign { json, .. }, .. }, .. }], true) =
        (message.pieces.as_slice(), notes(notes::MESSAGE_RAW))
    {
        out.push_str(json.get());
        return;
    }
    let mut object = Writer::object(out);
    object.string("role", message.role);
    match message.pieces.as_slice() {
        [Piece { part: Part { body: Body::Text(text), .. }, .. }] if notes(notes::CONTENT_STRING) => {
            object.string("content", text);
        }
        pieces => {
            object.list_of("content", pieces, |out, piece| write_piece(out, piece, losses));
        }
    }
    if let Some(turn) = message.home {
        write_extras(&mut object, &turn.extras, &[]);
    }
    object.end();
}

fn write_piece(out: &mut String, piece: &Piece<'_>, losses: &mut Losses) {
    let Piece { part, place, id, is_operator, is_last } = piece;
    let id = id.as_deref().unwrap_or_default();
    match &part.body {
        Body::Text(text) if *is_operator => {
            tell_beside(part, *place, losses);
            blocks_encode::text(out, part, &format!("{OPERATOR}{text}"), &[]);
        }
        Body::ToolCall { name, arguments, .. } => {
            tell_extras(losses, &place.to_string(), &part.extras);
            if !blocks_encode::call(out, part, id, (name, arguments)) {
                losses.hint(place.field("arguments"), "no JSON object: wrapped as {\"arguments\": text}");
            }
        }
        Body::ToolResult { parts, failed, .. } => {
            tell_extras(losses, &place.to_string(), &part.extras);
            let parts: Vec<_> =
                parts.iter().filter(|inner| Holder::Result.takes(inner, *place, losses)).collect();
            blocks_encode::result(out, part, (id, *failed), &parts, |out, inner| {
                write_part(out, inner, *place, losses);
            });
        }
        Body::Text(text) if *is_last => {
            tell_beside(part, *place, losses);
            blocks_encode::text(out, part, text.trim_end(), own_citations(part));
        }
        _ => write_part(out, part, *place, losses),
    }
}

/// What holds blocks beside messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// Texts only.
    System,
    /// Texts, pictures and documents.
    Result,
}

impl Holder {
    /// Whether a block has a place in it; what has none is told.
    fn takes(self, part: &Part, place: Place, losses: &mut Losses) -> bool {
        let why = match self {
            Self::System => "Anthropic's system prompt is text only",
            Self::Result => "a result holds texts and media only",
        };
        match &part.body {
            _ if is_home(&part.extras) => true,
            Body::Text(text) | Body::Refusal(text) => !text.is_empty(),
            Body::Media(found) => {
                let why = if self == Self::System { Some(why) } else { media::obstacle(found, false) };
                if let Some(why) = why {
                    media::tell_lost(losses, place, (part, found), why);
                }
                why.is_none()
            }
            Body::Foreign { dialect, json } => {
                if *dialect != HOME {
                    tell_leaves(losses, &place.to_string(), json.get(), Weight::Meaning);
                }
                *dialect == HOME
            }
            Body::Thinking { .. } | Body::ToolCall { .. } | Body::ToolResult { .. } => {
                losses.meaning(place.to_string(), why);
                false
            }
        }
    }
}

/// Blocks that need nothing but themselves.
fn write_part(out: &mut String, part: &Part, place: Place, losses: &mut Losses) {
    match &part.body {
        Body::Text(text) => {
            tell_beside(part, place, losses);
            blocks_encode::text(out, part, text, own_citations(part));
        }
        Body::Refusal(text) => {
            tell_beside(part, place, losses);
            losses.hint(place.field("refusal"), "approximated: Anthropic has refusals as text");
            blocks_encode::text(out, part, text, &[]);
        }
        Body::Media(found) => {
            tell_extras(losses, &place.to_string(), &part.extras);
            media::tell_rest(losses, place, (part, found));
            blocks_encode::medium(out, part, found);
        }
        Body::Thinking { text, seal } => {
            tell_extras(losses, &place.to_string(), &part.extras);
            blocks_encode::thinking(out, part, text, seal.as_ref());
        }
        Body::Foreign { json, .. } => out.push_str(json.get()),
        // Calls and results need their ids, which write_piece has.
        Body::ToolCall { .. } | Body::ToolResult { .. } => out.push_str("null"),
    }
}

fn own_citations(part: &Part) -> &[Citation] {
    if is_home(&part.extras) { &part.citations } else { &[] }
}

/// Others' citations name no place in the request, which is all that the API takes back.
fn tell_beside(part: &Part, place: Place, losses: &mut Losses) {
    tell_extras(losses, &place.to_string(), &part.extras);
    if is_home(&part.extras) {
        return;
    }
    for (at, citation) in part.citations.iter().enumerate() {
        let path = place.field(&format!("annotations[{at}]"));
        for (is_there, name) in [
            (citation.url.is_some(), "url"),
            (citation.title.is_some(), "title"),
            (citation.quote.is_some(), "quote"),
            (citation.span.is_some(), "start_index"),
        ] {
            if is_there {
                losses.hint(format!("{path}.{name}"), "Anthropic takes only citations of its own");
            }
        }
        tell_extras(losses, &path, &citation.extras);
    }
}

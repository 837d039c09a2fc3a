//! Writes items, for requests and for answers alike.

use super::content_encode;
use super::context::{Context, Side};
use super::segments::{Kind, Segment};
use super::{HOME, has, is_home, notes, reasoning_encode, words};
use crate::hub::{Body, Extras, Media, MediaKind, Part, Role, Source};
use crate::json::Writer;

/// Writes an item, or tells why not. `path` is the turn's.
pub(super) fn write(segment: &Segment<'_>, role: Role, path: &str, context: &mut Context) -> Option<String> {
    match segment.kind {
        Kind::Message => message(segment, role, path, context),
        Kind::Reasoning => reasoning_encode::write(segment, path, context),
        Kind::Call | Kind::Output | Kind::Whole => {
            let (at, part) = *segment.parts.first()?;
            let path = words::part(context.from, path, at);
            context.tell(&path, &part.extras);
            context.tell_cache(&path, part.cache.as_ref());
            single(part, segment, &path, context)
        }
    }
}

fn message(segment: &Segment<'_>, role: Role, path: &str, context: &mut Context) -> Option<String> {
    let head = &segment.head;
    let content: Vec<_> = segment
        .parts
        .iter()
        .filter_map(|(at, part)| {
            let place = words::part(context.from, path, *at);
            content_encode::part(part, role, &place, context)
        })
        .collect();
    // A message whose every part was told as a loss is none.
    if content.is_empty() && !segment.parts.is_empty() {
        return None;
    }
    let mut out = String::new();
    let kind = if head.notes(HOME, notes::UNTYPED) { "" } else { "message" };
    let mut object = begin(&mut out, kind, "msg", head, context);
    object.string("role", role_name(role));
    match as_string(segment, context.side) {
        Some(text) => object.string("content", text),
        None => object.list_of("content", content, |out, part| out.push_str(&part)),
    };
    rest(&mut object, head, &[], None);
    object.end();
    Some(out)
}

/// A text alone is written as a string, as all providers of this API read it; at home, as it was.
fn as_string<'a>(segment: &Segment<'a>, side: Side) -> Option<&'a str> {
    let [(_, part)] = segment.parts.as_slice() else { return None };
    let Body::Text(text) = &part.body else { return None };
    let wanted = if is_home(&segment.head) {
        segment.head.notes(HOME, notes::STRING)
    } else {
        side == Side::Request && part.citations.is_empty()
    };
    wanted.then_some(text.as_str())
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::Developer => "developer",
        Role::Assistant => "assistant",
        Role::User | Role::Tool => "user",
    }
}

fn single(part: &Part, segment: &Segment<'_>, path: &str, context: &mut Context) -> Option<String> {
    match &part.body {
        Body::ToolCall { id, name, arguments, .. } => {
            let id = context.call_id(id, name);
            // A call without arguments is one of an empty object there.
            let is_blank = arguments.is_empty() && !is_home(&segment.head) && context.status == "completed";
            let arguments = if is_blank { "{}" } else { arguments };
            let mut out = String::new();
            let mut object = begin(&mut out, "function_call", "fc", &segment.head, context);
            object.string("call_id", &id).string("name", name).string("arguments", arguments);
            rest(&mut object, &segment.head, &[], None);
            object.end();
            Some(out)
        }
        Body::ToolResult { .. } => Some(output(part, segment, path, context)),
        Body::Foreign { dialect: HOME, json } => Some(json.get().to_owned()),
        Body::Media(media) if context.side == Side::Answer => picture(media, path, context),
        Body::Foreign { json, .. } => {
            context.tell_foreign(path, json);
            None
        }
        _ => {
            context.losses.meaning(path, "an item cannot be such a block");
            None
        }
    }
}

fn output(part: &Part, segment: &Segment<'_>, path: &str, context: &mut Context) -> String {
    let head = &segment.head;
    let Body::ToolResult { call, name, parts, failed } = &part.body else { return String::new() };
    if *failed {
        context.losses.hint(format!("{path}.is_error"), "the result's words must tell that it failed");
    }
    let id = context.result_id(call, name.as_deref(), path);
    let content: Vec<_> = parts
        .iter()
        .enumerate()
        .filter_map(|(at, part)| {
            let place = words::part(context.from, path, at);
            content_encode::part(part, Role::Tool, &place, context)
        })
        .collect();
    let mut out = String::new();
    let mut object = begin(&mut out, "function_call_output", "fco", head, context);
    object.string("call_id", &id);
    let is_list = is_home(head) && !head.notes(HOME, notes::STRING);
    match parts.as_slice() {
        [] if !is_list => object.string("output", ""),
        [Part { body: Body::Text(text), .. }] if !is_list => object.string("output", text),
        _ => object.list_of("output", content, |out, part| out.push_str(&part)),
    };
    rest(&mut object, head, &[], None);
    object.end();
    out
}

/// A picture that the model drew is what the image tool's call gives here.
fn picture(media: &Media, path: &str, context: &mut Context) -> Option<String> {
    let (MediaKind::Image, Source::Inline { mime, data }) = (media.kind, &media.source) else {
        context.losses.meaning(path, "answers there have texts and pictures only");
        return None;
    };
    let mut out = String::new();
    let mut object = begin(&mut out, "image_generation_call", "ig", &Extras::default(), context);
    object.string("result", data).string_if("output_format", mime.strip_prefix("image/"));
    object.end();
    Some(out)
}

/// Begins an item: its type, and in answers the id and state that clients expect.
pub(super) fn begin<'o>(
    out: &'o mut String,
    kind: &str,
    prefix: &str,
    head: &Extras,
    context: &Context,
) -> Writer<'o> {
    let mut object = Writer::object(out);
    if !kind.is_empty() {
        object.string("type", kind);
    }
    if context.side == Side::Answer {
        if !is_home(head) {
            object.string("id", &context.item_id(prefix));
        }
        let is_statusless = head.notes(HOME, notes::STATUSLESS) || (!is_home(head) && kind == "reasoning");
        if !is_statusless && !has(head, "status") {
            object.string("status", context.status);
        }
    }
    object
}

/// The item's own fields, but those that were made.
pub(super) fn rest(object: &mut Writer<'_>, head: &Extras, skip: &[&str], also: Option<&str>) {
    let is_made = |name: &str| skip.contains(&name) || also == Some(name);
    object.all(head.of(HOME).iter().filter(|(name, _)| !is_made(name)));
}

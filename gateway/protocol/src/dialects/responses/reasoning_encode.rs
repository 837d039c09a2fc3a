//! Writes reasoning items: the thoughts of others with their seal, or tells that they cannot be sent.

use super::content_encode::own;
use super::context::{Context, Side};
use super::item_encode::{begin, rest};
use super::segments::{self, Segment};
use super::{HOME, has, is_home, notes, words};
use crate::dialects::spelling::spelt;
use crate::hub::{Body, Part, Seal};
use crate::json::Writer;

/// Before a call's seal, to tell it from that of a thought. No base64 has a colon.
pub(super) const OF_CALL: &str = "call:";

/// Writes a reasoning item, or tells why not.
pub(super) fn write(segment: &Segment<'_>, path: &str, context: &mut Context) -> Option<String> {
    let seal = segment.parts.iter().rev().find_map(|(_, part)| segments::seal(part));
    if context.side == Side::Request && !may_be_sent(segment, seal) {
        drop_thoughts(segment, path, context);
        return None;
    }
    for (at, part) in &segment.parts {
        let place = words::part(context.from, path, *at);
        context.tell(&place, &part.extras);
        context.tell_cache(&place, part.cache.as_ref());
    }
    let mut out = String::new();
    let mut object = begin(&mut out, "reasoning", "rs", &segment.head, context);
    write_texts(&mut object, segment);
    let token = seal.map(|seal| match context.side {
        Side::Request => seal.bytes.clone(),
        Side::Answer => seal.to_token(HOME),
    });
    object.string_if("encrypted_content", token.as_deref());
    let skip: &[&str] = if token.is_some() { &["encrypted_content"] } else { &[] };
    rest(&mut object, &segment.head, skip, has_raw(segment).then_some("content"));
    object.end();
    Some(out)
}

/// A provider takes back only what it knows: its own seal, or an item that it may have stored.
fn may_be_sent(segment: &Segment<'_>, seal: Option<&Seal>) -> bool {
    match seal {
        Some(seal) => seal.dialect == HOME,
        None => is_home(&segment.head),
    }
}

fn drop_thoughts(segment: &Segment<'_>, path: &str, context: &mut Context) {
    for (at, part) in &segment.parts {
        let Body::Thinking { text, seal } = &part.body else { continue };
        let place = words::part(context.from, path, *at);
        context.tell(&place, &part.extras);
        if !text.is_empty() {
            let word = words::thinking(context.from);
            context
                .losses
                .hint(format!("{place}.{word}"), "thoughts that another provider had or nobody sealed");
        }
        if let Some(seal) = seal {
            let word = spelt(words::seal(context.from, seal), &part.extras);
            context.losses.hint(format!("{place}.{word}"), "sealed by another provider");
        }
    }
}

fn write_texts(object: &mut Writer<'_>, segment: &Segment<'_>) {
    let summary = || texts(segment).filter(|part| !is_raw(part));
    let is_absent = segment.head.notes(HOME, notes::NO_SUMMARY) && summary().next().is_none();
    if !is_absent && !has(&segment.head, "summary") {
        object.list_of("summary", summary(), |out, part| out.push_str(&entry(part, "summary_text")));
    }
    if has_raw(segment) {
        let raw = texts(segment).filter(|part| is_raw(part));
        object.list_of("content", raw, |out, part| out.push_str(&entry(part, notes::REASONING_TEXT)));
    }
}

fn texts<'s>(segment: &'s Segment<'_>) -> impl Iterator<Item = &'s Part> {
    segment.parts.iter().map(|(_, part)| *part).filter(|part| is_shown(part))
}

/// Whether a thought has a text in its item, be it empty.
pub(super) fn is_shown(part: &Part) -> bool {
    let Body::Thinking { text, .. } = &part.body else { return false };
    !text.is_empty() || (is_home(&part.extras) && !part.extras.notes(HOME, notes::BARE))
}

/// Whether a thought is the model's own words and no summary of them.
pub(super) fn is_raw(part: &Part) -> bool {
    part.extras.notes(HOME, notes::REASONING_TEXT)
}

fn has_raw(segment: &Segment<'_>) -> bool {
    texts(segment).any(is_raw)
}

/// One text of `summary` or `content`.
pub(super) fn entry(part: &Part, kind: &str) -> String {
    let Body::Thinking { text, .. } = &part.body else { return "{}".to_owned() };
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.string("type", kind).string("text", text).all(own(&part.extras));
    object.end();
    out
}

/// A reasoning item that only carries the seal of the call after it, which has no place for one.
pub(super) fn of_call(seal: &Seal, context: &Context) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    let marked = Seal { dialect: seal.dialect, bytes: format!("{OF_CALL}{}", seal.bytes) };
    object.string("type", "reasoning").string("id", &context.item_id("rs"));
    object.raw("summary", "[]").string("encrypted_content", &marked.to_token(HOME));
    object.end();
    out
}

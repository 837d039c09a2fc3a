//! `annotations` of an answer: the pages that its text rests on.
//!
//! OpenAI has URL, title and place; OpenRouter adds the page's `content`.
//! Sources: platform.openai.com/docs/guides/tools-web-search, openrouter.ai/docs/features/web-search, as recorded by 2026-11-21.

use serde_json::value::RawValue;

use super::ways::{CHAT, Node};
use crate::hub::{Body, Citation, Part};
use crate::json::{Fields, Writer};
use crate::loss::Losses;

/// Takes `annotations` to the text of `parts`. They stay if there is no text, or one of them is not understood.
pub(super) fn decode(node: &mut Node<'_>, parts: &mut [Part]) {
    let raw = node.fields.get("annotations").map(RawValue::get).unwrap_or_default();
    let list: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
    let Some(text) = parts.iter_mut().find(|part| matches!(part.body, Body::Text(_))) else { return };
    let Some(citations) = list.into_iter().map(citation).collect::<Option<Vec<_>>>() else { return };
    if !citations.is_empty() {
        text.citations = citations;
        node.fields.take("annotations");
    }
}

/// Reads one annotation, if it is of a page.
pub(super) fn citation(raw: &RawValue) -> Option<Citation> {
    let mut outer = Fields::read(raw)?;
    if outer.take_string("type")? != "url_citation" {
        return None;
    }
    let mut node = Node::of(outer.take_object("url_citation")?);
    let url = Some(node.fields.take_string("url")?);
    let span = match (whole(&node, "start_index"), whole(&node, "end_index")) {
        (Some(start), Some(end)) => {
            node.fields.take("start_index");
            node.fields.take("end_index");
            Some((start, end))
        }
        _ => {
            node.note("span:none");
            None
        }
    };
    let title = node.fields.take_string("title");
    let quote = node.fields.take_string("content");
    outer.is_empty().then(|| Citation { url, title, quote, span, extras: node.extras() })
}

fn whole(node: &Node<'_>, key: &str) -> Option<u64> {
    serde_json::from_str(node.fields.get(key)?.get()).ok()
}

/// Writes the sources of all texts of a message, whose texts are put together there.
pub(super) fn encode(object: &mut Writer<'_>, parts: &[&Part], losses: &mut Losses) {
    let mut all = Vec::new();
    let mut before = 0;
    for part in parts {
        let Body::Text(text) = &part.body else { continue };
        let length = text.chars().count() as u64;
        all.extend(part.citations.iter().map(|citation| (citation, before, length)));
        before += length;
    }
    let (pages, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(citation, _, _)| citation.url.is_some());
    for _ in others {
        losses.hint("choices.message.annotations", "chat completions cite pages only, not documents");
    }
    if !pages.is_empty() {
        object.list_of("annotations", pages, |out, (citation, before, length)| {
            write(out, citation, before, length)
        });
    }
}

/// Writes one annotation of a text of `length` that `before` characters precede. A source without a place is one
/// of the whole text.
pub(super) fn write(out: &mut String, citation: &Citation, before: u64, length: u64) {
    let mut outer = Writer::object(out);
    outer.string("type", "url_citation").nested("url_citation", |inner| {
        if !citation.extras.notes(CHAT, "span:none") {
            let (start, end) = citation.span.unwrap_or((0, length));
            inner
                .number("start_index", before.saturating_add(start))
                .number("end_index", before.saturating_add(end));
        }
        inner.string_if("title", citation.title.as_deref()).string_if("url", citation.url.as_deref());
        inner.string_if("content", citation.quote.as_deref()).all(citation.extras.of(CHAT));
    });
    outer.end();
}

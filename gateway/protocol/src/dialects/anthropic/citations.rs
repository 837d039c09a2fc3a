//! Citations of a text block. Places in documents (`char_location`, `page_location`, `content_block_location`,
//! `search_result_location`) and the token of a found page stay in extras: only Anthropic reads them.
//!
//! Source: platform.claude.com/docs/en/build-with-claude/citations, read 2026-11-21.

use serde_json::value::RawValue;

use super::place::tell_extras;
use super::plain::{is_home, write_extras};
use super::{HOME, notes};
use crate::hub::{Citation, Extras};
use crate::json::{Fields, Writer};
use crate::loss::Losses;

/// Reads one. `None` if it is no object.
pub(super) fn read(raw: &RawValue) -> Option<Citation> {
    let mut fields = Fields::read(raw)?;
    let url = fields.take_string("url");
    let quote = fields.take_string("cited_text");
    let mut notes = Vec::new();
    let title = fields.take_string("title").or_else(|| {
        let title = fields.take_string("document_title")?;
        notes.push(notes::DOCUMENT_TITLE);
        Some(title)
    });
    let extras = Extras { notes, ..Extras::new(HOME, fields.rest()) };
    Some(Citation { url, title, quote, span: None, extras })
}

/// Reads a list. `None` if one of it is no object.
pub(super) fn read_all(list: &[&RawValue]) -> Option<Vec<Citation>> {
    list.iter().map(|raw| read(raw)).collect()
}

/// Writes one. Those of other dialects become found pages, the only kind that is known by its address; its
/// token, which is required, is empty.
pub(super) fn write(out: &mut String, citation: &Citation) {
    let Citation { url, title, quote, span: _, extras } = citation;
    let mut object = Writer::object(out);
    if is_home(extras) {
        let key = if extras.notes(HOME, notes::DOCUMENT_TITLE) { "document_title" } else { "title" };
        object.string_if("cited_text", quote.as_deref()).string_if(key, title.as_deref());
        object.string_if("url", url.as_deref());
        write_extras(&mut object, extras, &[]);
    } else {
        object.string("type", "web_search_result_location");
        object.string("cited_text", quote.as_deref().unwrap_or_default());
        object.string("encrypted_index", "");
        object.raw("title", &title.as_deref().map_or_else(|| "null".to_owned(), crate::json::string));
        object.string("url", url.as_deref().unwrap_or_default());
    }
    object.end();
}

/// Tells what [`write`] leaves out.
pub(super) fn tell_rest(losses: &mut Losses, path: &str, citation: &Citation) {
    if citation.span.is_some() {
        losses.hint(format!("{path}.start_index"), "Anthropic's citations belong to a whole block");
    }
    tell_extras(losses, path, &citation.extras);
}

//! `annotations`: the sources of a text.

use serde_json::value::RawValue;

use super::context::Context;
use super::{HOME, is_home, notes};
use crate::hub::{Citation, Extras};
use crate::json::{Fields, Writer};

/// Reads an annotation. Of the types, `url_citation` is modelled, and the name of a file in the others.
/// `None` if it is no object.
pub(super) fn read(raw: &RawValue) -> Option<Citation> {
    let mut fields = Fields::read(raw)?;
    let is_url = fields.get("type").is_some_and(|kind| kind.get() == r#""url_citation""#);
    let citation = if is_url { read_url(&mut fields) } else { read_file(&mut fields) };
    let notes = citation.extras.notes;
    Some(Citation { extras: Extras { notes, ..Extras::new(HOME, fields.rest()) }, ..citation })
}

fn read_url(fields: &mut Fields<'_>) -> Citation {
    fields.take_any("type");
    Citation {
        url: fields.take_string("url"),
        title: fields.take_string("title"),
        quote: None,
        span: span(fields),
        extras: Extras::default(),
    }
}

fn read_file(fields: &mut Fields<'_>) -> Citation {
    let title = fields.take_string("filename");
    let extras = Extras::default().with(notes::FILENAME);
    Citation { url: None, title, quote: None, span: None, extras }
}

/// Both ends or none, so that neither is forgotten.
fn span(fields: &mut Fields<'_>) -> Option<(u64, u64)> {
    let whole = |key| fields.get(key).and_then(|raw| raw.get().parse::<u64>().ok());
    let span = (whole("start_index")?, whole("end_index")?);
    fields.take_any("start_index");
    fields.take_any("end_index");
    Some(span)
}

/// Writes an annotation. One without an address becomes a `file_citation`, whose clients show its name.
pub(super) fn write(citation: &Citation, path: &str, context: &mut Context) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    if citation.extras.notes(HOME, notes::FILENAME) {
        object.string_if("filename", citation.title.as_deref());
    } else if is_home(&citation.extras) || citation.url.is_some() {
        write_url(&mut object, citation);
    } else {
        let index = citation.span.map_or(0, |(start, _)| start);
        let name = citation.title.as_deref().unwrap_or_default();
        object.string("type", "file_citation").string("file_id", "").string("filename", name);
        object.number("index", index);
    }
    object.all(citation.extras.of(HOME));
    object.end();
    tell(citation, path, context);
    out
}

fn write_url(object: &mut Writer<'_>, citation: &Citation) {
    let foreign = !is_home(&citation.extras);
    object.string("type", "url_citation").string_if("url", citation.url.as_deref());
    // Clients expect all of them.
    let title = citation.title.as_deref().or(foreign.then_some(""));
    object.string_if("title", title);
    if let Some((start, end)) = citation.span.or(foreign.then_some((0, 0))) {
        object.number("start_index", start).number("end_index", end);
    }
}

fn tell(citation: &Citation, path: &str, context: &mut Context) {
    context.tell(&format!("{path}.citations"), &citation.extras);
    if citation.quote.is_some() {
        context.losses.hint(format!("{path}.citations.cited_text"), "annotations have no quotes");
    }
}

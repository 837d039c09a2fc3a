//! Grounding: which sources which words of an answer rest on.
//!
//! Segments count bytes of all texts of the answer together, thoughts left out (so in all recorded answers); the
//! hub counts characters of one block.
//! Source: ai.google.dev/api/generate-content#GroundingMetadata (read 2026-11-21).

use super::node::Node;
use crate::hub::Citation;
use crate::json::{Fields, RawJson, Writer, each, peek};

/// The field of a candidate.
pub(super) const FIELD: &str = "groundingMetadata";

/// Reads the sources: for each the number of the text it belongs to.
pub(super) fn read(grounding: &RawJson, texts: &[&str]) -> Vec<(usize, Citation)> {
    let Some(mut fields) = Fields::parse(grounding.get()) else { return Vec::new() };
    let sources: Vec<_> = fields
        .take_list("groundingChunks")
        .unwrap_or_default()
        .into_iter()
        .map(|raw| Fields::read(raw).and_then(source).unwrap_or_else(nothing))
        .collect();
    let Some(last) = texts.len().checked_sub(1) else { return Vec::new() };
    let Some(supports) = fields.take_list("groundingSupports").filter(|list| !list.is_empty()) else {
        return sources
            .into_iter()
            .filter(|source| *source != nothing())
            .map(|source| (last, source))
            .collect();
    };
    let mut found = Vec::new();
    for mut support in supports.into_iter().filter_map(Fields::read) {
        let (text, span) = place(support.take_object("segment"), texts).unwrap_or((last, None));
        for index in support.take_list("groundingChunkIndices").unwrap_or_default() {
            let index = index.get().parse::<usize>().ok();
            if let Some(source) = index.and_then(|index| sources.get(index)) {
                found.push((text, Citation { span, ..source.clone() }));
            }
        }
    }
    found
}

/// How often Google searched the web for it.
pub(super) fn searches(grounding: &str) -> u64 {
    let mut searches = 0;
    if let Some([Some(queries)]) = peek(grounding, ["webSearchQueries"]) {
        each(queries, |_| searches += 1);
    }
    searches
}

fn nothing() -> Citation {
    Citation { url: None, title: None, quote: None, span: None, extras: crate::hub::Extras::default() }
}

/// A page, a place on a map, or a piece of a document.
fn source(chunk: Fields<'_>) -> Option<Citation> {
    let mut chunk = Node::new(chunk);
    let known = [("web", "web"), ("retrievedContext", "retrieved_context"), ("maps", "maps")];
    let mut source = known.into_iter().find_map(|name| chunk.object(name))?;
    Some(Citation {
        url: source.fields.take_string("uri"),
        title: source.fields.take_string("title"),
        quote: source.fields.take_string("text"),
        ..nothing()
    })
}

type Place = (usize, Option<(u64, u64)>);

/// In which text a segment is, and where in it.
fn place(segment: Option<Fields<'_>>, texts: &[&str]) -> Option<Place> {
    let segment = segment?;
    let number = |key| crate::usage::count(segment.get(key)).and_then(|count| usize::try_from(count).ok());
    let (from, to) = (number("startIndex").unwrap_or(0), number("endIndex")?);
    let mut before = 0;
    for (at, text) in texts.iter().enumerate() {
        if from < before + text.len() {
            let characters = |byte: usize| {
                let head = text.get(..byte.checked_sub(before)?.min(text.len()))?;
                u64::try_from(head.chars().count()).ok()
            };
            return Some((at, characters(from).zip(characters(to))));
        }
        before += text.len();
    }
    None
}

/// Writes the sources of texts, if there are any.
pub(super) fn write(texts: &[(&str, &[Citation])]) -> Option<String> {
    let all: Vec<&Citation> = texts.iter().flat_map(|(_, citations)| citations.iter()).collect();
    if all.is_empty() {
        return None;
    }
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.list_of("groundingChunks", &all, |out, citation| write_source(citation, out));
    let (mut before, mut number) = (0, 0);
    object.field("groundingSupports", |out| {
        let mut list = Writer::list(out);
        for (text, citations) in texts {
            for citation in *citations {
                if let Some(bytes) = bytes_of(citation, text) {
                    list.element(|out| write_support((before, text), bytes, number, out));
                }
                number += 1;
            }
            before += text.len();
        }
        list.end();
    });
    object.end();
    Some(out)
}

fn write_source(citation: &Citation, out: &mut String) {
    let mut chunk = Writer::object(out);
    let kind = if citation.url.is_some() { "web" } else { "retrievedContext" };
    chunk.nested(kind, |source| {
        source.string_if("uri", citation.url.as_deref()).string_if("title", citation.title.as_deref());
        if citation.url.is_none() {
            source.string_if("text", citation.quote.as_deref());
        }
    });
    chunk.end();
}

/// Where a citation's words begin and end in their text; all of it if nobody said.
fn bytes_of(citation: &Citation, text: &str) -> Option<(usize, usize)> {
    let Some((from, to)) = citation.span else { return Some((0, text.len())) };
    let byte = |character: u64| {
        let character = usize::try_from(character).ok()?;
        let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        starts.nth(character)
    };
    Some((byte(from)?, byte(to)?))
}

fn write_support((before, text): (usize, &str), (from, to): (usize, usize), number: usize, out: &mut String) {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let mut support = Writer::object(out);
    support.nested("segment", |segment| {
        segment.number("startIndex", count(before + from)).number("endIndex", count(before + to));
        segment.string_if("text", text.get(from..to));
    });
    support.list_of("groundingChunkIndices", [number], |out, number| out.push_str(&number.to_string()));
    support.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_all_texts_are_characters_of_one_and_back() {
        let page = Citation { url: Some("https://a.example".into()), title: Some("A".into()), ..nothing() };
        let cited = [Citation { span: Some((1, 3)), ..page.clone() }];
        let written = write(&[("é", &[]), ("aéz", &cited)]).unwrap();
        assert!(written.contains(r#""startIndex":3,"endIndex":6,"text":"éz""#), "{written}");
        let read = read(&RawJson::parse(&written).unwrap(), &["é", "aéz"]);
        assert_eq!(read, [(1, Citation { span: Some((1, 3)), ..page })]);
    }

    #[test]
    fn odd_segments_cost_only_the_place() {
        let grounding = RawJson::parse(
            r#"{"groundingChunks":[{"web":{"uri":"u"}},7],"groundingSupports":[{"segment":{"startIndex":1,"endIndex":99},"groundingChunkIndices":[0,1,5,"x"]}]}"#,
        );
        let read = read(&grounding.unwrap(), &["é"]);
        assert_eq!(read.first().map(|(text, citation)| (*text, citation.span)), Some((0, None)));
        assert_eq!(read.len(), 2);
    }
}

//! Schemas in Google's older form, a part of OpenAPI, name their types in capitals: `"type": "STRING"`. No
//! other provider reads that. Its SDK also writes keys with underscores. Only those words change, and only where all can
//! change back.
//!
//! Source: ai.google.dev/api/caching#Schema (read 2026-11-21).

use super::HOME;
use crate::hub::Extras;
use crate::json::RawJson;

const TYPES: [(&str, &str); 7] = [
    ("STRING", "string"),
    ("NUMBER", "number"),
    ("INTEGER", "integer"),
    ("BOOLEAN", "boolean"),
    ("ARRAY", "array"),
    ("OBJECT", "object"),
    ("NULL", "null"),
];

/// Keys that Google's SDK writes with underscores. JSON schemas have no such keys.
/// Source: the requests of google-genai 3.6.1, read 2026-11-25.
const KEYS: [(&str, &str); 9] = [
    ("additional_properties", "additionalProperties"),
    ("any_of", "anyOf"),
    ("max_items", "maxItems"),
    ("max_length", "maxLength"),
    ("max_properties", "maxProperties"),
    ("min_items", "minItems"),
    ("min_length", "minLength"),
    ("min_properties", "minProperties"),
    ("property_ordering", "propertyOrdering"),
];

/// The words in which [`read`] notes how a schema was spelt.
const LARGE: &str = "schema:large";
const SNAKE: &str = "schema:snake";

/// The schema as others read it, and notes on how it was spelt.
pub(super) fn read(schema: RawJson) -> (RawJson, Vec<&'static str>) {
    let (mut schema, mut notes) = (schema, Vec::new());
    for (note, change) in [(SNAKE, camel as fn(&RawJson) -> Option<RawJson>), (LARGE, small)] {
        if let Some(changed) = change(&schema) {
            schema = changed;
            notes.push(note);
        }
    }
    (schema, notes)
}

/// The schema as it was spelt where `extras` have the notes.
pub(super) fn spelt(schema: &RawJson, extras: &Extras) -> RawJson {
    let mut spelt = schema.clone();
    for (note, change) in [(SNAKE, snake as fn(&RawJson) -> Option<RawJson>), (LARGE, large)] {
        if extras.notes(HOME, note) {
            spelt = change(&spelt).unwrap_or(spelt);
        }
    }
    spelt
}

/// The same with small types; `None` if there are none in capitals, or others too.
fn small(schema: &RawJson) -> Option<RawJson> {
    change(schema, Place::Type, |word| pair(&TYPES, word))
}

/// The way back.
fn large(schema: &RawJson) -> Option<RawJson> {
    change(schema, Place::Type, |word| back(&TYPES, word))
}

/// The same with keys as JSON schemas have them; `None` if none has underscores, or others have none.
fn camel(schema: &RawJson) -> Option<RawJson> {
    change(schema, Place::Key, |word| match back(&KEYS, word) {
        Some(_) => None,
        None => Some(pair(&KEYS, word).unwrap_or(word)),
    })
    .filter(|changed| changed.get() != schema.get())
}

/// The way back.
fn snake(schema: &RawJson) -> Option<RawJson> {
    change(schema, Place::Key, |word| Some(back(&KEYS, word).unwrap_or(word)))
}

fn pair<'w>(all: &[(&'static str, &'static str)], word: &'w str) -> Option<&'w str>
where
    'static: 'w,
{
    all.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours)
}

fn back<'w>(all: &[(&'static str, &'static str)], word: &'w str) -> Option<&'w str>
where
    'static: 'w,
{
    all.iter().find(|(_, ours)| *ours == word).map(|(theirs, _)| *theirs)
}

/// Where a word stands that may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The text after a key `type`.
    Type,
    /// A key of a schema.
    Key,
}

/// Changes each word in such a place, or nothing.
fn change<'s>(
    schema: &'s RawJson,
    place: Place,
    change: impl Fn(&'s str) -> Option<&'s str>,
) -> Option<RawJson> {
    let mut out = String::with_capacity(schema.get().len());
    let (mut rest, mut previous, mut changed) = (schema.get(), "", false);
    let mut depths = Depths::default();
    while let Some((between, from)) = rest.split_once('"') {
        depths.pass(between, previous);
        let (word, after) = string(from)?;
        let is_key = after.trim_ascii_start().starts_with(':');
        let is_meant = match place {
            Place::Type => !is_key && previous == "type" && between.trim_ascii() == ":",
            Place::Key => is_key && !depths.has_names(),
        };
        let new = if is_meant { change(word)? } else { word };
        changed |= is_meant;
        for piece in [between, "\"", new, "\""] {
            out.push_str(piece);
        }
        (rest, previous) = (after, word);
    }
    out.push_str(rest);
    if changed { RawJson::parse(&out) } else { None }
}

/// What is open around a word: for each object or list, whether its keys are names that users gave.
#[derive(Debug, Default)]
struct Depths(Vec<bool>);

impl Depths {
    fn has_names(&self) -> bool {
        self.0.last().copied().unwrap_or_default()
    }

    /// Goes through what stands between two words; `previous` is the one before.
    fn pass(&mut self, between: &str, previous: &str) {
        for byte in between.bytes() {
            match byte {
                b'{' | b'[' => {
                    let is_names = !self.has_names() && previous == "properties";
                    self.0.push(is_names);
                }
                b'}' | b']' => _ = self.0.pop(),
                _ => {}
            }
        }
    }
}

/// A JSON string after its opening quote, and what comes after its closing one.
fn string(from: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    for (at, byte) in from.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some((from.get(..at)?, from.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> RawJson {
        RawJson::parse(text).unwrap()
    }

    #[test]
    fn types_change_and_change_back() {
        let google = raw(
            r#"{"type": "OBJECT", "properties": {"type": {"type":"STRING", "enum": ["STRING", "\"type\":"]}}}"#,
        );
        let plain = small(&google).unwrap();
        assert_eq!(
            plain.get(),
            r#"{"type": "object", "properties": {"type": {"type":"string", "enum": ["STRING", "\"type\":"]}}}"#
        );
        assert_eq!(large(&plain), Some(google));
    }

    #[test]
    fn keys_change_and_change_back_but_not_the_names_of_properties() {
        let google = raw(
            r#"{"additional_properties":false,"properties":{"any_of":{"any_of":[{"min_items":1,"properties":{"properties":{"max_length":2}}}]}},"property_ordering":["any_of"]}"#,
        );
        let plain = camel(&google).unwrap();
        assert_eq!(
            plain.get(),
            r#"{"additionalProperties":false,"properties":{"any_of":{"anyOf":[{"minItems":1,"properties":{"properties":{"maxLength":2}}}]}},"propertyOrdering":["any_of"]}"#
        );
        assert_eq!(snake(&plain), Some(google));
        assert_eq!(camel(&plain), None, "it has none");
        assert_eq!(camel(&raw(r#"{"any_of":[],"minItems":1}"#)), None, "mixed");
        assert_eq!(camel(&raw(r#"{"type":"STRING"}"#)), None);
    }

    #[test]
    fn what_could_not_change_back_stays() {
        assert_eq!(small(&raw(r#"{"type":"OBJECT","items":{"type":"string"}}"#)), None);
        assert_eq!(small(&raw(r#"{"type":"object"}"#)), None);
        assert_eq!(small(&raw(r#"{"enum":["STRING"]}"#)), None);
    }
}

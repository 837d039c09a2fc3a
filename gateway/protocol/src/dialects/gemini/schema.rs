//! Schemas in Google's older form, a part of OpenAPI, name their types in capitals: `"type": "STRING"`. No
//! other provider reads that. Only those words change, and only where all can change back.
//!
//! Source: ai.google.dev/api/caching#Schema (read 2026-11-21).

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

/// The same with small types; `None` if there are none in capitals, or others too.
pub(super) fn small(schema: &RawJson) -> Option<RawJson> {
    change(schema, |word| TYPES.iter().find(|(large, _)| *large == word).map(|(_, small)| *small))
}

/// The way back.
pub(super) fn large(schema: &RawJson) -> Option<RawJson> {
    change(schema, |word| TYPES.iter().find(|(_, small)| *small == word).map(|(large, _)| *large))
}

/// Changes each text that is the value of a key `type`, or nothing.
fn change(schema: &RawJson, change: impl Fn(&str) -> Option<&'static str>) -> Option<RawJson> {
    let mut out = String::with_capacity(schema.get().len());
    let (mut rest, mut previous, mut changed) = (schema.get(), "", false);
    while let Some((between, from)) = rest.split_once('"') {
        let (word, after) = string(from)?;
        let is_type = previous == "type" && between.trim_ascii() == ":";
        let new = if is_type { change(word)? } else { word };
        changed |= is_type;
        for piece in [between, "\"", new, "\""] {
            out.push_str(piece);
        }
        (rest, previous) = (after, word);
    }
    out.push_str(rest);
    if changed { RawJson::parse(&out) } else { None }
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
    fn what_could_not_change_back_stays() {
        assert_eq!(small(&raw(r#"{"type":"OBJECT","items":{"type":"string"}}"#)), None);
        assert_eq!(small(&raw(r#"{"type":"object"}"#)), None);
        assert_eq!(small(&raw(r#"{"enum":["STRING"]}"#)), None);
    }
}

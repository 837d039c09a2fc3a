//! A few fields of an object, looked at where they stand, whatever else there is. Nothing is allocated but what the
//! reader of JSON needs to know which brackets are open: some bytes, where what is passed over has lists in objects.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The values of `keys` in the object `text`, `null` counting as absent. Of a key that is there twice, the last
/// value counts, as in [`super::Fields`]. `None` if `text` is no object.
#[must_use]
pub fn peek<'a, const N: usize>(text: &'a str, keys: [&str; N]) -> Option<[Option<&'a RawValue>; N]> {
    if !text.trim_ascii_start().starts_with('{') {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = Peek(keys).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(found.map(|raw| raw.filter(|raw| raw.get() != "null")))
}

/// Gives each element of the list `raw` to `look`; those of no list are none.
pub fn each<'a>(raw: &'a RawValue, look: impl FnMut(&'a RawValue)) {
    if raw.get().starts_with('[') {
        // A raw value has been read once: it has no errors.
        drop(serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Each(look)));
    }
}

/// The text of the string `raw`, borrowed where it has no escapes. `None` if it is no string.
#[must_use]
pub fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// How long the text of the string `raw` is, in bytes. 0 if it is no string.
#[must_use]
pub fn text_bytes(raw: &RawValue) -> usize {
    let within = raw.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let mut rest = within.unwrap_or_default();
    let mut bytes = rest.len();
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (written, meant) = match rest.get(at..at + 6) {
            Some(escape) if escape.starts_with("\\u") => (6, width(escape)),
            _ => (2, 1),
        };
        bytes = (bytes + meant).saturating_sub(written);
        rest = rest.get(at + written..).unwrap_or_default();
    }
    bytes
}

/// How many bytes `\uXXXX` stands for: of the two halves of a pair, each is half of four.
fn width(escape: &str) -> usize {
    match escape.get(2..).and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
        Some(0..0x80) => 1,
        Some(0x80..0x800 | 0xd800..0xe000) => 2,
        _ => 3,
    }
}

struct Peek<'k, const N: usize>([&'k str; N]);

impl<'de, const N: usize> DeserializeSeed<'de> for Peek<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Peek<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(Text(name)) = map.next_key()? {
            match self.0.iter().zip(&mut found).find(|(key, _)| **key == name) {
                Some((_, place)) => *place = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

struct Each<F>(F);

impl<'de, F: FnMut(&'de RawValue)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(raw) = list.next_element()? {
            (self.0)(raw);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn fields_are_found_and_the_rest_is_passed_over() {
        let object = r#" {"x":[{"a":0}],"a":1,"b":null,"\u0063":"t","a":2} "#;
        let [a, b, c, d] = peek(object, ["a", "b", "c", "d"]).unwrap();
        assert_eq!(a.map(RawValue::get), Some("2"), "the last");
        assert_eq!(c.map(RawValue::get), Some("\"t\""));
        assert!(b.is_none() && d.is_none());
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        for text in ["", "[]", "1", "{", "{\"a\":}", "{} x"] {
            assert!(peek(text, ["a"]).is_none(), "{text}");
        }
    }

    #[test]
    fn elements_come_in_order() {
        let mut seen = Vec::new();
        each(raw("[1, \"b\",[]]"), |raw| seen.push(raw.get()));
        assert_eq!(seen, ["1", "\"b\"", "[]"]);
        each(raw("{\"a\":1}"), |_| panic!("an element of no list"));
    }

    #[test]
    fn a_text_is_as_long_as_it_is_when_it_is_read() {
        for json in [
            r#""""#,
            r#""plain""#,
            r#""a\"b\\u0041\n\/""#,
            r#""\u0041\u00fc\u6f02\ud83d\ude00""#,
            r#""über 漂亮 😀""#,
        ] {
            assert_eq!(text_bytes(raw(json)), text(raw(json)).unwrap().len(), "{json}");
        }
        assert_eq!(text_bytes(raw("12")), 0);
    }
}

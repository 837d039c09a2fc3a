//! Reading and writing of what many nodes have: numbers as spelt, cache marks, objects of which a part is known.

use super::HOME;
use crate::hub::{CacheHint, Extras};
use crate::json::{Fields, RawJson, Writer};

/// A number as it is spelt. What is none stays, and so becomes an extra.
pub(super) fn take_number(fields: &mut Fields<'_>, key: &str) -> Option<RawJson> {
    let first = fields.get(key)?.get().bytes().next()?;
    (first == b'-' || first.is_ascii_digit()).then(|| fields.take_raw(key))?
}

/// Strings only. A list of anything else stays.
pub(super) fn take_strings(fields: &mut Fields<'_>, key: &str) -> Option<Vec<String>> {
    let strings: Vec<String> = serde_json::from_str(fields.get(key)?.get()).ok()?;
    fields.take_any(key);
    Some(strings)
}

/// `{"type":"ephemeral","ttl":"5m"|"1h"}`. One that says more stays.
///
/// Source: platform.claude.com/docs/en/build-with-claude/prompt-caching, read 2026-11-21.
pub(super) fn take_cache(fields: &mut Fields<'_>) -> Option<CacheHint> {
    let mut mark = Fields::read(fields.get("cache_control")?)?;
    let is_ephemeral = mark.take_string("type").as_deref() == Some("ephemeral");
    let ttl = mark.take_string("ttl");
    if !is_ephemeral || !mark.is_empty() {
        return None;
    }
    fields.take_any("cache_control");
    Some(CacheHint { ttl })
}

/// Writes the mark.
pub(super) fn write_cache(object: &mut Writer<'_>, cache: Option<&CacheHint>) {
    if let Some(CacheHint { ttl }) = cache {
        object.nested("cache_control", |mark| {
            mark.string("type", "ephemeral").string_if("ttl", ttl.as_deref());
        });
    }
}

/// Keeps what is left of an object whose known fields were taken, under the object's own name, so that
/// [`write_merged`] can put both together again. An object of which nothing was known is kept even if empty.
pub(super) fn keep_rest(
    extras: &mut Vec<(String, RawJson)>,
    key: &str,
    rest: Vec<(String, RawJson)>,
    knew_some: bool,
) {
    if knew_some && rest.is_empty() {
        return;
    }
    if let Some(object) = object(&rest) {
        extras.push((key.to_owned(), object));
    }
}

/// An object of fields.
pub(super) fn object(fields: &[(String, RawJson)]) -> Option<RawJson> {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.all(fields);
    object.end();
    RawJson::parse(&out)
}

/// Writes an object of what `fill` writes and of what [`keep_rest`] kept of it.
pub(super) fn write_merged(
    object: &mut Writer<'_>,
    key: &str,
    extras: &Extras,
    fill: impl FnOnce(&mut Writer<'_>),
) {
    let rest = kept(extras, key).and_then(|raw| Fields::parse(raw.get())).unwrap_or_default().rest();
    object.nested(key, |object| {
        fill(object);
        object.all(&rest);
    });
}

/// What [`keep_rest`] kept, or a value of a type that nobody reads.
pub(super) fn kept<'e>(extras: &'e Extras, key: &str) -> Option<&'e RawJson> {
    extras.of(HOME).iter().find(|(name, _)| name == key).map(|(_, raw)| raw)
}

/// Writes the fields of this dialect, but not those that the caller writes or merges.
pub(super) fn write_extras(object: &mut Writer<'_>, extras: &Extras, but: &[&str]) {
    object.all(extras.of(HOME).iter().filter(|(name, _)| !but.contains(&name.as_str())));
}

/// Whether the node was read by this dialect's decoder, so that its ways of writing are known.
pub(super) fn is_home(extras: &Extras) -> bool {
    extras.dialect == Some(HOME)
}

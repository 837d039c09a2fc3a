//! How what chat completions have no place for is told: by the names of all that was in it.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::ways::CHAT;
use crate::hub::{CacheHint, Extras};
use crate::json::{Fields, RawJson};
use crate::loss::{Losses, Weight};

const NO_FIELD: &str = "chat completions have no such field";

/// Tells the fields of another dialect that stood at `place` of a request.
pub(super) fn tell(losses: &mut Losses, extras: &Extras, place: &str) {
    for (name, raw) in extras.foreign_to(CHAT) {
        let is_meaning = place.is_empty() && Weight::of_unmodelled(name) == Weight::Meaning;
        for leaf in leaves(&join(place, name), raw) {
            if is_meaning {
                losses.meaning(leaf, NO_FIELD);
            } else {
                losses.hint(leaf, NO_FIELD);
            }
        }
    }
}

/// The same of an answer, where the names of the fields are enough.
pub(super) fn tell_briefly(losses: &mut Losses, extras: &Extras, place: &str) {
    for (name, raw) in extras.foreign_to(CHAT) {
        if raw.get() != "null" {
            losses.hint(join(place, name), NO_FIELD);
        }
    }
}

/// Tells a block, tool or choice of another dialect.
pub(super) fn tell_foreign(losses: &mut Losses, json: &RawJson, place: &str, note: &'static str) {
    for leaf in leaves(place, json) {
        losses.meaning(leaf, note);
    }
}

/// Tells a cache hint, which is written only for a client who wrote it in this dialect.
pub(super) fn tell_cache(losses: &mut Losses, cache: Option<&CacheHint>, place: &str) {
    // Groq and Cerebras do refuse it: github.com/yetone/alma-releases/issues/59, read 2026-11-21.
    const NOTE: &str = "most chat providers cache by themselves, and some refuse the field";
    let Some(cache) = cache else { return };
    losses.hint(join(place, "cache_control"), NOTE);
    if cache.ttl.is_some() {
        losses.hint(join(place, "cache_control.ttl"), NOTE);
    }
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

/// The paths of all that is in `json`, each once: elements of a list are told as one. `null` says nothing, and what
/// is very deep is told as a whole.
pub(in crate::dialects) fn leaves(place: &str, json: &RawJson) -> Vec<String> {
    const DEPTH: usize = 8;
    let mut found = Found::default();
    if let Ok(raw) = serde_json::from_str(json.get()) {
        walk(place.to_owned(), raw, DEPTH, &mut found);
    }
    found.in_order
}

/// Paths, hashed too: a schema may have thousands.
#[derive(Default)]
struct Found {
    in_order: Vec<String>,
    known: HashSet<String>,
}

fn walk(place: String, raw: &RawValue, depth: usize, found: &mut Found) {
    if raw.get() == "null" {
        return;
    }
    let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    let fields = Fields::read(raw).unwrap_or_default();
    let is_leaf = depth == 0 || (items.is_empty() && fields.is_empty());
    if is_leaf {
        if !found.known.contains(&place) {
            found.known.insert(place.clone());
            found.in_order.push(place);
        }
        return;
    }
    for item in items {
        walk(place.clone(), item, depth - 1, found);
    }
    for (name, json) in fields.rest() {
        if let Ok(raw) = serde_json::from_str(json.get()) {
            walk(join(&place, &name), raw, depth - 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_told_once_however_deep_it_is() {
        let json = RawJson::parse(r#"{"a":[{"b":1},{"b":2}],"c":{"d":[]},"e":null}"#).unwrap();
        assert_eq!(leaves("tools[0]", &json), ["tools[0].a.b", "tools[0].c.d"]);
        let deep = RawJson::parse(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).unwrap();
        assert_eq!(leaves("x", &deep), ["x"]);
    }
}

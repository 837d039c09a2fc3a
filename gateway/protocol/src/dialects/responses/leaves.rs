//! The names of all that is in a value, so that a loss says what was in it.

use serde_json::value::RawValue;

use crate::json::{Fields, RawJson};

/// The paths of the leaves of `json` below `path`, each once. Elements of a list are told as one, or a long list
/// would be a long story; what is `null` says nothing; what is very deep is one leaf.
pub(super) fn of(path: &str, json: &RawJson) -> Vec<String> {
    const DEPTH: usize = 8;
    let mut found = Vec::new();
    if let Ok(raw) = serde_json::from_str(json.get()) {
        walk(path.to_owned(), raw, DEPTH, &mut found);
    }
    found
}

fn walk(path: String, raw: &RawValue, depth: usize, found: &mut Vec<String>) {
    if raw.get() == "null" {
        return;
    }
    let Some(depth) = depth.checked_sub(1) else { return add(path, found) };
    if let Some(fields) = Fields::read(raw).filter(|fields| !fields.is_empty()) {
        for (name, raw) in fields.rest() {
            if let Ok(raw) = serde_json::from_str(raw.get()) {
                let place = if path.is_empty() { name } else { format!("{path}.{name}") };
                walk(place, raw, depth, found);
            }
        }
        return;
    }
    match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
        Ok(items) if !items.is_empty() => {
            items.into_iter().for_each(|item| walk(path.clone(), item, depth, found));
        }
        _ => add(path, found),
    }
}

fn add(path: String, found: &mut Vec<String>) {
    if !found.contains(&path) {
        found.push(path);
    }
}

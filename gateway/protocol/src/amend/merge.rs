//! JSON merge patch, as RFC 7396 defines it, on text.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::members::{Fate, begins_with, extend_object};
use crate::json::Writer;

/// What is to become of one member.
#[derive(Clone, Debug)]
pub(super) enum Patch {
    /// `null` in the patch.
    Remove,
    /// JSON that replaces what was there.
    Set(String),
    /// An object that is merged into one; in the place of anything else it stands alone.
    Merge(Vec<(String, Patch)>),
}

pub(super) fn compile(patch: &Map<String, Value>) -> Vec<(String, Patch)> {
    let compiled = |value: &Value| match value {
        Value::Null => Patch::Remove,
        Value::Object(inner) => Patch::Merge(compile(inner)),
        other => Patch::Set(other.to_string()),
    };
    patch.iter().map(|(name, value)| (name.clone(), compiled(value))).collect()
}

/// `object` with `patch` merged; `None` if that changes nothing. New members come at the end.
pub(super) fn merge_into(object: &str, patch: &[(String, Patch)]) -> Option<String> {
    if patch.is_empty() {
        return None;
    }
    extend_object(object, |members| {
        let find = |name: &str| patch.iter().find(|(patched, _)| patched == name);
        let fates = members.iter().map(|(name, value)| match find(name) {
            Some((_, patch)) => fate(value.get(), patch),
            None => Fate::Keep,
        });
        (fates.collect(), added(members, patch))
    })
}

fn fate(value: &str, patch: &Patch) -> Fate {
    match patch {
        Patch::Remove => Fate::Drop,
        Patch::Set(json) if json == value => Fate::Keep,
        Patch::Set(json) => Fate::Replace(json.clone()),
        Patch::Merge(inner) if begins_with(value, '{') => {
            merge_into(value, inner).map_or(Fate::Keep, Fate::Replace)
        }
        Patch::Merge(inner) => Fate::Replace(fresh(inner)),
    }
}

/// The members of `patch` that are not there yet.
fn added(members: &[(Cow<'_, str>, &RawValue)], patch: &[(String, Patch)]) -> Vec<(String, String)> {
    let is_new = |name: &str| !members.iter().any(|(known, _)| known == name);
    let new = patch.iter().filter(|(name, _)| is_new(name));
    new.filter_map(|(name, patch)| Some((name.clone(), value_of(patch)?))).collect()
}

fn value_of(patch: &Patch) -> Option<String> {
    match patch {
        Patch::Remove => None,
        Patch::Set(json) => Some(json.clone()),
        Patch::Merge(inner) => Some(fresh(inner)),
    }
}

/// An object of what `patch` sets.
fn fresh(patch: &[(String, Patch)]) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    for (name, patch) in patch {
        if let Some(json) = value_of(patch) {
            object.raw(name, &json);
        }
    }
    object.end();
    out
}

//! Rewrites an object or a list by splicing its text: what is kept keeps its spelling, spaces and order.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json;

/// What becomes of one member or element.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Keep,
    Drop,
    Replace(String),
}

/// `object` with each member as `fate` says of its name and value. `None` if it is no object, or all are kept.
pub(super) fn rewrite_object(object: &str, mut fate: impl FnMut(&str, &str) -> Fate) -> Option<String> {
    extend_object(object, |members| {
        (members.iter().map(|(name, value)| fate(name, value.get())).collect(), Vec::new())
    })
}

/// The same, where `decide` sees all members at once and gives a fate for each, and what to add at the end.
pub(super) fn extend_object(
    object: &str,
    decide: impl FnOnce(&[(Cow<'_, str>, &RawValue)]) -> (Vec<Fate>, Vec<(String, String)>),
) -> Option<String> {
    let members = begins_with(object, '{').then(|| serde_json::from_str::<Members<'_>>(object).ok())??.0;
    let (fates, added) = decide(&members);
    let added: Vec<String> =
        added.into_iter().map(|(name, value)| format!("{}:{value}", json::string(&name))).collect();
    spliced(object, members.iter().map(|(_, value)| *value), fates, &added)
}

/// `list` with each element as `fate` says of its place and value. `None` if it is no list, or all are kept.
pub(super) fn rewrite_list(list: &str, mut fate: impl FnMut(usize, &str) -> Fate) -> Option<String> {
    let elements = begins_with(list, '[').then(|| serde_json::from_str::<Vec<&RawValue>>(list).ok())??;
    let fates = elements.iter().enumerate().map(|(place, value)| fate(place, value.get())).collect();
    spliced(list, elements.iter().copied(), fates, &[])
}

pub(super) fn begins_with(json: &str, bracket: char) -> bool {
    json.trim_ascii_start().starts_with(bracket)
}

/// Each value's lead is what stands between it and the value before: comma, spaces, key and colon.
fn spliced<'a>(
    text: &'a str,
    values: impl Iterator<Item = &'a RawValue>,
    fates: Vec<Fate>,
    added: &[String],
) -> Option<String> {
    if added.is_empty() && fates.iter().all(|fate| *fate == Fate::Keep) {
        return None;
    }
    let mut from = text.find(['{', '[']).map_or(0, |open| open + 1);
    let mut out = String::with_capacity(text.len() + added.iter().map(|one| one.len() + 1).sum::<usize>());
    out.push_str(text.get(..from)?);
    let (mut is_empty, mut is_first) = (true, true);
    for (value, fate) in values.zip(fates) {
        // A borrowed raw value is a slice of the text, so its address tells its place.
        let start = (value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let lead = text.get(from..start)?;
        from = start + value.get().len();
        let is_led_by_comma = !std::mem::take(&mut is_first);
        if fate == Fate::Drop {
            continue;
        }
        // The first that is kept needs no comma. Before it, only white space can stand.
        let bare = lead.split_once(',').map_or(lead, |(_, rest)| rest);
        out.push_str(if is_empty && is_led_by_comma { bare } else { lead });
        match &fate {
            Fate::Replace(new) => out.push_str(new),
            _ => out.push_str(value.get()),
        }
        is_empty = false;
    }
    for one in added {
        if !std::mem::take(&mut is_empty) {
            out.push(',');
        }
        out.push_str(one);
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

/// All members, those of one name too: unlike [`json::Fields`], nothing is looked for.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor).map(Self)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Self::Value = Vec::new();
        while let Some((Key(name), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            members.push((name, value));
        }
        Ok(members)
    }
}

/// Borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

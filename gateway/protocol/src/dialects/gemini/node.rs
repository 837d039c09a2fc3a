//! An object whose fields come in two spellings, and the way back: which spelling, and which fields of the
//! objects inside it nobody models.

use serde_json::value::RawValue;

use super::HOME;
use crate::hub::Extras;
use crate::json::{Fields, RawJson};

/// A field as `camelCase` and as `snake_case`. Google reads both; its SDKs send both.
/// Source: protobuf.dev/programming-guides/json (read 2026-11-21).
pub(super) type Name = (&'static str, &'static str);

/// An object that is being taken apart.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    /// What is left of it.
    pub(super) fields: Fields<'a>,
    notes: Vec<&'static str>,
    inner: Vec<(String, RawJson)>,
}

impl<'a> Node<'a> {
    pub(super) fn new(fields: Fields<'a>) -> Self {
        Self { fields, notes: Vec::new(), inner: Vec::new() }
    }

    /// `None` if `raw` is no object.
    pub(super) fn read(raw: &'a RawValue) -> Option<Self> {
        Fields::read(raw).map(Self::new)
    }

    pub(super) fn string(&mut self, name: Name) -> Option<String> {
        self.take(name, Fields::take_string)
    }

    /// A text that is not empty. An empty one says no more than none, and stays.
    pub(super) fn word(&mut self, name: Name) -> Option<String> {
        self.take(name, |fields, key| {
            fields.get(key).filter(|raw| raw.get() != r#""""#)?;
            fields.take_string(key)
        })
    }

    pub(super) fn number(&mut self, name: Name) -> Option<u64> {
        self.take(name, Fields::take_u64)
    }

    pub(super) fn flag(&mut self, name: Name) -> Option<bool> {
        self.take(name, Fields::take_bool)
    }

    pub(super) fn raw(&mut self, name: Name) -> Option<RawJson> {
        self.take(name, Fields::take_raw)
    }

    pub(super) fn object(&mut self, name: Name) -> Option<Node<'a>> {
        self.take(name, Fields::take_object).map(Node::new)
    }

    /// A list; one object alone, which Google also takes for a list, is noted as `alone`.
    pub(super) fn list(&mut self, name: Name, alone: &'static str) -> Option<Vec<&'a RawValue>> {
        if let Some(list) = self.take(name, Fields::take_list) {
            return Some(list);
        }
        let one = self.take(name, |fields, key| {
            fields.get(key).filter(|raw| raw.get().starts_with('{'))?;
            fields.take(key)
        })?;
        self.note(alone);
        Some(vec![one])
    }

    /// A list of texts, at least one.
    pub(super) fn strings(&mut self, name: Name) -> Option<Vec<String>> {
        self.take(name, |fields, key| {
            let list: Vec<String> = serde_json::from_str(fields.get(key)?.get()).ok()?;
            if list.is_empty() {
                return None;
            }
            fields.take(key)?;
            Some(list)
        })
    }

    /// Looks at a text and leaves it.
    pub(super) fn peek(&self, (camel, snake): Name) -> Option<String> {
        let raw = self.fields.get(camel).or_else(|| self.fields.get(snake))?;
        serde_json::from_str(raw.get()).ok()
    }

    pub(super) fn note(&mut self, note: &'static str) {
        self.notes.push(note);
    }

    pub(super) fn note_if(&mut self, is_so: bool, note: &'static str) {
        if is_so {
            self.note(note);
        }
    }

    /// Keeps a value under a dotted name.
    pub(super) fn keep(&mut self, name: String, raw: RawJson) {
        self.inner.push((name, raw));
    }

    /// Keeps what is left of an object inside this one.
    pub(super) fn absorb(&mut self, prefix: &str, inner: Node<'a>) {
        self.notes.extend(inner.notes);
        self.inner.extend(inner.inner);
        let rest = inner.fields.rest().into_iter();
        self.inner.extend(rest.map(|(name, raw)| (format!("{prefix}.{name}"), raw)));
    }

    /// What nobody took.
    pub(super) fn extras(self) -> Extras {
        let mut fields = self.fields.rest();
        fields.extend(self.inner);
        Extras { dialect: Some(HOME), fields, notes: self.notes }
    }

    fn take<T>(
        &mut self,
        (camel, snake): Name,
        take: impl Fn(&mut Fields<'a>, &str) -> Option<T>,
    ) -> Option<T> {
        if let Some(value) = take(&mut self.fields, camel) {
            return Some(value);
        }
        let value = take(&mut self.fields, snake).filter(|_| camel != snake)?;
        self.note(snake);
        Some(value)
    }
}

/// Whether a node came from this dialect, and so is written as it stood.
pub(super) fn is_home(extras: &Extras) -> bool {
    extras.dialect == Some(HOME)
}

/// The spelling that was used for a field.
pub(super) fn key(extras: &Extras, (camel, snake): Name) -> &'static str {
    if extras.notes(HOME, snake) { snake } else { camel }
}

/// The fields of the node itself: those whose name does not begin with one of `inner` and a dot.
pub(super) fn own<'e>(
    extras: &'e Extras,
    inner: &'static [&'static str],
) -> impl Iterator<Item = &'e (String, RawJson)> {
    extras
        .of(HOME)
        .iter()
        .filter(move |(name, _)| !name.split_once('.').is_some_and(|(prefix, _)| inner.contains(&prefix)))
}

/// The fields of an object inside the node.
pub(super) fn under<'e>(
    extras: &'e Extras,
    prefix: &'static str,
) -> impl Iterator<Item = (&'e str, &'e RawJson)> {
    extras
        .of(HOME)
        .iter()
        .filter_map(move |(name, raw)| Some((name.strip_prefix(prefix)?.strip_prefix('.')?, raw)))
}

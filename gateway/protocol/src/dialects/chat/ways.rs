//! What all files of this dialect share: nodes that are taken apart, and ways of writing.

use catalogue::Dialect;
use serde_json::value::RawValue;

use crate::hub::{CacheHint, Extras};
use crate::json::{Fields, RawJson, Writer};

pub(super) const CHAT: Dialect = Dialect::OpenaiChat;

/// A field that is there and says nothing. It is a way of writing, not content.
#[derive(Debug)]
pub(super) struct Blank(pub(super) &'static str, pub(super) &'static str, pub(super) &'static str);

/// An object that is being decoded. What is not taken becomes its extras.
#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    pub(super) fields: Fields<'a>,
    kept: Vec<(String, RawJson)>,
    notes: Vec<&'static str>,
}

impl<'a> Node<'a> {
    pub(super) fn read(raw: &'a RawValue) -> Option<Self> {
        Fields::read(raw).map(Self::of)
    }

    pub(super) fn parse(text: &'a str) -> Option<Self> {
        Fields::parse(text).map(Self::of)
    }

    pub(super) fn of(fields: Fields<'a>) -> Self {
        Self { fields, ..Self::default() }
    }

    pub(super) fn note(&mut self, note: &'static str) {
        self.notes.push(note);
    }

    /// Whether it was noted before.
    pub(super) fn notes(&self, note: &str) -> bool {
        self.notes.contains(&note)
    }

    /// Takes the fields of `blanks` that say nothing.
    pub(super) fn blanks(&mut self, blanks: &[Blank]) {
        for Blank(key, json, note) in blanks {
            if self.fields.get(key).is_some_and(|raw| raw.get() == *json) {
                self.fields.take_any(key);
                self.note(note);
            }
        }
    }

    /// Keeps a value that was read but cannot be made again from what was read.
    pub(super) fn keep(&mut self, key: &str, raw: RawJson) {
        self.kept.push((key.to_owned(), raw));
    }

    /// Keeps what is left of the object that stood at `key`; see [`nested`].
    pub(super) fn keep_rest(&mut self, key: &str, rest: Fields<'_>) {
        if rest.is_empty() {
            return;
        }
        let mut text = String::new();
        let mut object = Writer::object(&mut text);
        object.all(&rest.rest());
        object.end();
        if let Some(raw) = RawJson::parse(&text) {
            self.keep(key, raw);
        }
    }

    /// Takes over how `inner` was written, and what it kept.
    pub(super) fn adopt(&mut self, inner: &mut Node<'_>) {
        self.notes.append(&mut inner.notes);
        self.kept.append(&mut inner.kept);
    }

    /// Takes `cache_control`, which OpenRouter and LiteLLM have from Anthropic.
    /// Source: openrouter.ai/docs/client-sdks/typescript/models/anthropiccachecontroldirective, read 2026-11-21.
    pub(super) fn cache(&mut self) -> Option<CacheHint> {
        let mut hint = Fields::read(self.fields.get("cache_control")?)?;
        let is_ephemeral = hint.take_string("type").is_some_and(|kind| kind == "ephemeral");
        let ttl = hint.take_string("ttl");
        if !is_ephemeral || !hint.is_empty() {
            return None;
        }
        self.fields.take("cache_control")?;
        Some(CacheHint { ttl })
    }

    /// What is left. Of no dialect if that is nothing.
    pub(super) fn extras(self) -> Extras {
        let extras = self.tagged();
        if extras.fields.is_empty() && extras.notes.is_empty() { Extras::default() } else { extras }
    }

    /// What is left, always of this dialect: whole bodies say so where they come from.
    pub(super) fn tagged(self) -> Extras {
        let mut fields = self.fields.rest();
        fields.extend(self.kept);
        Extras { notes: self.notes, ..Extras::new(CHAT, fields) }
    }
}

/// Whether `extras` have a field of that name to be written here.
pub(super) fn has(extras: &Extras, key: &str) -> bool {
    extras.of(CHAT).iter().any(|(name, _)| name == key)
}

/// The fields that [`Node::keep_rest`] kept for the object at `key`.
pub(super) fn nested(extras: &Extras, key: &str) -> Vec<(String, RawJson)> {
    let kept = extras.of(CHAT).iter().find(|(name, _)| name == key);
    kept.and_then(|(_, raw)| Fields::parse(raw.get())).map(Fields::rest).unwrap_or_default()
}

/// All fields to be written here but the one at `key`.
pub(super) fn all_but<'e>(extras: &'e Extras, key: &str) -> impl Iterator<Item = &'e (String, RawJson)> {
    extras.of(CHAT).iter().filter(move |(name, _)| name != key)
}

/// Writes the fields that said nothing.
pub(super) fn write_blanks(object: &mut Writer<'_>, extras: &Extras, blanks: &[Blank]) {
    for Blank(key, json, note) in blanks {
        if extras.notes(CHAT, note) {
            object.raw(key, json);
        }
    }
}

pub(super) fn write_cache(object: &mut Writer<'_>, cache: Option<&CacheHint>) {
    if let Some(cache) = cache {
        object.nested("cache_control", |hint| {
            hint.string("type", "ephemeral").string_if("ttl", cache.ttl.as_deref());
        });
    }
}

//! An object that is being decoded, and what of it is written again.

use serde_json::value::RawValue;

use super::HOME;
use crate::hub::Extras;
use crate::json::{Fields, RawJson, Writer};

/// A field that is there and says nothing. It is a way of writing, not content.
#[derive(Debug)]
pub(super) struct Blank(pub(super) &'static str, pub(super) &'static str, pub(super) &'static str);

/// What is not taken of it becomes its extras.
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

    fn of(fields: Fields<'a>) -> Self {
        Self { fields, ..Self::default() }
    }

    pub(super) fn note(&mut self, note: &'static str) {
        self.notes.push(note);
    }

    /// Notes which of `keys` are absent.
    pub(super) fn note_absent(&mut self, keys: &[(&str, &'static str)]) {
        for (key, note) in keys {
            if self.fields.get(key).is_none() {
                self.note(note);
            }
        }
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

    /// Keeps what is left of the object that stood at `key`.
    pub(super) fn keep_rest(&mut self, key: &str, rest: Fields<'_>) {
        let mut text = String::new();
        let mut object = Writer::object(&mut text);
        object.all(&rest.rest());
        object.end();
        if let Some(raw) = RawJson::parse(&text) {
            self.keep(key, raw);
        }
    }

    /// What is left, always of this dialect: it says where the whole comes from.
    pub(super) fn extras(self) -> Extras {
        let mut fields = self.fields.rest();
        fields.extend(self.kept);
        Extras { notes: self.notes, ..Extras::new(HOME, fields) }
    }
}

/// Whether `extras` have a field of that name to be written here.
pub(super) fn has(extras: &Extras, key: &str) -> bool {
    kept(extras, key).is_some()
}

/// The field of that name to be written here.
pub(super) fn kept<'e>(extras: &'e Extras, key: &str) -> Option<&'e RawJson> {
    extras.of(HOME).iter().find(|(name, _)| name == key).map(|(_, raw)| raw)
}

/// All fields to be written here but those of `keys`.
pub(super) fn all_but<'e>(
    extras: &'e Extras,
    keys: &'e [&str],
) -> impl Iterator<Item = &'e (String, RawJson)> {
    extras.of(HOME).iter().filter(|(name, _)| !keys.contains(&name.as_str()))
}

/// Writes the fields that said nothing.
pub(super) fn write_blanks(object: &mut Writer<'_>, extras: &Extras, blanks: &[Blank]) {
    for Blank(key, json, note) in blanks {
        if extras.notes(HOME, note) {
            object.raw(key, json);
        }
    }
}

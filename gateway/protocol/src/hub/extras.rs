//! What a decoder does not model, and how its input was written, so that its own encoder gives it back.

use catalogue::Dialect;

use crate::json::RawJson;

/// Fields nobody models, in order, tagged with the dialect they came from; and notes on the way of writing.
///
/// Written again only in that dialect. In any other, each field is a loss.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Where they came from. `None` if there are none.
    pub dialect: Option<Dialect>,
    /// As they stood.
    pub fields: Vec<(String, RawJson)>,
    /// Ways of writing the same thing, in the words of the dialect's own encoder: `content:string`. They carry
    /// no meaning, so leaving them behind is no loss.
    pub notes: Vec<&'static str>,
}

impl Extras {
    /// Extras of `dialect`.
    #[must_use]
    pub fn new(dialect: Dialect, fields: Vec<(String, RawJson)>) -> Self {
        Self { dialect: Some(dialect), fields, notes: Vec::new() }
    }

    /// The same with `note`.
    #[must_use]
    pub fn with(mut self, note: &'static str) -> Self {
        self.notes.push(note);
        self
    }

    /// Whether the input was written in this way, as far as `dialect` is concerned.
    #[must_use]
    pub fn notes(&self, dialect: Dialect, note: &str) -> bool {
        self.dialect == Some(dialect) && self.notes.contains(&note)
    }

    /// The fields that `dialect` may write.
    #[must_use]
    pub fn of(&self, dialect: Dialect) -> &[(String, RawJson)] {
        if self.dialect == Some(dialect) { &self.fields } else { &[] }
    }

    /// The fields that `dialect` cannot write: its losses.
    #[must_use]
    pub fn foreign_to(&self, dialect: Dialect) -> &[(String, RawJson)] {
        if self.dialect == Some(dialect) { &[] } else { &self.fields }
    }
}

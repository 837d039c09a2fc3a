//! Where a thing stood that got lost, in the words of the client's dialect as far as the hub can tell.

use std::collections::BTreeSet;
use std::fmt;

use catalogue::Dialect;
use serde_json::value::RawValue;

use super::HOME;
pub(super) use crate::dialects::spelling::setting_name as setting;
use crate::dialects::spelling::spelt;
use crate::hub::Extras;
use crate::json::Fields;
use crate::loss::{Losses, Weight};

/// A turn or one of its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Whose words to use.
    pub(super) client: Dialect,
    turn: usize,
    part: Option<usize>,
}

impl Place {
    /// A turn.
    pub(super) fn turn(client: Dialect, turn: usize) -> Self {
        Self { client, turn, part: None }
    }

    /// One of its blocks.
    pub(super) fn part(self, part: usize) -> Self {
        Self { part: Some(part), ..self }
    }

    /// A field of it.
    pub(super) fn field(self, name: &str) -> String {
        format!("{self}.{name}")
    }

    /// The same, in the client's own spelling: Google reads `mimeType` and `mime_type`, and its decoder notes
    /// the latter. At worst this is the other spelling.
    pub(super) fn spelt(self, extras: &Extras, name: &str) -> String {
        if self.client != Dialect::Gemini {
            return self.field(name);
        }
        self.field(&spelt(name, extras))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (turns, parts) = match self.client {
            Dialect::OpenaiChat | Dialect::Anthropic => ("messages", "content"),
            Dialect::OpenaiResponses => ("input", "content"),
            Dialect::OpenaiCompletions => ("prompt", "content"),
            Dialect::Gemini => ("contents", "parts"),
        };
        write!(f, "{turns}[{}]", self.turn)?;
        self.part.map_or(Ok(()), |part| write!(f, ".{parts}[{part}]"))
    }
}

/// Tells each field that another dialect left in `extras`. `path` is where the node stood; empty is the request.
pub(super) fn tell_extras(losses: &mut Losses, path: &str, extras: &Extras) {
    // `null` says nothing, whatever the field would mean.
    for (name, raw) in extras.foreign_to(HOME).iter().filter(|(_, raw)| raw.get() != "null") {
        let field = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let weight = if path.is_empty() { Weight::of_unmodelled(name) } else { Weight::Hint };
        tell_leaves(losses, &field, raw.get(), weight);
    }
}

/// Tells each leaf of a value, so that the list says what was in it.
pub(super) fn tell_leaves(losses: &mut Losses, path: &str, json: &str, weight: Weight) {
    let mut found = BTreeSet::new();
    if let Ok(raw) = serde_json::from_str(json) {
        leaves(path.to_owned(), raw, 8, &mut found);
    }
    if found.is_empty() && weight == Weight::Meaning {
        found.insert(path.to_owned());
    }
    for field in found {
        match weight {
            Weight::Hint => losses.hint(field, "Anthropic has no such field"),
            Weight::Meaning => losses.meaning(field, "Anthropic has nothing like it"),
        }
    }
}

/// Elements of a list are told as one, or a long list would be a long story. Below `depth` all is one leaf.
/// `null` is nothing in every dialect, so leaving it out loses nothing.
fn leaves(path: String, raw: &RawValue, depth: usize, found: &mut BTreeSet<String>) {
    let text = raw.get();
    if text == "null" {
        return;
    }
    if depth > 0 && text.starts_with('{') {
        let fields = Fields::read(raw).unwrap_or_default();
        if !fields.is_empty() {
            for (name, value) in fields.rest() {
                if let Ok(value) = serde_json::from_str(value.get()) {
                    leaves(format!("{path}.{name}"), value, depth - 1, found);
                }
            }
            return;
        }
    }
    if depth > 0 && text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        for item in &items {
            leaves(format!("{path}[]"), item, depth - 1, found);
        }
        if !items.is_empty() {
            return;
        }
    }
    found.insert(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_named_once() {
        let mut losses = Losses::default();
        let json = r#"{"a":{"b":"x","c":[{"d":1},{"d":2}]},"e":{},"f":null}"#;
        tell_leaves(&mut losses, "tools[0]", json, Weight::Hint);
        let fields: Vec<_> = losses.all().iter().map(|loss| loss.field.as_str()).collect();
        assert_eq!(fields, ["tools[0].a.b", "tools[0].a.c[].d", "tools[0].e"]);
    }

    #[test]
    fn settings_are_named_as_the_client_names_them() {
        assert_eq!(setting(Dialect::Gemini, "frequency_penalty"), "generationConfig.frequencyPenalty");
        assert_eq!(setting(Dialect::OpenaiChat, "frequency_penalty"), "frequency_penalty");
        assert_eq!(Place::turn(Dialect::Gemini, 2).part(1).field("text"), "contents[2].parts[1].text");
        let noted = Extras::new(Dialect::Gemini, Vec::new()).with("mime_type");
        let spelt = Place::turn(Dialect::Gemini, 0).spelt(&noted, "fileData.mimeType");
        assert_eq!(spelt, "contents[0].fileData.mime_type");
    }
}

//! Telling losses, in the words of the client's own language as far as the hub knows them.

use catalogue::Dialect;

use super::HOME;
use crate::hub::{Extras, Part};
use crate::json::{Fields, RawJson};
use crate::loss::{Losses, Weight};

const NO_PLACE: &str = "Gemini has no place for it";

/// The losses of one translation.
#[derive(Debug)]
pub(super) struct Tell {
    /// What was told.
    pub(super) losses: Losses,
    client: Option<Dialect>,
}

impl Tell {
    /// For a request or answer that was written in the dialect of `extras`.
    pub(super) fn new(extras: &Extras) -> Self {
        Self { losses: Losses::default(), client: extras.dialect }
    }

    /// The path of a turn. `systems`: turns before it that stood outside of the client's list.
    pub(super) fn turn(&self, at: usize, systems: usize) -> String {
        let (list, at) = match self.client {
            Some(Dialect::OpenaiResponses) => ("input", at.saturating_sub(systems)),
            Some(Dialect::Anthropic) => ("messages", at.saturating_sub(systems)),
            Some(HOME) => ("contents", at.saturating_sub(systems)),
            Some(Dialect::OpenaiCompletions) => ("prompt", at),
            Some(Dialect::OpenaiChat) | None => ("messages", at),
        };
        format!("{list}[{at}]")
    }

    /// The client's word for a medium's name.
    pub(super) fn media_name(&self) -> &'static str {
        if self.client == Some(Dialect::Anthropic) { "title" } else { "filename" }
    }

    /// The client's word for the person who asks.
    pub(super) fn user(&self) -> &'static str {
        if self.client == Some(Dialect::Anthropic) { "metadata.user_id" } else { "user (safety_identifier)" }
    }

    pub(super) fn hint(&mut self, field: impl Into<String>, note: &'static str) {
        self.losses.hint(field, note);
    }

    pub(super) fn meaning(&mut self, field: impl Into<String>, note: &'static str) {
        self.losses.meaning(field, note);
    }

    /// Fields of another dialect. Those of the whole request may change its meaning.
    pub(super) fn extras(&mut self, path: &str, extras: &Extras) {
        for (name, raw) in extras.foreign_to(HOME) {
            if !matches!(name.as_str(), "usage" | "usageMetadata") {
                let weight = if path.is_empty() { Weight::of_unmodelled(name) } else { Weight::Hint };
                self.value(&join(path, name), raw, (weight, NO_PLACE));
            }
        }
    }

    /// Whatever of a block stands beside its body: a cache hint, sources, fields.
    pub(super) fn beside(&mut self, path: &str, part: &Part) {
        if let Some(cache) = &part.cache {
            let field = if cache.ttl.is_some() { "cache_control.ttl" } else { "cache_control" };
            self.hint(join(path, field), "Gemini caches by itself");
        }
        self.extras(path, &part.extras);
    }

    /// The sources that a text of the history names.
    pub(super) fn citations(&mut self, path: &str, part: &Part) {
        for (at, citation) in part.citations.iter().enumerate() {
            let path = format!("{path}.citations[{at}]");
            let known = [
                ("url", citation.url.is_some()),
                ("title", citation.title.is_some()),
                ("cited_text", citation.quote.is_some()),
                ("span", citation.span.is_some()),
            ];
            for (field, _) in known.into_iter().filter(|(_, is_there)| *is_there) {
                self.hint(join(&path, field), "sources of earlier answers are not sent back");
            }
            self.extras(&path, &citation.extras);
        }
    }

    /// A block or tool that only its own dialect knows.
    pub(super) fn foreign(&mut self, path: &str, raw: &RawJson) {
        self.value(path, raw, (Weight::Meaning, "only its own provider knows it"));
    }

    /// A value of any shape: one loss for each of its leaves, so that none is lost in silence.
    pub(super) fn value(&mut self, path: &str, raw: &RawJson, how: (Weight, &'static str)) {
        self.leaves(path, raw.get(), how, DEEPEST);
    }

    fn leaves(&mut self, path: &str, json: &str, (weight, note): (Weight, &'static str), depth: usize) {
        // `null` says nothing.
        if json == "null" {
            return;
        }
        if let Some(fields) = Fields::parse(json).filter(|fields| depth > 0 && !fields.is_empty()) {
            for (name, raw) in fields.rest() {
                self.leaves(&join(path, &name), raw.get(), (weight, note), depth - 1);
            }
            return;
        }
        // Of a list, the objects in it; plain values bear the name of the list.
        let items: Vec<&serde_json::value::RawValue> =
            if json.starts_with('[') { serde_json::from_str(json).unwrap_or_default() } else { Vec::new() };
        let mut objects = items
            .iter()
            .enumerate()
            .filter(|(_, raw)| depth > 0 && raw.get().starts_with(['{', '[']))
            .peekable();
        if objects.peek().is_some() {
            for (at, raw) in objects {
                self.leaves(&format!("{path}[{at}]"), raw.get(), (weight, note), depth - 1);
            }
            return;
        }
        match weight {
            Weight::Hint => self.losses.hint(path, note),
            Weight::Meaning => self.losses.meaning(path, note),
        }
    }
}

/// Deeper values are told by the name of the value that holds them.
const DEEPEST: usize = 12;

/// A field of an object; the path of the whole request is empty.
pub(super) fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

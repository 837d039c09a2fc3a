//! How what completions have no place for is told: by the names of all that was in it.

use super::HOME;
use crate::dialects::chat;
use crate::hub::{Body, Extras, Part};
use crate::json::RawJson;
use crate::loss::{Losses, Weight};

const NO_FIELD: &str = "completions have no such field";
const NO_TEXT: &str = "a completion goes on from plain text only";

/// Tells the fields of another dialect that stood at `place` of a request. At the top some change its meaning.
pub(super) fn tell(losses: &mut Losses, extras: &Extras, place: &str) {
    for (name, raw) in extras.foreign_to(HOME) {
        let weight = if place.is_empty() { Weight::of_unmodelled(name) } else { Weight::Hint };
        tell_value(losses, &join(place, name), raw, (weight, NO_FIELD));
    }
}

/// Tells a value, leaf by leaf.
pub(super) fn tell_value(
    losses: &mut Losses,
    place: &str,
    json: &RawJson,
    (weight, note): (Weight, &'static str),
) {
    for leaf in chat::leaves(place, json) {
        match weight {
            Weight::Hint => losses.hint(leaf, note),
            Weight::Meaning => losses.meaning(leaf, note),
        }
    }
}

/// The same of an answer, where the names of the fields are enough. Every dialect keeps its own spelling of the usage,
/// and the hub has it too.
pub(super) fn tell_briefly(losses: &mut Losses, extras: &Extras, place: &str) {
    for (name, raw) in extras.foreign_to(HOME) {
        if raw.get() != "null" && name != "usage" && name != "usageMetadata" {
            losses.hint(join(place, name), NO_FIELD);
        }
    }
}

/// Tells a block that is no text.
pub(super) fn tell_part(losses: &mut Losses, part: &Part, place: &str) {
    match &part.body {
        Body::Text(_) | Body::Refusal(_) => {}
        Body::Thinking { .. } => losses.hint(place, NO_TEXT),
        Body::Foreign { json, .. } => tell_value(losses, place, json, (Weight::Meaning, NO_TEXT)),
        Body::Media(_) | Body::ToolCall { .. } | Body::ToolResult { .. } => losses.meaning(place, NO_TEXT),
    }
}

/// Tells what stands beside the body of a block.
pub(super) fn tell_beside(losses: &mut Losses, part: &Part, place: &str) {
    tell(losses, &part.extras, place);
    if let Some(cache) = &part.cache {
        let leaf = if cache.ttl.is_some() { "cache_control.ttl" } else { "cache_control" };
        losses.hint(join(place, leaf), "providers of completions cache by themselves");
    }
    if !part.citations.is_empty() {
        losses.hint(join(place, "annotations"), "a prompt names no sources");
    }
}

fn join(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

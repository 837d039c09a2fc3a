//! `generationConfig`, read.
//!
//! Source: ai.google.dev/api/generate-content#GenerationConfig (read 2026-11-21).

use super::node::{Name, Node};
use super::{HOME, schema};
use crate::hub::{Effort, Extras, Format, Reasoning, Request};

pub(super) const CONFIG: Name = ("generationConfig", "generation_config");
pub(super) const MAX_OUTPUT: Name = ("maxOutputTokens", "max_output_tokens");
pub(super) const TEMPERATURE: Name = ("temperature", "temperature");
pub(super) const TOP_P: Name = ("topP", "top_p");
pub(super) const TOP_K: Name = ("topK", "top_k");
pub(super) const SEED: Name = ("seed", "seed");
pub(super) const PRESENCE: Name = ("presencePenalty", "presence_penalty");
pub(super) const FREQUENCY: Name = ("frequencyPenalty", "frequency_penalty");
pub(super) const STOP: Name = ("stopSequences", "stop_sequences");
pub(super) const CANDIDATES: Name = ("candidateCount", "candidate_count");
pub(super) const WANTS_LOGPROBS: Name = ("responseLogprobs", "response_logprobs");
pub(super) const LOGPROBS: Name = ("logprobs", "logprobs");
pub(super) const MIME: Name = ("responseMimeType", "response_mime_type");
pub(super) const SCHEMA: Name = ("responseSchema", "response_schema");
pub(super) const JSON_SCHEMA: Name = ("responseJsonSchema", "response_json_schema");
pub(super) const THINKING: Name = ("thinkingConfig", "thinking_config");
pub(super) const BUDGET: Name = ("thinkingBudget", "thinking_budget");
pub(super) const LEVEL: Name = ("thinkingLevel", "thinking_level");
pub(super) const THOUGHTS: Name = ("includeThoughts", "include_thoughts");

/// The steps of thinking by their names.
pub(super) const LEVELS: [(&str, Effort); 4] =
    [("minimal", Effort::Minimal), ("low", Effort::Low), ("medium", Effort::Medium), ("high", Effort::High)];

pub(super) fn generation_config<'a>(node: &mut Node<'a>, request: &mut Request) {
    let Some(mut config) = node.object(CONFIG) else { return };
    node.note("generationConfig:there");
    request.max_output = config.number(MAX_OUTPUT);
    let sampling = &mut request.sampling;
    sampling.temperature = config.raw(TEMPERATURE);
    sampling.top_p = config.raw(TOP_P);
    sampling.top_k = config.raw(TOP_K);
    sampling.seed = config.raw(SEED);
    sampling.presence_penalty = config.raw(PRESENCE);
    sampling.frequency_penalty = config.raw(FREQUENCY);
    sampling.stop = config.strings(STOP).unwrap_or_default();
    sampling.n = config.number(CANDIDATES);
    sampling.logprobs = logprobs(&mut config);
    request.format = format(&mut config);
    request.reasoning = config.object(THINKING).map(reasoning);
    node.absorb("generationConfig", config);
}

/// `responseLogprobs` asks for them, `logprobs` says how many; alone, that one means nothing and stays.
fn logprobs(config: &mut Node<'_>) -> Option<u64> {
    let wanted = config.flag(WANTS_LOGPROBS)?;
    if !wanted {
        config.note("responseLogprobs:false");
        return None;
    }
    let count = config.number(LOGPROBS);
    config.note_if(count.is_some(), "logprobs:there");
    Some(count.unwrap_or(0))
}

/// A schema without the type for JSON is refused by Google, so it is none, and stays.
fn format(config: &mut Node<'_>) -> Option<Format> {
    match config.peek(MIME)?.as_str() {
        "application/json" => {
            config.string(MIME);
            Some(json_format(config))
        }
        "text/plain" => {
            config.string(MIME);
            Some(Format::Text)
        }
        _ => None,
    }
}

fn json_format(config: &mut Node<'_>) -> Format {
    let schema = config.raw(JSON_SCHEMA).or_else(|| {
        let schema = config.raw(SCHEMA)?;
        config.note("responseSchema");
        let (schema, notes) = schema::read(schema);
        notes.into_iter().for_each(|note| config.note(note));
        Some(schema)
    });
    let Some(schema) = schema else { return Format::Json };
    let extras = Extras::new(HOME, Vec::new());
    Format::Schema { name: None, description: None, schema, strict: None, extras }
}

/// A budget of -1, which leaves it to the model, is no count and stays.
fn reasoning(mut node: Node<'_>) -> Reasoning {
    let budget = node.number(BUDGET);
    let effort = node.string(LEVEL).map(|level| {
        let small = level.to_ascii_lowercase();
        let known = LEVELS.into_iter().find(|(name, _)| *name == small);
        let is_large = level == small.to_ascii_uppercase();
        match known.filter(|_| is_large || level == small) {
            Some((_, effort)) => {
                node.note_if(is_large, "thinkingLevel:large");
                effort
            }
            None => Effort::Other(level),
        }
    });
    let shows = node.flag(THOUGHTS);
    node.note_if(shows == Some(false), "includeThoughts:false");
    let summary = (shows == Some(true)).then(|| "auto".to_owned());
    Reasoning { effort, budget, summary, extras: node.extras() }
}

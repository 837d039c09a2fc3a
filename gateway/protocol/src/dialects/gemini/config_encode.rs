//! `generationConfig`, written.

use super::config_decode::{
    BUDGET, CANDIDATES, CONFIG, FREQUENCY, JSON_SCHEMA, LEVEL, LEVELS, LOGPROBS, MAX_OUTPUT, MIME, PRESENCE,
    SCHEMA, SEED, STOP, TEMPERATURE, THINKING, THOUGHTS, TOP_K, TOP_P, WANTS_LOGPROBS,
};
use super::model::is_before_gemini_3;
use super::node::{Name, is_home, key, own, under};
use super::tell::Tell;
use super::{HOME, schema};
use crate::dialects::shows;
use crate::hub::{Body, Effort, Extras, Format, Part, Reasoning, Request};
use crate::json::{Writer, string};

pub(super) fn generation_config(request: &Request, tell: &mut Tell, body: &mut Writer<'_>) {
    let mut out = String::new();
    let mut config = Writer::object(&mut out);
    sampling(request, tell, &mut config);
    if let Some(format) = &request.format {
        write_format(format, request, tell, &mut config);
    }
    if let Some(reasoning) = &request.reasoning {
        write_reasoning(reasoning, request, tell, &mut config);
    }
    media_resolution(request, tell, &mut config);
    for (name, raw) in under(&request.extras, "generationConfig") {
        config.raw(name, raw.get());
    }
    config.end();
    if out != "{}" || request.extras.notes(HOME, "generationConfig:there") {
        body.raw(key(&request.extras, CONFIG), &out);
    }
}

fn sampling(request: &Request, tell: &mut Tell, config: &mut Writer<'_>) {
    let (sampling, extras) = (&request.sampling, &request.extras);
    let counts = [(MAX_OUTPUT, request.max_output), (CANDIDATES, sampling.n)];
    for (name, count) in counts {
        if let Some(count) = count {
            config.number(key(extras, name), count);
        }
    }
    let numbers = [
        (TEMPERATURE, &sampling.temperature),
        (TOP_P, &sampling.top_p),
        (TOP_K, &sampling.top_k),
        (SEED, &sampling.seed),
        (PRESENCE, &sampling.presence_penalty),
        (FREQUENCY, &sampling.frequency_penalty),
    ];
    for (name, raw) in numbers {
        config.raw_if(key(extras, name), raw.as_ref());
    }
    if sampling.logit_bias.is_some() {
        tell.hint("logit_bias", "Gemini has no such setting");
    }
    stop(&sampling.stop, extras, tell, config);
    if let Some(count) = sampling.logprobs {
        config.flag(key(extras, WANTS_LOGPROBS), true);
        if count > 0 || extras.notes(HOME, "logprobs:there") {
            config.number(key(extras, LOGPROBS), count);
        }
    } else if extras.notes(HOME, "responseLogprobs:false") {
        config.flag(key(extras, WANTS_LOGPROBS), false);
    }
}

/// At most five. Source: ai.google.dev/api/generate-content#GenerationConfig (read 2026-11-21).
fn stop(texts: &[String], extras: &Extras, tell: &mut Tell, config: &mut Writer<'_>) {
    const MOST: usize = 5;
    if texts.is_empty() {
        return;
    }
    let sent = if is_home(extras) { texts.len() } else { MOST };
    if texts.len() > sent {
        tell.meaning("stop[5] (stop_sequences)", "Gemini takes at most five");
    }
    config.list_of(key(extras, STOP), texts.iter().take(sent), |out, text| out.push_str(&string(text)));
}

/// JSON schemas go in the field that takes them as they are.
/// Source: ai.google.dev/api/generate-content#GenerationConfig (read 2026-11-21).
fn write_format(format: &Format, request: &Request, tell: &mut Tell, config: &mut Writer<'_>) {
    let request_extras = &request.extras;
    let mime = if *format == Format::Text { "text/plain" } else { "application/json" };
    config.string(key(request_extras, MIME), mime);
    let Format::Schema { name, description, schema, strict, extras } = format else { return };
    if request_extras.notes(HOME, "responseSchema") {
        config.raw(key(request_extras, SCHEMA), schema::spelt(schema, request_extras).get());
    } else {
        config.raw(key(request_extras, JSON_SCHEMA), schema.get());
    }
    let path = "response_format.json_schema";
    for (field, is_there) in [("name", name.is_some()), ("description", description.is_some())] {
        if is_there {
            tell.hint(format!("{path}.{field}"), "Gemini takes the schema only");
        }
    }
    if *strict == Some(false) {
        tell.hint(format!("{path}.strict"), "Gemini always holds the schema");
    }
    tell.extras(path, extras);
}

/// Other dialects say of each picture how closely to look. All of Google's models take one word for the whole
/// request, so the closest look counts.
/// Source: ai.google.dev/gemini-api/docs/media-resolution (read 2026-11-25).
fn media_resolution(request: &Request, tell: &mut Tell, config: &mut Writer<'_>) {
    let details: Vec<&str> = request.turns.iter().flat_map(|turn| &turn.parts).filter_map(detail).collect();
    let is_low = !details.is_empty() && details.iter().all(|detail| *detail == "low");
    let (wanted, level) = match details.contains(&"high") {
        true => ("high", Some("MEDIA_RESOLUTION_HIGH")),
        false if is_low => ("low", Some("MEDIA_RESOLUTION_LOW")),
        // Where a picture leaves it to the model, so does the request.
        false => ("auto", None),
    };
    if details.iter().any(|detail| *detail != wanted) && details.iter().any(|detail| *detail != "auto") {
        tell.hint("detail", "Gemini has one resolution for the whole request");
    }
    config.string_if("mediaResolution", level);
}

/// `auto` is what is done without a word.
fn detail(part: &Part) -> Option<&str> {
    match &part.body {
        Body::Media(media) => Some(media.detail.as_deref().unwrap_or("auto")),
        _ => None,
    }
}

fn write_reasoning(reasoning: &Reasoning, request: &Request, tell: &mut Tell, config: &mut Writer<'_>) {
    let extras = &reasoning.extras;
    tell.extras("reasoning", extras);
    config.nested(key(&request.extras, THINKING), |thinking| {
        if is_home(extras) {
            as_it_stood(reasoning, thinking);
        } else {
            match thinking_of(reasoning, is_before_gemini_3(&request.model), tell) {
                Some(Thinking::Budget(tokens)) => _ = thinking.number(BUDGET.0, tokens),
                Some(Thinking::Level(level)) => _ = thinking.string(LEVEL.0, level),
                None => {}
            }
        }
        if reasoning.summary.as_deref().is_some_and(|summary| summary != "auto") {
            tell.hint("reasoning.summary", "Gemini has one kind of summary");
        }
        if reasoning.summary.is_some() || (!is_home(extras) && shows::is_wanted(request, reasoning)) {
            thinking.flag(key(extras, THOUGHTS), true);
        } else if extras.notes(HOME, "includeThoughts:false") {
            thinking.flag(key(extras, THOUGHTS), false);
        }
        thinking.all(own(extras, &[]));
    });
}

fn as_it_stood(reasoning: &Reasoning, thinking: &mut Writer<'_>) {
    let name = |name: Name| key(&reasoning.extras, name);
    if let Some(budget) = reasoning.budget {
        thinking.number(name(BUDGET), budget);
    }
    match &reasoning.effort {
        Some(Effort::Other(level)) => _ = thinking.string(name(LEVEL), level),
        Some(effort) => {
            let level = level_of(effort).0;
            let is_large = reasoning.extras.notes(HOME, "thinkingLevel:large");
            let level = if is_large { level.to_ascii_uppercase() } else { level.to_owned() };
            thinking.string(name(LEVEL), &level);
        }
        None => {}
    }
}

/// Google refuses both at once.
#[derive(Debug)]
enum Thinking {
    Budget(u64),
    Level(&'static str),
}

/// A budget says more than a step, but Gemini 3 cannot think not at all.
fn thinking_of(reasoning: &Reasoning, is_old: bool, tell: &mut Tell) -> Option<Thinking> {
    if let Some(Effort::Other(_)) = reasoning.effort {
        tell.hint("reasoning_effort", "no step that Gemini knows");
    }
    match (&reasoning.effort, reasoning.budget) {
        (_, Some(0)) if !is_old => {
            tell.hint("thinking.budget_tokens", "Gemini 3 always thinks, so as little as all its models can");
            Some(Thinking::Level("low"))
        }
        (None | Some(Effort::Other(_)), Some(tokens)) => Some(Thinking::Budget(tokens)),
        (Some(_), Some(tokens)) if is_old => {
            tell.hint("reasoning_effort", "the budget is sent instead");
            Some(Thinking::Budget(tokens))
        }
        (None | Some(Effort::Other(_)), None) => None,
        (Some(effort), budget) => {
            if budget.is_some() {
                tell.hint("thinking.budget_tokens", "the step is sent instead");
            }
            Some(step(effort, is_old, tell))
        }
    }
}

/// Steps as levels, or for models before Gemini 3 as tokens.
fn step(effort: &Effort, is_old: bool, tell: &mut Tell) -> Thinking {
    let (level, tokens) = level_of(effort);
    match effort {
        Effort::None if !is_old => {
            tell.hint("reasoning_effort", "Gemini 3 always thinks, so as little as all its models can");
        }
        Effort::XHigh | Effort::Max => tell.hint("reasoning_effort", "Gemini's highest step is `high`"),
        _ => {}
    }
    if is_old { Thinking::Budget(tokens) } else { Thinking::Level(level) }
}

/// The table of Google's own OpenAI endpoint. `minimal` is known to some Flash models only, `low` to all, so
/// that is what `none` becomes.
///
/// Sources: the levels of each model in docs.cloud.google.com/vertex-ai/generative-ai/docs/thinking; the tokens
/// as Google told them of its OpenAI endpoint (feedback.typingmind.com/p/easy-as-pie-update-support-reasoning-effort-none-low-medium);
/// read 2026-11-21.
fn level_of(effort: &Effort) -> (&'static str, u64) {
    let tokens = match effort {
        Effort::None => return ("low", 0),
        Effort::Minimal | Effort::Low => 1024,
        Effort::Medium | Effort::Other(_) => 8192,
        Effort::High | Effort::XHigh | Effort::Max => 24_576,
    };
    let level = LEVELS.iter().find(|(_, known)| known == effort).map_or("high", |(level, _)| *level);
    (level, tokens)
}

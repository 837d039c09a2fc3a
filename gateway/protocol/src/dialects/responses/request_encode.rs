//! Writes a request: the fields of [`super::request_decode`], and for requests of other dialects what makes this
//! API answer as theirs do.

use catalogue::{Dialect, Setting};

use super::context::Context;
use super::settings::{self, IN_TEXT};
use super::{HOME, is_home, item_encode, notes, segments, tools, words};
use crate::dialects::openai;
use crate::dialects::spelling::spelt;
use crate::dialects::taker::{self, taken};
use crate::hub::{Body, Effort, Request, Role, Sampling, Turn};
use crate::json::{RawJson, Writer};
use crate::loss::Encoded;

/// Writes a request.
#[must_use]
pub fn encode_request(request: &Request) -> Encoded {
    let mut context = Context::request(request.extras.dialect);
    let mut body = String::new();
    let mut object = Writer::object(&mut body);
    if !request.extras.notes(HOME, notes::NO_MODEL) {
        object.string("model", &request.model);
    }
    write_turns(&mut object, request, &mut context);
    write_tools(&mut object, request, &mut context);
    let sampling = taker::sampling(HOME, request, &mut context.losses);
    write_settings(&mut object, request, &sampling, &mut context);
    if !is_home(&request.extras) {
        write_foreign(&mut object, request, &sampling, &mut context);
    }
    object.all(request.extras.of(HOME).iter().filter(|(name, _)| !name.starts_with(IN_TEXT)));
    object.end();
    tell_unknown(request, &mut context);
    Encoded { body, losses: context.losses }
}

fn write_turns(object: &mut Writer<'_>, request: &Request, context: &mut Context) {
    let mut items = Vec::new();
    let mut whole_input = None;
    let outside = outside(request);
    for (index, turn) in request.turns.iter().enumerate() {
        let path = words::turn(context.from, index, outside);
        match only_text(turn) {
            Some(text) if turn.extras.notes(HOME, notes::INSTRUCTIONS) => {
                object.string("instructions", text);
            }
            Some(text) if turn.extras.notes(HOME, notes::INPUT_STRING) => whole_input = Some(text),
            _ => write_turn(turn, &path, &mut items, context),
        }
    }
    match whole_input {
        Some(text) if items.is_empty() => {
            object.string("input", text);
        }
        _ if request.extras.notes(HOME, notes::NO_INPUT) => {}
        _ => {
            object.list_of("input", items, |out, item| out.push_str(&item));
        }
    }
}

/// How many turns the client wrote outside its list: a system prompt, or our `instructions`.
fn outside(request: &Request) -> usize {
    let is_outside = |turn: &&Turn| match request.extras.dialect {
        Some(Dialect::Anthropic | Dialect::Gemini) => turn.role == Role::System,
        _ => turn.extras.notes(HOME, notes::INSTRUCTIONS),
    };
    request.turns.iter().take_while(is_outside).count()
}

fn only_text(turn: &Turn) -> Option<&str> {
    match turn.parts.as_slice() {
        [part] => match &part.body {
            Body::Text(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn write_turn(turn: &Turn, path: &str, items: &mut Vec<String>, context: &mut Context) {
    context.tell(path, &turn.extras);
    for segment in segments::of_turn(&turn.parts, &turn.extras) {
        // A signed call is sent without the signature of another provider.
        for (at, part) in &segment.parts {
            if let Body::ToolCall { seal: Some(seal), .. } = &part.body {
                let word = spelt(words::seal(context.from, seal), &part.extras);
                let place = words::part(context.from, path, *at);
                context.losses.hint(format!("{place}.{word}"), "sealed by another provider");
            }
        }
        items.extend(item_encode::write(&segment, turn.role, path, context));
    }
}

fn write_tools(object: &mut Writer<'_>, request: &Request, context: &mut Context) {
    let list = request.tools.iter().enumerate();
    let written: Vec<_> =
        list.filter_map(|(at, tool)| tools::write(tool, &format!("tools[{at}]"), context)).collect();
    if !written.is_empty() || request.extras.notes(HOME, notes::NO_TOOLS) {
        object.list_of("tools", written, |out, tool| out.push_str(&tool));
    }
    let choice = request.tool_choice.as_ref().and_then(|choice| tools::write_choice(choice, context));
    if let Some(choice) = choice {
        object.raw("tool_choice", &choice);
    }
    if let Some(parallel) = request.parallel_tools {
        object.flag("parallel_tool_calls", parallel);
    }
}

fn write_settings(object: &mut Writer<'_>, request: &Request, sampling: &Sampling, context: &mut Context) {
    if let Some(most) = request.max_output {
        object.number("max_output_tokens", most);
    }
    object.raw_if("temperature", sampling.temperature.as_ref());
    object.raw_if("top_p", sampling.top_p.as_ref());
    if let Some(logprobs) = sampling.logprobs {
        object.number("top_logprobs", logprobs);
    }
    settings::write_text(object, request, context);
    let reasoning = request.reasoning.as_ref();
    let reasoning = taken(HOME, request, Setting::ReasoningEffort, reasoning, &mut context.losses);
    if let Some(reasoning) = reasoning {
        settings::write_reasoning(object, reasoning, context);
    }
    if request.stream || request.extras.notes(HOME, notes::STREAM_FALSE) {
        object.flag("stream", request.stream);
    }
    let user = openai::user(request, &mut context.losses);
    object.string_if("user", user).raw_if("metadata", request.metadata.as_ref());
    object.string_if("service_tier", request.service_tier.as_deref());
    object.string_if("prompt_cache_key", request.cache_key.as_deref());
    object.string_if("prompt_cache_retention", request.cache_retention.as_deref());
    if let Some(store) = request.store {
        object.flag("store", store);
    }
}

/// Other dialects do not keep answers unless asked, hand back sealed thoughts themselves, and ask for
/// probabilities by one field. Source: platform.openai.com/docs/guides/migrate-to-responses, read 2026-11-21.
fn write_foreign(object: &mut Writer<'_>, request: &Request, sampling: &Sampling, context: &mut Context) {
    if request.store.is_none() {
        object.flag("store", false);
    }
    let mut include = Vec::new();
    if thinks(request) {
        include.push(r#""reasoning.encrypted_content""#);
    }
    if sampling.logprobs.is_some() {
        include.push(r#""message.output_text.logprobs""#);
    }
    if !include.is_empty() {
        object.list_of("include", include, |out, what| out.push_str(what));
    }
    object.all(same_in_chat(request));
    tell_sampling(request, sampling, context);
    let is_prefill = request.extras.dialect == Some(Dialect::Anthropic)
        && request.turns.last().is_some_and(|turn| turn.role == Role::Assistant);
    if is_prefill {
        let path = words::turn(context.from, request.turns.len() - 1, outside(request));
        context
            .losses
            .meaning(format!("{path}.content"), "the model answers anew and does not go on from it");
    }
}

/// A model that does not think refuses to be asked for its sealed thoughts.
fn thinks(request: &Request) -> bool {
    let asked = request.reasoning.as_ref();
    asked.is_some_and(|asked| asked.effort != Some(Effort::None) && asked.budget != Some(0))
        || request
            .turns
            .iter()
            .flat_map(|turn| &turn.parts)
            .any(|part| matches!(&part.body, Body::Thinking { seal: Some(seal), .. } if seal.dialect == HOME))
}

/// A field of chat that has the same name and meaning here.
const SAME_IN_CHAT: &str = "safety_identifier";

fn same_in_chat(request: &Request) -> impl Iterator<Item = &(String, RawJson)> {
    request.extras.of(Dialect::OpenaiChat).iter().filter(|(name, _)| name == SAME_IN_CHAT)
}

fn tell_sampling(request: &Request, sampling: &Sampling, context: &mut Context) {
    let word = |chat| spelt(words::setting(request.extras.dialect, chat), &request.extras);
    if !sampling.stop.is_empty() {
        context.losses.meaning(word("stop"), "the API has no texts that end an answer");
    }
    if sampling.n.is_some_and(|n| n != 1) {
        context.losses.meaning(word("n"), "the API gives one answer");
    }
    let hints = [
        ("top_k", &sampling.top_k),
        ("seed", &sampling.seed),
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
        ("logit_bias", &sampling.logit_bias),
    ];
    for (name, value) in hints {
        if value.is_some() {
            context.losses.hint(word(name), "the API has no such setting");
        }
    }
}

fn tell_unknown(request: &Request, context: &mut Context) {
    let mut extras = request.extras.clone();
    if extras.dialect == Some(Dialect::OpenaiChat) {
        extras.fields.retain(|(name, _)| name != SAME_IN_CHAT);
    }
    context.tell("", &extras);
}

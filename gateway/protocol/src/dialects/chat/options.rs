//! The plain settings of a request: limits, sampling, stream, and who asks.

use catalogue::{Habit, Setting};

use super::ways::{CHAT, Node, has, nested};
use crate::dialects::openai;
use crate::dialects::taker::{self, taken};
use crate::hub::{Extras, Request, Sampling};
use crate::json::Writer;
use crate::loss::Losses;

/// Takes the settings. Where a setting has two names, the newer one counts and the other stays an extra.
pub(super) fn decode(node: &mut Node<'_>, request: &mut Request) {
    request.max_output = named(node, "max_completion_tokens", |node, key| node.fields.take_u64(key))
        .or_else(|| node.fields.take_u64("max_tokens"));
    request.user = node
        .fields
        .take_string("user")
        .or_else(|| named(node, "safety_identifier", |n, key| n.fields.take_string(key)));
    request.sampling = sampling(node);
    stream(node, request);
}

/// Takes a setting by its rarer name, and notes that.
fn named<T>(
    node: &mut Node<'_>,
    key: &'static str,
    take: impl FnOnce(&mut Node<'_>, &str) -> Option<T>,
) -> Option<T> {
    let value = take(node, key)?;
    node.note(key);
    Some(value)
}

fn sampling(node: &mut Node<'_>) -> Sampling {
    Sampling {
        temperature: node.fields.take_raw("temperature"),
        top_p: node.fields.take_raw("top_p"),
        top_k: node.fields.take_raw("top_k"),
        // Mistral's name for it: docs.mistral.ai/api, as recorded by 2026-11-21.
        seed: node
            .fields
            .take_raw("seed")
            .or_else(|| named(node, "random_seed", |n, key| n.fields.take_raw(key))),
        frequency_penalty: node.fields.take_raw("frequency_penalty"),
        presence_penalty: node.fields.take_raw("presence_penalty"),
        logit_bias: node.fields.take_raw("logit_bias"),
        stop: stop(node),
        n: node.fields.take_u64("n"),
        logprobs: logprobs(node),
    }
}

fn stop(node: &mut Node<'_>) -> Vec<String> {
    if let Some(one) = node.fields.take_string("stop") {
        node.note("stop:string");
        return vec![one];
    }
    let all: Option<Vec<String>> =
        node.fields.get("stop").and_then(|raw| serde_json::from_str(raw.get()).ok());
    if all.is_some() {
        node.fields.take("stop");
    }
    all.unwrap_or_default()
}

/// `top_logprobs` counts only beside `logprobs: true`.
fn logprobs(node: &mut Node<'_>) -> Option<u64> {
    if !node.fields.take_bool("logprobs")? {
        node.note("logprobs:false");
        return None;
    }
    let top = node.fields.take_u64("top_logprobs");
    if top == Some(0) {
        node.note("top_logprobs:0");
    }
    Some(top.unwrap_or(0))
}

fn stream(node: &mut Node<'_>, request: &mut Request) {
    match node.fields.take_bool("stream") {
        Some(false) => node.note("stream:false"),
        said => request.stream = said == Some(true),
    }
    let asked = node.fields.get("stream_options").and_then(crate::json::Fields::read);
    let Some(mut asked) = asked else { return };
    let Some(usage) = asked.take_bool("include_usage") else { return };
    node.fields.take("stream_options");
    request.stream_usage = usage;
    if !usage {
        node.note("include_usage:false");
    }
    node.keep_rest("stream_options", asked);
}

pub(super) fn encode(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let extras = &request.extras;
    if let Some(limit) = request.max_output {
        let rare = ("max_completion_tokens", Habit::MaxCompletionTokens);
        object.number(habitual(request, rare, "max_tokens"), limit);
    }
    let user = taken(CHAT, request, Setting::User, request.user.as_deref(), losses);
    let user = user.and_then(|_| openai::user(request, losses));
    object.string_if(either(extras, "safety_identifier", "user"), user);
    write_sampling(object, request, losses);
    write_stream(object, request);
}

/// The name that was used, or for requests of other dialects the one that the model wants.
fn habitual(request: &Request, (rare, habit): (&'static str, Habit), usual: &'static str) -> &'static str {
    let is_home = request.extras.dialect == Some(CHAT);
    if !is_home && request.quirks.has(habit) { rare } else { either(&request.extras, rare, usual) }
}

/// The name that was used, where it was the rarer one.
fn either(extras: &Extras, rare: &'static str, usual: &'static str) -> &'static str {
    if extras.notes(CHAT, rare) { rare } else { usual }
}

fn write_sampling(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let (sampling, extras) = (taker::sampling(CHAT, request, losses), &request.extras);
    object.raw_if("temperature", sampling.temperature.as_ref());
    object.raw_if("top_p", sampling.top_p.as_ref()).raw_if("top_k", sampling.top_k.as_ref());
    object.raw_if(habitual(request, ("random_seed", Habit::RandomSeed), "seed"), sampling.seed.as_ref());
    object.raw_if("frequency_penalty", sampling.frequency_penalty.as_ref());
    object.raw_if("presence_penalty", sampling.presence_penalty.as_ref());
    object.raw_if("logit_bias", sampling.logit_bias.as_ref());
    match sampling.stop.as_slice() {
        [] => {}
        [one] if extras.notes(CHAT, "stop:string") => {
            object.string("stop", one);
        }
        all => {
            object.list_of("stop", all, |out, text| out.push_str(&crate::json::string(text)));
        }
    }
    if let Some(n) = sampling.n {
        object.number("n", n);
    }
    if let Some(top) = sampling.logprobs {
        object.flag("logprobs", true);
        if top > 0 || extras.notes(CHAT, "top_logprobs:0") {
            object.number("top_logprobs", top);
        }
    } else if extras.notes(CHAT, "logprobs:false") {
        object.flag("logprobs", false);
    }
}

/// A provider refuses `stream_options` without `stream`, so they are made only for a stream.
fn write_stream(object: &mut Writer<'_>, request: &Request) {
    let extras = &request.extras;
    if request.stream || extras.notes(CHAT, "stream:false") {
        object.flag("stream", request.stream);
    }
    let is_home = extras.dialect == Some(CHAT);
    // Where it may not be asked for, it is told unasked: leaving it out loses nothing.
    let may_ask = !taker::refuses(CHAT, request, Setting::StreamOptions);
    let usage = request.stream_usage && (request.stream || is_home) && may_ask;
    if usage || extras.notes(CHAT, "include_usage:false") {
        object.nested("stream_options", |asked| {
            asked.flag("include_usage", usage).all(&nested(extras, "stream_options"));
        });
    } else if has(extras, "stream_options") {
        object.all(extras.of(CHAT).iter().filter(|(name, _)| name == "stream_options"));
    }
}

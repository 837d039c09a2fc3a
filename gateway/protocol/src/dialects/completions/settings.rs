//! The plain settings of a request, both ways: limits, sampling, stream, and who asks.
//! Source: platform.openai.com/docs/api-reference/completions/create, as recorded by 2026-11-21.

use catalogue::Setting;

use super::HOME;
use super::node::{Node, kept};
use crate::dialects::openai;
use crate::dialects::taker::{self, taken};
use crate::hub::{Request, Sampling};
use crate::json::{Fields, Writer, string};
use crate::loss::Losses;

/// The limit where a client of another language sets none. Without one, OpenAI and vLLM stop after 16 tokens, which is
/// no answer; with a high one, they refuse prompts that leave less room.
/// Source: platform.openai.com/docs/api-reference/completions/create (`max_tokens`), as recorded by 2026-11-21.
const MAX_TOKENS: u64 = 1024;

/// `stream_options` said whether to tell the usage; what else it said is kept as the extra of that name.
const OPTIONS: &str = "stream_options:usage";

/// Takes the settings.
pub(super) fn decode(node: &mut Node<'_>, request: &mut Request) {
    request.max_output = node.fields.take_u64("max_tokens");
    request.user = node.fields.take_string("user");
    request.sampling = Sampling {
        temperature: node.fields.take_raw("temperature"),
        top_p: node.fields.take_raw("top_p"),
        top_k: node.fields.take_raw("top_k"),
        seed: node.fields.take_raw("seed"),
        frequency_penalty: node.fields.take_raw("frequency_penalty"),
        presence_penalty: node.fields.take_raw("presence_penalty"),
        logit_bias: node.fields.take_raw("logit_bias"),
        stop: stop(node),
        n: node.fields.take_u64("n"),
        logprobs: node.fields.take_u64("logprobs"),
    };
    stream(node, request);
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

fn stream(node: &mut Node<'_>, request: &mut Request) {
    match node.fields.take_bool("stream") {
        Some(false) => node.note("stream:false"),
        said => request.stream = said == Some(true),
    }
    let asked = node.fields.get("stream_options").and_then(Fields::read);
    let Some(mut asked) = asked else { return };
    let Some(usage) = asked.take_bool("include_usage") else { return };
    node.fields.take("stream_options");
    request.stream_usage = usage;
    node.note(OPTIONS);
    if !asked.is_empty() {
        node.keep_rest("stream_options", asked);
    }
}

/// Writes the settings.
pub(super) fn encode(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let is_home = request.extras.dialect == Some(HOME);
    if let Some(limit) = request.max_output.or((!is_home).then_some(MAX_TOKENS)) {
        object.number("max_tokens", limit);
    }
    let user = openai::user(request, losses);
    object.string_if("user", taken(HOME, request, Setting::User, user, losses));
    write_sampling(object, request, losses);
    if request.stream || request.extras.notes(HOME, "stream:false") {
        object.flag("stream", request.stream);
    }
    write_options(object, request);
}

/// A provider refuses `stream_options` without `stream`, so they are made only for a stream.
fn write_options(object: &mut Writer<'_>, request: &Request) {
    let rest = kept(&request.extras, "stream_options");
    let is_noted = request.extras.notes(HOME, OPTIONS);
    let may_ask = !taker::refuses(HOME, request, Setting::StreamOptions);
    let is_made = request.extras.dialect != Some(HOME) && request.stream && request.stream_usage && may_ask;
    if is_noted || is_made {
        object.nested("stream_options", |asked| {
            asked.flag("include_usage", request.stream_usage);
            let rest = rest.and_then(|rest| Fields::parse(rest.get())).map(Fields::rest);
            asked.all(&rest.unwrap_or_default());
        });
    } else {
        object.raw_if("stream_options", rest);
    }
}

fn write_sampling(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let sampling = taker::sampling(HOME, request, losses);
    object.raw_if("temperature", sampling.temperature.as_ref()).raw_if("top_p", sampling.top_p.as_ref());
    object.raw_if("top_k", sampling.top_k.as_ref()).raw_if("seed", sampling.seed.as_ref());
    object.raw_if("frequency_penalty", sampling.frequency_penalty.as_ref());
    object.raw_if("presence_penalty", sampling.presence_penalty.as_ref());
    object.raw_if("logit_bias", sampling.logit_bias.as_ref());
    match sampling.stop.as_slice() {
        [] => {}
        [one] if request.extras.notes(HOME, "stop:string") => {
            object.string("stop", one);
        }
        all => {
            object.list_of("stop", all, |out, text| out.push_str(&string(text)));
        }
    }
    for (name, count) in [("n", sampling.n), ("logprobs", sampling.logprobs)] {
        if let Some(count) = count {
            object.number(name, count);
        }
    }
}

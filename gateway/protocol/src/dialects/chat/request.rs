//! The body of a request. Messages are in `turns.rs` (reading) and `messages.rs` (writing).

use super::losses::tell;
use super::ways::{Blank, CHAT, Node, has, write_blanks};
use super::{format, messages, options, reasoning, tool_choice, tools, turns};
use catalogue::{Dialect, Setting};

use crate::dialects::DecodeError;
use crate::dialects::taker::taken;
use crate::hub::Request;
use crate::json::Writer;
use crate::loss::{Encoded, Losses};

const BLANKS: [Blank; 3] = [
    Blank("tools", "[]", "tools:[]"),
    Blank("functions", "[]", "functions:[]"),
    Blank("stop", "[]", "stop:[]"),
];

pub(super) fn decode(body: &str) -> Result<Request, DecodeError> {
    let Some(mut node) = Node::parse(body) else {
        return Err(DecodeError::new("", "the body must be a JSON object"));
    };
    let Some(messages) = node.fields.take_list("messages") else {
        return Err(DecodeError::new("messages", "must be a list"));
    };
    let turns = messages.into_iter().enumerate().map(|(at, raw)| turns::decode(at, raw));
    let mut request = Request { turns: turns.collect::<Result<_, _>>()?, ..Request::default() };
    node.blanks(&BLANKS);
    request.model = node.fields.take_string("model").unwrap_or_default();
    request.tools = tools::decode(&mut node);
    request.tool_choice = tool_choice::decode(&mut node);
    request.parallel_tools = node.fields.take_bool("parallel_tool_calls");
    request.format = format::decode(&mut node);
    request.reasoning = reasoning::decode(&mut node);
    options::decode(&mut node, &mut request);
    request.metadata = node.fields.take_raw("metadata");
    request.service_tier = node.fields.take_string("service_tier");
    request.cache_key = node.fields.take_string("prompt_cache_key");
    request.cache_retention = node.fields.take_string("prompt_cache_retention");
    request.verbosity = node.fields.take_string("verbosity");
    request.store = node.fields.take_bool("store");
    request.extras = node.tagged();
    Ok(request)
}

pub(super) fn encode(request: &Request) -> Encoded {
    let mut losses = Losses::default();
    let mut body = String::new();
    let mut object = Writer::object(&mut body);
    if !has(&request.extras, "model") {
        object.string("model", &request.model);
    }
    object.field("messages", |out| messages::encode(out, request, &mut losses));
    tools::encode(&mut object, request, &mut losses);
    tool_choice::encode(&mut object, request, &mut losses);
    format::encode(&mut object, request, &mut losses);
    reasoning::encode(&mut object, request, &mut losses);
    options::encode(&mut object, request, &mut losses);
    object.raw_if("metadata", request.metadata.as_ref());
    tier(&mut object, request, &mut losses);
    object.string_if("prompt_cache_key", request.cache_key.as_deref());
    let retention = request.cache_retention.as_deref();
    let retention = taken(CHAT, request, Setting::PromptCacheRetention, retention, &mut losses);
    object.string_if("prompt_cache_retention", retention);
    let verbosity = taken(CHAT, request, Setting::Verbosity, request.verbosity.as_deref(), &mut losses);
    object.string_if("verbosity", verbosity);
    if let Some(store) = taken(CHAT, request, Setting::Store, request.store, &mut losses) {
        object.flag("store", store);
    }
    write_blanks(&mut object, &request.extras, &BLANKS);
    object.all(request.extras.of(CHAT).iter().filter(|(name, _)| name != "stream_options"));
    object.end();
    tell(&mut losses, &request.extras, "");
    Encoded { body, losses }
}

/// A tier that OpenAI does not have would be refused.
/// Source: openai-go (ChatCompletionServiceTier), read 2026-11-21.
fn tier(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let tier = taken(CHAT, request, Setting::ServiceTier, request.service_tier.as_deref(), losses);
    let Some(tier) = tier else { return };
    let is_home = request.extras.dialect == Some(CHAT);
    if is_home || matches!(tier, "auto" | "default" | "flex" | "scale" | "priority") {
        object.string("service_tier", tier);
    } else {
        let is_gemini = request.extras.dialect == Some(Dialect::Gemini);
        let field = if is_gemini { "serviceTier" } else { "service_tier" };
        losses.hint(field, "chat completions have no such tier");
    }
}

//! A request, written. `contents_encode.rs` has the turns, `config_encode.rs` `generationConfig`,
//! `tools_encode.rs` the tools.

use super::contents_encode::{self, Contents};
use super::node::{is_home, key, own};
use super::request_decode::{SERVICE_TIER, SYSTEM};
use super::tell::{Tell, join};
use super::{config_encode, tools_encode};
use crate::hub::{Request, Role, Turn};
use crate::json::{Fields, Writer};
use crate::loss::Encoded;

/// The objects inside a request, as dotted names begin.
const INNER: &[&str] = &["generationConfig", "toolConfig", "functionCallingConfig"];

/// Writes a request, without the model and whether to stream: these are in the path.
#[must_use]
pub fn encode_request(request: &Request) -> Encoded {
    let extras = &request.extras;
    let mut tell = Tell::new(extras);
    let mut out = String::new();
    let mut body = Writer::object(&mut out);
    if extras.notes(super::HOME, "model:body") {
        body.string("model", &request.model);
    }
    let (head, rest) = request.turns.split_at(heads(&request.turns));
    if !head.is_empty() {
        body.field(key(extras, SYSTEM), |out| contents_encode::system(head, &mut tell, out));
    }
    let mut contents = Contents::new(request, head.len());
    for turn in rest {
        contents.turn(turn, &mut tell);
    }
    body.field("contents", |out| contents.finish(&mut tell, out));
    tools_encode::tools(request, &mut tell, &mut body);
    tools_encode::tool_config(request, &mut tell, &mut body);
    config_encode::generation_config(request, &mut tell, &mut body);
    service_tier(request, &mut tell, &mut body);
    leftovers(request, &mut tell);
    body.all(own(extras, INNER));
    body.end();
    Encoded { body: out, losses: tell.losses }
}

/// How many turns come before the conversation begins. Instructions alone are no request to Google, so they
/// are the conversation.
fn heads(turns: &[Turn]) -> usize {
    let heads = turns.iter().take_while(|turn| matches!(turn.role, Role::System | Role::Developer)).count();
    let is_all = heads == turns.len() && !turns.iter().any(|turn| is_home(&turn.extras));
    if is_all { 0 } else { heads }
}

/// `standard` is what others call `default`.
/// Source: ai.google.dev/gemini-api/docs/flex-inference (read 2026-11-21).
fn service_tier(request: &Request, tell: &mut Tell, body: &mut Writer<'_>) {
    let Some(tier) = request.service_tier.as_deref() else { return };
    let known = match tier {
        tier if is_home(&request.extras) => Some(tier),
        "flex" | "priority" => Some(tier),
        "default" | "standard_only" => Some("standard"),
        _ => None,
    };
    body.string_if(key(&request.extras, SERVICE_TIER), known);
    if known.is_none() {
        tell.hint("service_tier", "Gemini has `standard`, `flex` and `priority`");
    }
}

/// What the hub knows and Gemini does not.
fn leftovers(request: &Request, tell: &mut Tell) {
    if request.user.is_some() {
        tell.hint(tell.user(), "Gemini is not told who asks");
    }
    if let Some(metadata) = &request.metadata {
        let keys = Fields::parse(metadata.get()).unwrap_or_default().rest();
        if keys.is_empty() {
            tell.hint("metadata", "Gemini keeps none");
        }
        for (name, _) in keys {
            tell.hint(join("metadata", &name), "Gemini keeps none");
        }
    }
    if request.cache_key.is_some() {
        tell.hint("prompt_cache_key", "Gemini caches by itself");
    }
    if request.cache_retention.is_some() {
        tell.hint("prompt_cache_retention", "Gemini caches by itself");
    }
    if request.verbosity.is_some() {
        tell.hint("verbosity", "Gemini has no such setting");
    }
    if request.store.is_some() {
        tell.hint("store", "Gemini keeps no answers to be fetched later");
    }
    if request.parallel_tools == Some(false) {
        tell.hint("parallel_tool_calls", "Gemini may always ask for several tools at once");
    }
    tell.extras("", &request.extras);
}

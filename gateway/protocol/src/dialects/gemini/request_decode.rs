//! A request, read. `config_decode.rs` has `generationConfig`, `tools_decode.rs` the tools.
//!
//! Source: ai.google.dev/api/generate-content (read 2026-11-21).

use serde_json::value::RawValue;

use super::node::{Name, Node};
use super::{config_decode, part_decode, tools_decode};
use crate::dialects::DecodeError;
use crate::hub::{Request, Role, Turn};
use crate::json::Fields;

pub(super) const SYSTEM: Name = ("systemInstruction", "system_instruction");
pub(super) const SERVICE_TIER: Name = ("serviceTier", "service_tier");

/// Reads a request. The model and whether to stream are in the path, so the gateway sets them.
///
/// # Errors
/// [`DecodeError`], if `contents` is no list of objects.
pub fn decode_request(body: &str) -> Result<Request, DecodeError> {
    let fields = Fields::parse(body).ok_or(DecodeError::new("", "the body must be a JSON object"))?;
    let mut node = Node::new(fields);
    let mut request = Request { stream_usage: true, ..Request::default() };
    if let Some(model) = node.fields.take_string("model") {
        request.model = model;
        node.note("model:body");
    }
    if let Some(system) = node.object(SYSTEM) {
        request.turns.push(system_turn(system));
    }
    let contents = node.list(("contents", "contents"), "contents:alone");
    let contents = contents.ok_or(DecodeError::new("contents", "must be a list of turns"))?;
    for (at, raw) in contents.into_iter().enumerate() {
        request.turns.push(turn(raw).ok_or_else(|| odd_turn(at))?);
    }
    request.service_tier = node.string(SERVICE_TIER);
    tools_decode::tools(&mut node, &mut request);
    tools_decode::tool_config(&mut node, &mut request);
    config_decode::generation_config(&mut node, &mut request);
    request.extras = node.extras();
    Ok(request)
}

fn odd_turn(at: usize) -> DecodeError {
    DecodeError::new(format!("contents[{at}]"), "must be an object with `role` and `parts`")
}

fn turn(raw: &RawValue) -> Option<Turn> {
    let mut node = Node::read(raw)?;
    let role = match node.peek(("role", "role")).as_deref() {
        Some("user") => Role::User,
        Some("model") => Role::Assistant,
        Some("function") => Role::Tool,
        // Absent is the user. A role that Google does not know stays with the extras.
        _ => {
            node.note("role:absent");
            return Some(finish(Role::User, node));
        }
    };
    node.fields.take("role");
    Some(finish(role, node))
}

/// A system prompt needs no role, but SDKs write one.
fn system_turn(mut node: Node<'_>) -> Turn {
    let role = node.peek(("role", "role"));
    let note = ["user", "model", "system"].into_iter().find(|known| role.as_deref() == Some(known));
    if let Some(note) = note {
        node.fields.take("role");
        node.note(note);
    }
    finish(Role::System, node)
}

fn finish(role: Role, mut node: Node<'_>) -> Turn {
    let parts = node.list(("parts", "parts"), "parts:alone");
    node.note_if(parts.is_none(), "parts:absent");
    let parts = parts.unwrap_or_default().into_iter().map(part_decode::decode).collect();
    Turn { role, parts, extras: node.extras() }
}

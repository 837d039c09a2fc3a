//! Messages of a request, read. `messages.rs` writes them.

use serde_json::value::RawValue;

use super::ways::Node;
use super::{calls, content, message};
use crate::dialects::DecodeError;
use crate::hub::{Body, Part, Role, Turn};
use crate::json::RawJson;

/// Reads the message at `at` of the list.
pub(super) fn decode(at: usize, raw: &RawValue) -> Result<Turn, DecodeError> {
    let Some(mut node) = Node::read(raw) else {
        return Err(DecodeError::new(format!("messages[{at}]"), "must be an object"));
    };
    let Some(role) = role(&mut node) else {
        let roles = "must be system, developer, user, assistant, tool or function";
        return Err(DecodeError::new(format!("messages[{at}].role"), roles));
    };
    let hint = node.fields.get("cache_control").map(RawJson::from);
    let cache = node.cache();
    let mut parts = match role {
        Role::Assistant => message::decode(&mut node),
        Role::Tool => vec![result(&mut node)],
        Role::System | Role::Developer | Role::User => content::decode(&mut node),
    };
    if let (Some(cache), Some(hint)) = (cache, hint) {
        // On a message it means the end of it, so it is the last block's.
        match parts.last_mut().filter(|part| part.cache.is_none()) {
            Some(last) => {
                last.cache = Some(cache);
                node.note("cache:message");
            }
            None => node.keep("cache_control", hint),
        }
    }
    Ok(Turn { role, parts, extras: node.extras() })
}

fn role(node: &mut Node<'_>) -> Option<Role> {
    let role = node.fields.take_string("role")?;
    match role.as_str() {
        "system" => Some(Role::System),
        "developer" => {
            node.note("role:developer");
            Some(Role::Developer)
        }
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        "tool" => Some(Role::Tool),
        "function" => {
            node.note("role:function");
            Some(Role::Tool)
        }
        _ => None,
    }
}

fn result(node: &mut Node<'_>) -> Part {
    let id = node.fields.get("tool_call_id").map(RawJson::from);
    let (call, seal) = calls::split_id(node.fields.take_string("tool_call_id").unwrap_or_default());
    if let (Some(_), Some(id)) = (seal, id) {
        node.keep("tool_call_id", id);
    }
    let name = node.fields.take_string("name");
    Part::new(Body::ToolResult { call, name, parts: content::decode(node), failed: false })
}

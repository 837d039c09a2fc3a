//! `tool_choice` and the older `function_call`.
//! Source: the types of openai-python and openai-go (ChatCompletionAllowedToolChoiceParam), read 2026-11-21.

use catalogue::Habit;
use serde_json::value::RawValue;

use super::losses::tell_foreign;
use super::ways::{CHAT, Node};
use crate::hub::{Request, ToolChoice};
use crate::json::{Fields, RawJson, Writer};
use crate::loss::Losses;

/// Takes the choice. One of a form that nobody models is kept as it is.
pub(super) fn decode(node: &mut Node<'_>) -> Option<ToolChoice> {
    if let Some(raw) = node.fields.get("tool_choice").filter(|raw| raw.get() != "null") {
        node.fields.take("tool_choice");
        let known = word(node, raw).or_else(|| named(node, raw)).or_else(|| allowed(raw));
        return Some(
            known.unwrap_or_else(|| ToolChoice::Foreign { dialect: CHAT, json: RawJson::from(raw) }),
        );
    }
    let choice = legacy(node.fields.get("function_call")?)?;
    node.fields.take("function_call");
    node.note("function_call");
    Some(choice)
}

fn word(node: &mut Node<'_>, raw: &RawValue) -> Option<ToolChoice> {
    match serde_json::from_str::<&str>(raw.get()).ok()? {
        "auto" => Some(ToolChoice::Auto),
        "none" => Some(ToolChoice::None),
        "required" => Some(ToolChoice::Required),
        // Mistral's word: docs.mistral.ai/capabilities/function_calling, as recorded by 2026-11-21.
        "any" => {
            node.note("tool_choice:any");
            Some(ToolChoice::Required)
        }
        _ => None,
    }
}

fn named(node: &mut Node<'_>, raw: &RawValue) -> Option<ToolChoice> {
    let mut outer = Fields::read(raw)?;
    let kind = outer.take_string("type");
    let name = function(outer)?;
    match kind {
        None => node.note("tool_choice:untyped"),
        Some(kind) if kind == "function" => {}
        Some(_) => return None,
    }
    Some(ToolChoice::Named(name))
}

/// The name in `{"function": {"name"}}` that holds nothing else.
fn function(mut outer: Fields<'_>) -> Option<String> {
    let mut inner = outer.take_object("function")?;
    let name = inner.take_string("name")?;
    (inner.is_empty() && outer.is_empty()).then_some(name)
}

fn allowed(raw: &RawValue) -> Option<ToolChoice> {
    let mut outer = Fields::read(raw)?;
    if outer.take_string("type")? != "allowed_tools" {
        return None;
    }
    let mut inner = outer.take_object("allowed_tools")?;
    let required = match inner.take_string("mode")?.as_str() {
        "auto" => false,
        "required" => true,
        _ => return None,
    };
    let tools = inner.take_list("tools")?;
    if !inner.is_empty() || !outer.is_empty() {
        return None;
    }
    let name = |raw: &RawValue| {
        let mut tool = Fields::read(raw)?;
        (tool.take_string("type")? == "function").then(|| function(tool))?
    };
    Some(ToolChoice::Allowed { required, names: tools.into_iter().map(name).collect::<Option<_>>()? })
}

fn legacy(raw: &RawValue) -> Option<ToolChoice> {
    match serde_json::from_str::<&str>(raw.get()) {
        Ok("auto") => return Some(ToolChoice::Auto),
        Ok("none") => return Some(ToolChoice::None),
        _ => {}
    }
    let mut fields = Fields::read(raw)?;
    let name = fields.take_string("name")?;
    fields.is_empty().then_some(ToolChoice::Named(name))
}

pub(super) fn encode(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let Some(choice) = &request.tool_choice else { return };
    let notes = |note| request.extras.notes(CHAT, note);
    let is_legacy = notes("function_call");
    let key = if is_legacy { "function_call" } else { "tool_choice" };
    match choice {
        ToolChoice::Auto => {
            object.string(key, "auto");
        }
        ToolChoice::None => {
            object.string(key, "none");
        }
        ToolChoice::Required if notes("tool_choice:any") || wants_any(request) => {
            object.string(key, "any");
        }
        ToolChoice::Required => {
            object.string(key, "required");
        }
        ToolChoice::Named(name) if is_legacy => {
            object.nested(key, |object| {
                object.string("name", name);
            });
        }
        ToolChoice::Named(name) => {
            object.nested(key, |object| {
                write_function(object, name, !notes("tool_choice:untyped"));
            });
        }
        ToolChoice::Allowed { required, names } => {
            object.nested(key, |object| {
                write_allowed(object, *required, names);
            });
        }
        ToolChoice::Foreign { dialect, json } if *dialect == CHAT => {
            object.raw(key, json.get());
        }
        ToolChoice::Foreign { json, .. } => {
            tell_foreign(losses, json, "tool_choice", "chat completions have no such choice");
        }
    }
}

/// Requests of the same dialect keep their own word.
fn wants_any(request: &Request) -> bool {
    request.extras.dialect != Some(CHAT) && request.quirks.has(Habit::ToolChoiceAny)
}

fn write_function(object: &mut Writer<'_>, name: &str, is_typed: bool) {
    if is_typed {
        object.string("type", "function");
    }
    object.nested("function", |inner| {
        inner.string("name", name);
    });
}

fn write_allowed(object: &mut Writer<'_>, required: bool, names: &[String]) {
    object.string("type", "allowed_tools").nested("allowed_tools", |inner| {
        inner.string("mode", if required { "required" } else { "auto" });
        inner.list_of("tools", names, |out, name| {
            let mut tool = Writer::object(out);
            write_function(&mut tool, name, true);
            tool.end();
        });
    });
}

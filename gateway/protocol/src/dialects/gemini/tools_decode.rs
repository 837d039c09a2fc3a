//! Tools and the choice of them, read. Google groups declarations into tool objects; the hub has one tool each,
//! and a note joins it to the one before.
//!
//! Source: ai.google.dev/api/caching#Tool (read 2026-11-21).

use serde_json::value::RawValue;

use super::node::{Name, Node};
use super::{HOME, schema};
use crate::hub::{Extras, Request, Search, Tool, ToolBody, ToolChoice};
use crate::json::{RawJson, string};

pub(super) const DECLARATIONS: Name = ("functionDeclarations", "function_declarations");
pub(super) const GOOGLE_SEARCH: Name = ("googleSearch", "google_search");
pub(super) const PARAMETERS: Name = ("parameters", "parameters");
pub(super) const JSON_PARAMETERS: Name = ("parametersJsonSchema", "parameters_json_schema");
pub(super) const TOOL_CONFIG: Name = ("toolConfig", "tool_config");
pub(super) const CALLING: Name = ("functionCallingConfig", "function_calling_config");
pub(super) const ALLOWED: Name = ("allowedFunctionNames", "allowed_function_names");

pub(super) fn tools(node: &mut Node<'_>, request: &mut Request) {
    let Some(list) = node.list(("tools", "tools"), "tools:alone") else { return };
    node.note_if(list.is_empty(), "tools:empty");
    for raw in list {
        let group = group(raw).unwrap_or_else(|| vec![foreign(RawJson::from(raw))]);
        request.tools.extend(group);
    }
}

fn foreign(json: RawJson) -> Tool {
    let extras = Extras::new(HOME, Vec::new());
    Tool { body: ToolBody::Foreign { dialect: HOME, json }, cache: None, extras }
}

/// The tools of one tool object; `None` if it is nothing that can be taken apart.
fn group(raw: &RawValue) -> Option<Vec<Tool>> {
    let mut node = Node::read(raw)?;
    let mut tools = Vec::new();
    if let Some(list) = node.list(DECLARATIONS, "functionDeclarations:alone") {
        if list.is_empty() {
            return None;
        }
        for raw in list {
            tools.push(function(raw)?);
        }
    }
    if let Some(options) = node.object(GOOGLE_SEARCH) {
        let mut search = Node::default();
        search.absorb("googleSearch", options);
        tools.push(Tool {
            body: ToolBody::WebSearch(Search::default()),
            cache: None,
            extras: search.extras(),
        });
    }
    let Extras { fields, notes, .. } = node.extras();
    let (absent, others): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(_, raw)| raw.get() == "null");
    for (name, raw) in others {
        tools.push(foreign(RawJson::parse(&format!("{{{}:{}}}", string(&name), raw.get()))?));
    }
    let (first, joined) = tools.split_first_mut()?;
    first.extras.fields.extend(absent);
    first.extras.notes.extend(notes);
    for tool in joined {
        tool.extras.notes.push("joined");
    }
    Some(tools)
}

fn function(raw: &RawValue) -> Option<Tool> {
    let mut node = Node::read(raw)?;
    let name = node.fields.take_string("name")?;
    let description = node.fields.take_string("description");
    let parameters = node.raw(JSON_PARAMETERS).or_else(|| {
        let parameters = node.raw(PARAMETERS)?;
        node.note("parameters");
        let (parameters, notes) = schema::read(parameters);
        notes.into_iter().for_each(|note| node.note(note));
        Some(parameters)
    });
    let mut tool = Node::default();
    tool.absorb("functionDeclarations", node);
    let body = ToolBody::Function { name, description, parameters, strict: None };
    Some(Tool { body, cache: None, extras: tool.extras() })
}

pub(super) fn tool_config<'a>(node: &mut Node<'a>, request: &mut Request) {
    let Some(mut config) = node.object(TOOL_CONFIG) else { return };
    node.note("toolConfig:there");
    if let Some(mut calling) = config.object(CALLING) {
        node.note("functionCallingConfig:there");
        request.tool_choice = choice(node, &mut calling);
        node.absorb("functionCallingConfig", calling);
    }
    node.absorb("toolConfig", config);
}

/// A mode that the hub cannot tell apart, such as `VALIDATED`, is kept besides.
fn choice<'a>(node: &mut Node<'a>, calling: &mut Node<'a>) -> Option<ToolChoice> {
    let mode = calling.peek(("mode", "mode"))?;
    let large = mode.to_ascii_uppercase();
    if !matches!(large.as_str(), "AUTO" | "NONE" | "ANY" | "VALIDATED") {
        return None;
    }
    // Beside `NONE` names mean nothing, and stay.
    let names = if large == "NONE" { None } else { calling.strings(ALLOWED) }.unwrap_or_default();
    let choice = match (large.as_str(), names.as_slice()) {
        ("NONE", _) => ToolChoice::None,
        ("ANY", []) => ToolChoice::Required,
        ("ANY", [name]) => ToolChoice::Named(name.clone()),
        (_, []) => ToolChoice::Auto,
        (required, _) => ToolChoice::Allowed { required: required == "ANY", names },
    };
    let raw = calling.fields.take_raw("mode").filter(|_| mode_of(&choice) != mode);
    if let Some(raw) = raw {
        node.keep("functionCallingConfig.mode".to_owned(), raw);
    }
    Some(choice)
}

/// The mode of a choice. Names are allowed with `ANY` and `VALIDATED` only.
/// Source: ai.google.dev/api/caching#FunctionCallingConfig (read 2026-11-21).
pub(super) fn mode_of(choice: &ToolChoice) -> &'static str {
    match choice {
        ToolChoice::Auto | ToolChoice::Foreign { .. } => "AUTO",
        ToolChoice::None => "NONE",
        ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { required: true, .. } => "ANY",
        ToolChoice::Allowed { required: false, .. } => "VALIDATED",
    }
}

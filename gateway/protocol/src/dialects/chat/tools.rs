//! `tools`, the older `functions`, and `web_search_options`.
//! Source: platform.openai.com/docs/api-reference/chat/create, as recorded by 2026-11-21.

use serde_json::value::RawValue;

use super::losses::{tell, tell_cache, tell_foreign};
use super::ways::{CHAT, Node, all_but, has, nested, write_cache};
use crate::dialects::search::{self, Known};
use crate::hub::{Extras, Request, Search, Tool, ToolBody};
use crate::json::{RawJson, Writer};
use crate::loss::Losses;

/// Takes all tools of the request, the search last.
pub(super) fn decode(node: &mut Node<'_>) -> Vec<Tool> {
    let mut tools: Vec<Tool> = node.fields.take_list("tools").into_iter().flatten().map(tool).collect();
    tools.extend(node.fields.take_list("functions").into_iter().flatten().map(legacy));
    if let Some(mut options) = node.fields.take_object("web_search_options") {
        let search = Search {
            context: options.take_string("search_context_size"),
            location: search::take_location(&mut options, Some(APPROXIMATE)),
            ..Search::default()
        };
        let mut options = Node::of(options);
        options.note("web_search_options");
        tools.push(Tool { body: ToolBody::WebSearch(search), cache: None, extras: options.extras() });
    }
    tools
}

/// The object that a place stands in.
const APPROXIMATE: &str = "approximate";

fn tool(raw: &RawValue) -> Tool {
    function(raw).unwrap_or_else(|| foreign(raw))
}

fn foreign(raw: &RawValue) -> Tool {
    let body = ToolBody::Foreign { dialect: CHAT, json: RawJson::from(raw) };
    Tool { body, cache: None, extras: Extras::default() }
}

fn function(raw: &RawValue) -> Option<Tool> {
    let mut node = Node::read(raw)?;
    match node.fields.take_string("type") {
        Some(kind) if kind == "function" => {}
        Some(_) => return None,
        None => node.note("type:none"),
    }
    let mut inner = Node::of(node.fields.take_object("function")?);
    let body = definition(&mut inner)?;
    let mut cache = node.cache();
    if cache.is_none() {
        cache = inner.cache();
        if cache.is_some() {
            node.note("cache:function");
        }
    }
    node.keep_rest("function", inner.fields);
    Some(Tool { body, cache, extras: node.extras() })
}

fn definition(node: &mut Node<'_>) -> Option<ToolBody> {
    Some(ToolBody::Function {
        name: node.fields.take_string("name")?,
        description: node.fields.take_string("description"),
        parameters: node.fields.take_raw("parameters"),
        strict: node.fields.take_bool("strict"),
    })
}

fn legacy(raw: &RawValue) -> Tool {
    let read = || {
        let mut node = Node::read(raw)?;
        let body = definition(&mut node)?;
        node.note("functions");
        Some(Tool { body, cache: None, extras: node.extras() })
    };
    read().unwrap_or_else(|| {
        let mut node = Node::default();
        node.note("functions");
        Tool { extras: node.extras(), ..foreign(raw) }
    })
}

pub(super) fn encode(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let is_home = request.extras.dialect == Some(CHAT);
    let mut tools = Vec::new();
    let mut functions = Vec::new();
    for (at, tool) in request.tools.iter().enumerate() {
        let place = format!("tools[{at}]");
        match &tool.body {
            ToolBody::WebSearch(found) => {
                write_search(object, found, &tool.extras);
                search::tell(found, &place, &[Known::Context, Known::Location], losses);
            }
            ToolBody::Foreign { dialect, json } if *dialect != CHAT => {
                tell_foreign(losses, json, &place, "chat completions do not have this tool");
                continue;
            }
            _ if tool.extras.notes(CHAT, "functions") => functions.push(tool),
            _ => tools.push(tool),
        }
        tell(losses, &tool.extras, &place);
        if !is_home {
            tell_cache(losses, tool.cache.as_ref(), &place);
        }
    }
    if !tools.is_empty() {
        object.list_of("tools", tools, |out, tool| write_tool(out, tool, is_home));
    }
    if !functions.is_empty() {
        object.list_of("functions", functions, write_legacy);
    }
    if let Some(parallel) = request.parallel_tools {
        object.flag("parallel_tool_calls", parallel);
    }
}

fn write_search(object: &mut Writer<'_>, found: &Search, extras: &Extras) {
    object.nested("web_search_options", |options| {
        options.string_if("search_context_size", found.context.as_deref());
        search::write_location(options, found.location.as_ref(), Some(APPROXIMATE));
        options.all(extras.of(CHAT));
    });
}

fn write_tool(out: &mut String, tool: &Tool, is_home: bool) {
    if let ToolBody::Foreign { json, .. } = &tool.body {
        out.push_str(json.get());
        return;
    }
    let cache = tool.cache.as_ref().filter(|_| is_home);
    let is_inner = tool.extras.notes(CHAT, "cache:function");
    let mut object = Writer::object(out);
    if !tool.extras.notes(CHAT, "type:none") && !has(&tool.extras, "type") {
        object.string("type", "function");
    }
    object.nested("function", |inner| {
        write_definition(inner, &tool.body);
        write_cache(inner, cache.filter(|_| is_inner));
        inner.all(&nested(&tool.extras, "function"));
    });
    write_cache(&mut object, cache.filter(|_| !is_inner));
    object.all(all_but(&tool.extras, "function"));
    object.end();
}

fn write_legacy(out: &mut String, tool: &Tool) {
    if let ToolBody::Foreign { json, .. } = &tool.body {
        out.push_str(json.get());
        return;
    }
    let mut object = Writer::object(out);
    write_definition(&mut object, &tool.body);
    object.all(tool.extras.of(CHAT));
    object.end();
}

fn write_definition(object: &mut Writer<'_>, body: &ToolBody) {
    let ToolBody::Function { name, description, parameters, strict } = body else { return };
    object.string("name", name).string_if("description", description.as_deref());
    object.raw_if("parameters", parameters.as_ref());
    if let Some(strict) = strict {
        object.flag("strict", *strict);
    }
}

//! Tools and the choice of them, written.

use super::HOME;
use super::model::is_before_gemini_3;
use super::node::{is_home, key, own, under};
use super::schema;
use super::tell::Tell;
use super::tools_decode::{
    ALLOWED, CALLING, DECLARATIONS, GOOGLE_SEARCH, JSON_PARAMETERS, PARAMETERS, TOOL_CONFIG, mode_of,
};
use crate::dialects::search;
use crate::hub::{Extras, Request, Tool, ToolBody, ToolChoice};
use crate::json::{Fields, Writer, string};

/// The objects inside a tool object, as dotted names begin.
const INNER: &[&str] = &["functionDeclarations", "googleSearch"];

pub(super) fn tools(request: &Request, tell: &mut Tell, body: &mut Writer<'_>) {
    for (at, tool) in request.tools.iter().enumerate() {
        losses(&format!("tools[{at}]"), tool, tell);
    }
    let notes = |note| request.extras.notes(HOME, note);
    let groups = groups(&request.tools);
    if groups.is_empty() && !notes("tools:empty") {
        return;
    }
    let mut written = groups.iter().map(|group| {
        let mut out = String::new();
        write_group(group, &mut out);
        out
    });
    if notes("tools:alone") && groups.len() == 1 {
        body.raw("tools", &written.next().unwrap_or_default());
    } else {
        body.list_of("tools", written, |out, group| out.push_str(&group));
    }
}

fn losses(path: &str, tool: &Tool, tell: &mut Tell) {
    if let Some(cache) = &tool.cache {
        let field = if cache.ttl.is_some() { "cache_control.ttl" } else { "cache_control" };
        tell.hint(format!("{path}.{field}"), "Gemini caches by itself");
    }
    tell.extras(path, &tool.extras);
    match &tool.body {
        ToolBody::Function { strict: Some(true), .. } => {
            tell.hint(format!("{path}.strict"), "Gemini holds the schema as well as it can");
        }
        ToolBody::Foreign { dialect, json } if *dialect != HOME => tell.foreign(path, json),
        ToolBody::WebSearch(found) => search::tell(found, path, &[], &mut tell.losses),
        _ => {}
    }
}

/// The tools by the tool object they stand in. All functions of another dialect are one object's.
fn groups(tools: &[Tool]) -> Vec<Vec<&Tool>> {
    let mut groups: Vec<Vec<&Tool>> = Vec::new();
    for tool in tools {
        let is_foreign = matches!(&tool.body, ToolBody::Foreign { dialect, .. } if *dialect != HOME);
        if is_foreign {
            continue;
        }
        let joins = |group: &Vec<&Tool>| {
            let are_foreign_functions = is_loose(tool) && group.iter().all(|tool| is_loose(tool));
            are_foreign_functions || tool.extras.notes(HOME, "joined")
        };
        match groups.last_mut().filter(|group| joins(group)) {
            Some(group) => group.push(tool),
            None => groups.push(vec![tool]),
        }
    }
    groups
}

/// A function that came in no tool object of Google's.
fn is_loose(tool: &Tool) -> bool {
    !is_home(&tool.extras) && matches!(tool.body, ToolBody::Function { .. })
}

fn write_group(group: &[&Tool], out: &mut String) {
    let first = group.first().map(|tool| tool.extras.clone()).unwrap_or_default();
    let functions: Vec<_> =
        group.iter().filter(|tool| matches!(tool.body, ToolBody::Function { .. })).collect();
    if let ([tool], Some(ToolBody::Foreign { json, .. })) = (group, group.first().map(|tool| &tool.body))
        && tool.extras.fields.is_empty()
    {
        out.push_str(json.get());
        return;
    }
    let mut object = Writer::object(out);
    match functions.as_slice() {
        [] => {}
        [one] if first.notes(HOME, "functionDeclarations:alone") => {
            object.field(key(&first, DECLARATIONS), |out| write_function(one, out));
        }
        all => _ = object.list_of(key(&first, DECLARATIONS), all, |out, tool| write_function(tool, out)),
    }
    for tool in group {
        write_other(tool, &first, &mut object);
        object.all(own(&tool.extras, INNER));
    }
    object.end();
}

/// What is no function.
fn write_other(tool: &Tool, first: &Extras, object: &mut Writer<'_>) {
    match &tool.body {
        ToolBody::Function { .. } => {}
        ToolBody::WebSearch(_) => {
            object.nested(key(first, GOOGLE_SEARCH), |search| {
                for (name, raw) in under(&tool.extras, "googleSearch") {
                    search.raw(name, raw.get());
                }
            });
        }
        ToolBody::Foreign { json, .. } => {
            object.all(&Fields::parse(json.get()).unwrap_or_default().rest());
        }
    }
}

/// `parametersJsonSchema` takes any JSON schema; `parameters` is Google's own kind of schema.
/// Source: ai.google.dev/api/caching#FunctionDeclaration (read 2026-11-21).
fn write_function(tool: &Tool, out: &mut String) {
    let ToolBody::Function { name, description, parameters, .. } = &tool.body else { return };
    let extras = &tool.extras;
    let mut function = Writer::object(out);
    function.string("name", name).string_if("description", description.as_deref());
    if let Some(parameters) = parameters {
        if extras.notes(HOME, "parameters") {
            function.raw(PARAMETERS.0, schema::spelt(parameters, extras).get());
        } else {
            function.raw(key(extras, JSON_PARAMETERS), parameters.get());
        }
    }
    for (name, raw) in under(extras, "functionDeclarations") {
        function.raw(name, raw.get());
    }
    function.end();
}

pub(super) fn tool_config(request: &Request, tell: &mut Tell, body: &mut Writer<'_>) {
    let extras = &request.extras;
    let mut out = String::new();
    let mut config = Writer::object(&mut out);
    if let Some(calling) = calling_config(request, tell) {
        config.raw(key(extras, CALLING), &calling);
    }
    if mixes_tools(request) {
        config.flag("includeServerSideToolInvocations", true);
    }
    for (name, raw) in under(extras, "toolConfig") {
        config.raw(name, raw.get());
    }
    config.end();
    if out != "{}" || extras.notes(HOME, "toolConfig:there") {
        body.raw(key(extras, TOOL_CONFIG), &out);
    }
}

/// Whether Google's search and functions stand together: since Gemini 3 they may, if the request says so.
/// Source: ai.google.dev/gemini-api/docs/tool-combination (read 2026-11-21).
fn mixes_tools(request: &Request) -> bool {
    let has_search = request.tools.iter().any(|tool| matches!(tool.body, ToolBody::WebSearch(_)));
    !is_home(&request.extras)
        && !is_before_gemini_3(&request.model)
        && has_search
        && request.tools.iter().any(is_loose)
}

fn calling_config(request: &Request, tell: &mut Tell) -> Option<String> {
    let extras = &request.extras;
    let choice = match &request.tool_choice {
        Some(ToolChoice::Foreign { json, .. }) => {
            tell.foreign("tool_choice", json);
            None
        }
        choice => choice.as_ref(),
    };
    if choice.is_none() && !extras.notes(HOME, "functionCallingConfig:there") {
        return None;
    }
    let mut out = String::new();
    let mut calling = Writer::object(&mut out);
    let is_kept = under(extras, "functionCallingConfig").any(|(name, _)| name == "mode");
    if let Some(choice) = choice.filter(|_| !is_kept) {
        calling.string("mode", mode_of(choice));
    }
    let names = match choice {
        Some(ToolChoice::Named(name)) => std::slice::from_ref(name),
        Some(ToolChoice::Allowed { names, .. }) => names.as_slice(),
        _ => &[],
    };
    if !names.is_empty() {
        calling.list_of(key(extras, ALLOWED), names, |out, name| out.push_str(&string(name)));
    }
    for (name, raw) in under(extras, "functionCallingConfig") {
        calling.raw(name, raw.get());
    }
    calling.end();
    Some(out)
}

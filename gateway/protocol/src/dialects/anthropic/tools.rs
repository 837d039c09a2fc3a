//! Tools and the choice among them.
//!
//! Source: platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools and …/web-search-tool, and
//! `types/tool_param.py` of the Python SDK, read 2026-11-21.

use catalogue::Dialect;
use serde_json::value::RawValue;

use super::place::{tell_extras, tell_leaves};
use super::plain::{is_home, keep_rest, take_cache, write_cache, write_extras, write_merged};
use super::{HOME, notes};
use crate::dialects::search::{self, Known};
use crate::hub::{Extras, Request, Search, Tool, ToolBody, ToolChoice};
use crate::json::{Fields, RawJson, Writer};
use crate::loss::{Losses, Weight};

/// The versions of the web search tool that are known. The first is what others' web search becomes: it needs
/// no other tool and works on all models.
const WEB_SEARCH: [&str; 3] = ["web_search_20250305", "web_search_20260209", "web_search_20260318"];

/// Reads `tools`.
pub(super) fn read_all(fields: &mut Fields<'_>, notes: &mut Vec<&'static str>) -> Vec<Tool> {
    let Some(list) = fields.take_list("tools") else { return Vec::new() };
    if list.is_empty() {
        notes.push(notes::TOOLS_EMPTY);
    }
    list.into_iter().map(read).collect()
}

fn read(raw: &RawValue) -> Tool {
    function(raw).or_else(|| web_search(raw)).unwrap_or_else(|| Tool {
        body: ToolBody::Foreign { dialect: HOME, json: RawJson::from(raw) },
        cache: None,
        extras: Extras::default(),
    })
}

fn function(raw: &RawValue) -> Option<Tool> {
    let mut fields = Fields::read(raw)?;
    let mut notes = Vec::new();
    match fields.get("type").map(RawValue::get) {
        None | Some("null") => {}
        Some("\"custom\"") => {
            fields.take("type");
            notes.push(notes::TYPE_CUSTOM);
        }
        Some(_) => return None,
    }
    let body = ToolBody::Function {
        name: fields.take_string("name")?,
        description: fields.take_string("description"),
        parameters: fields.take_raw("input_schema"),
        strict: fields.take_bool("strict"),
    };
    let cache = take_cache(&mut fields);
    Some(Tool { body, cache, extras: Extras { notes, ..Extras::new(HOME, fields.rest()) } })
}

/// The version is a note where it is known, else an extra like all options.
fn web_search(raw: &RawValue) -> Option<Tool> {
    let mut fields = Fields::read(raw)?;
    let version: String = serde_json::from_str(fields.get("type")?.get()).ok()?;
    if !version.starts_with("web_search_") {
        return None;
    }
    let known = WEB_SEARCH.into_iter().find(|known| *known == version);
    if known.is_some() {
        fields.take("type");
    }
    if fields.get("name").map(RawValue::get) == Some("\"web_search\"") {
        fields.take("name");
    }
    let cache = take_cache(&mut fields);
    let notes = known.into_iter().collect();
    let search = Search {
        context: None,
        location: search::take_location(&mut fields, None),
        allowed: search::take_domains(&mut fields, "allowed_domains"),
        blocked: search::take_domains(&mut fields, "blocked_domains"),
        max_uses: fields.take_u64("max_uses"),
    };
    Some(Tool {
        body: ToolBody::WebSearch(search),
        cache,
        extras: Extras { notes, ..Extras::new(HOME, fields.rest()) },
    })
}

/// What `tool_choice` says.
#[derive(Default)]
pub(super) struct Choice {
    pub(super) choice: Option<ToolChoice>,
    pub(super) parallel: Option<bool>,
    pub(super) kept: Option<(String, RawJson)>,
}

/// Reads `tool_choice`.
pub(super) fn read_choice(fields: &mut Fields<'_>) -> Choice {
    let Some(raw) = fields.get("tool_choice") else { return Choice::default() };
    let Some(mut object) = Fields::read(raw) else { return Choice::default() };
    fields.take_any("tool_choice");
    let choice = match object.take_string("type").as_deref() {
        Some("auto") => ToolChoice::Auto,
        Some("any") => ToolChoice::Required,
        Some("none") => ToolChoice::None,
        Some("tool") if object.get("name").is_some_and(|name| name.get().starts_with('"')) => {
            ToolChoice::Named(object.take_string("name").unwrap_or_default())
        }
        _ => {
            let choice = ToolChoice::Foreign { dialect: HOME, json: RawJson::from(raw) };
            return Choice { choice: Some(choice), ..Choice::default() };
        }
    };
    let parallel = object.take_bool("disable_parallel_tool_use").map(|disabled| !disabled);
    let mut kept = Vec::new();
    keep_rest(&mut kept, "tool_choice", object.rest(), true);
    Choice { choice: Some(choice), parallel, kept: kept.pop() }
}

/// Writes `tools`.
pub(super) fn write_all(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let sendable: Vec<_> = request
        .tools
        .iter()
        .enumerate()
        .filter(|(at, tool)| is_sendable(*at, tool, request, losses))
        .collect();
    if !sendable.is_empty() || request.extras.notes(HOME, notes::TOOLS_EMPTY) {
        object.list_of("tools", sendable, |out, (at, tool)| write(out, at, tool, losses));
    }
}

/// Whether the API has such a tool, and the client's choice leaves it in.
fn is_ours(tool: &Tool, request: &Request) -> bool {
    match (&tool.body, &request.tool_choice) {
        (ToolBody::Foreign { dialect, .. }, _) => *dialect == HOME,
        (ToolBody::Function { name, .. }, Some(ToolChoice::Allowed { names, .. })) => names.contains(name),
        _ => true,
    }
}

fn is_sendable(at: usize, tool: &Tool, request: &Request, losses: &mut Losses) -> bool {
    if is_ours(tool, request) {
        return true;
    }
    let path = format!("tools[{at}]");
    tell_extras(losses, &path, &tool.extras);
    match &tool.body {
        ToolBody::Foreign { json, .. } => tell_leaves(losses, &path, json.get(), Weight::Meaning),
        // Anthropic has no list of allowed tools. To the model, a tool it may not use and one it does not know
        // are the same; only the prompt cache minds.
        ToolBody::Function { parameters, .. } => {
            for name in ["name", "description"] {
                losses.hint(format!("{path}.{name}"), "left out: the choice of tools does not allow it");
            }
            if let Some(schema) = parameters {
                tell_leaves(losses, &format!("{path}.parameters"), schema.get(), Weight::Hint);
            }
        }
        ToolBody::WebSearch(_) => {}
    }
    false
}

fn write(out: &mut String, at: usize, tool: &Tool, losses: &mut Losses) {
    tell_extras(losses, &format!("tools[{at}]"), &tool.extras);
    if let ToolBody::Foreign { json, .. } = &tool.body {
        out.push_str(json.get());
        return;
    }
    let at_home = is_home(&tool.extras);
    let mut object = Writer::object(out);
    match &tool.body {
        ToolBody::Function { name, description, parameters, strict } => {
            if tool.extras.notes(HOME, notes::TYPE_CUSTOM) {
                object.string("type", "custom");
            }
            object.string("name", name).string_if("description", description.as_deref());
            match parameters {
                Some(schema) => object.raw("input_schema", schema.get()),
                // Required; without one there are no arguments.
                None if !at_home => object.raw("input_schema", r#"{"type":"object","properties":{}}"#),
                None => &mut object,
            };
            if let Some(strict) = strict.filter(|strict| at_home || *strict) {
                object.flag("strict", strict);
            }
        }
        ToolBody::WebSearch(found) => {
            write_web_search(&mut object, found, &tool.extras);
            let known = [Known::Location, Known::Allowed, Known::Blocked, Known::MaxUses];
            search::tell(found, &format!("tools[{at}]"), &known, losses);
        }
        ToolBody::Foreign { .. } => {}
    }
    write_cache(&mut object, tool.cache.as_ref());
    write_extras(&mut object, &tool.extras, &[]);
    object.end();
}

fn write_web_search(object: &mut Writer<'_>, found: &Search, extras: &Extras) {
    let given = |key: &str| extras.of(HOME).iter().any(|(name, _)| name == key);
    let [default, ..] = WEB_SEARCH;
    if !given("type") {
        let noted = WEB_SEARCH.into_iter().find(|version| extras.notes(HOME, version));
        object.string("type", noted.unwrap_or(default));
    }
    if !given("name") {
        object.string("name", "web_search");
    }
    search::write_location(object, found.location.as_ref(), None);
    search::write_domains(object, "allowed_domains", found.allowed.as_ref());
    search::write_domains(object, "blocked_domains", found.blocked.as_ref());
    if let Some(most) = found.max_uses {
        object.number("max_uses", most);
    }
}

/// Writes `tool_choice`. The API takes none without tools, and `auto` is the default.
pub(super) fn write_choice(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let at_home = is_home(&request.extras);
    let disable = request.parallel_tools.map(|parallel| !parallel);
    if request.tool_choice.is_none() && disable != Some(true) {
        return;
    }
    if !at_home && !request.tools.iter().any(|tool| is_ours(tool, request)) {
        tell_choice_without_tools(request, losses);
        return;
    }
    let (kind, name) = match &request.tool_choice {
        None | Some(ToolChoice::Auto) => ("auto", None),
        Some(ToolChoice::None) => ("none", None),
        Some(ToolChoice::Required) => ("any", None),
        Some(ToolChoice::Named(name)) => ("tool", Some(name)),
        Some(ToolChoice::Allowed { required, names }) => {
            tell_unknown(names, request, losses);
            (if *required { "any" } else { "auto" }, None)
        }
        Some(ToolChoice::Foreign { dialect: HOME, json }) => {
            object.raw("tool_choice", json.get());
            return;
        }
        Some(ToolChoice::Foreign { json, .. }) => {
            tell_leaves(losses, "tool_choice", json.get(), Weight::Meaning);
            return;
        }
    };
    write_merged(object, "tool_choice", &request.extras, |object| {
        object.string("type", kind).string_if("name", name.map(String::as_str));
        if let Some(disable) = disable.filter(|_| at_home || kind != "none") {
            object.flag("disable_parallel_tool_use", disable);
        }
    });
}

fn tell_choice_without_tools(request: &Request, losses: &mut Losses) {
    const WHY: &str = "there are no tools to choose from";
    match &request.tool_choice {
        Some(ToolChoice::Required) => losses.hint("tool_choice", WHY),
        Some(ToolChoice::Named(_)) => losses.hint("tool_choice.name", WHY),
        Some(ToolChoice::Allowed { names, .. }) => tell_unknown(names, request, losses),
        Some(ToolChoice::Foreign { json, .. }) => {
            tell_leaves(losses, "tool_choice", json.get(), Weight::Hint)
        }
        None | Some(ToolChoice::Auto | ToolChoice::None) => {}
    }
}

/// Allowed tools that are none of the request's.
fn tell_unknown(names: &[String], request: &Request, losses: &mut Losses) {
    let is_known = |wanted: &String| {
        request
            .tools
            .iter()
            .any(|tool| matches!(&tool.body, ToolBody::Function { name, .. } if name == wanted))
    };
    for (at, _) in names.iter().enumerate().filter(|(_, name)| !is_known(name)) {
        let field = if request.extras.dialect == Some(Dialect::Gemini) {
            format!("toolConfig.functionCallingConfig.allowedFunctionNames[{at}]")
        } else {
            format!("tool_choice.allowed_tools.tools[{at}].name")
        };
        losses.hint(field, "there is no such tool");
    }
}

//! `tools` and `tool_choice`, both ways. Functions are flat here: no object `function` around them.

use serde_json::value::RawValue;

use super::context::Context;
use super::{HOME, has, is_home, notes, words};
use crate::dialects::search::{self, Known};
use crate::hub::{Extras, Search, Tool, ToolBody, ToolChoice};
use crate::json::{self, Fields, RawJson, Writer};

/// Reads a tool. Those that the provider runs are foreign, but for the search of the web.
pub(super) fn read(raw: &RawValue) -> Tool {
    Fields::read(raw).and_then(known).unwrap_or_else(|| {
        let body = ToolBody::Foreign { dialect: HOME, json: RawJson::from(raw) };
        Tool { body, cache: None, extras: Extras::new(HOME, Vec::new()) }
    })
}

fn known(mut fields: Fields<'_>) -> Option<Tool> {
    let kind = fields.take_string("type")?;
    if kind == "function" {
        let body = ToolBody::Function {
            name: fields.take_string("name")?,
            description: fields.take_string("description"),
            parameters: fields.take_raw("parameters"),
            strict: fields.take_bool("strict"),
        };
        return Some(Tool { body, cache: None, extras: Extras::new(HOME, fields.rest()) });
    }
    let note = notes::SEARCHES.into_iter().find(|known| *known == kind)?;
    let search = read_search(&mut fields);
    let extras = Extras::new(HOME, fields.rest()).with(note);
    Some(Tool { body: ToolBody::WebSearch(search), cache: None, extras })
}

/// Source: platform.openai.com/docs/guides/tools-web-search, read 2026-11-21.
fn read_search(fields: &mut Fields<'_>) -> Search {
    let mut filters = fields.get("filters").and_then(Fields::read).unwrap_or_default();
    // Filters with more in them stay as they stood.
    let allowed = search::take_domains(&mut filters, "allowed_domains").filter(|_| filters.is_empty());
    if allowed.is_some() {
        fields.take("filters");
    }
    Search {
        context: fields.take_string("search_context_size"),
        location: search::take_location(fields, None),
        allowed,
        ..Search::default()
    }
}

fn write_search(object: &mut Writer<'_>, found: &Search) {
    object.string_if("search_context_size", found.context.as_deref());
    search::write_location(object, found.location.as_ref(), None);
    if found.allowed.is_some() {
        object.nested("filters", |filters| {
            search::write_domains(filters, "allowed_domains", found.allowed.as_ref());
        });
    }
}

/// Reads which tools may be used.
pub(super) fn read_choice(raw: &RawValue) -> ToolChoice {
    match raw.get() {
        r#""auto""# => ToolChoice::Auto,
        r#""none""# => ToolChoice::None,
        r#""required""# => ToolChoice::Required,
        _ => Fields::read(raw)
            .and_then(choice_object)
            .unwrap_or_else(|| ToolChoice::Foreign { dialect: HOME, json: RawJson::from(raw) }),
    }
}

fn choice_object(mut fields: Fields<'_>) -> Option<ToolChoice> {
    let choice = match fields.take_string("type")?.as_str() {
        "function" => ToolChoice::Named(fields.take_string("name")?),
        "allowed_tools" => {
            let required = match fields.take_string("mode")?.as_str() {
                "required" => true,
                "auto" => false,
                _ => return None,
            };
            let names = fields.take_list("tools")?.into_iter().map(function_name).collect::<Option<_>>()?;
            ToolChoice::Allowed { required, names }
        }
        _ => return None,
    };
    fields.is_empty().then_some(choice)
}

/// The name in `{"type": "function", "name"}`, if there is nothing else in it.
fn function_name(raw: &RawValue) -> Option<String> {
    let mut fields = Fields::read(raw)?;
    let is_function = fields.take_string("type")? == "function";
    let name = fields.take_string("name")?;
    (is_function && fields.is_empty()).then_some(name)
}

/// Writes a tool, or tells why not.
pub(super) fn write(tool: &Tool, path: &str, context: &mut Context) -> Option<String> {
    context.tell(path, &tool.extras);
    context.tell_cache(path, tool.cache.as_ref());
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    match &tool.body {
        ToolBody::Function { .. } => write_function(&mut object, tool),
        ToolBody::WebSearch(found) => {
            let noted = notes::SEARCHES.into_iter().find(|kind| tool.extras.notes(HOME, kind));
            object.string("type", noted.unwrap_or("web_search"));
            write_search(&mut object, found);
            let known = [Known::Context, Known::Location, Known::Allowed];
            search::tell(found, path, &known, &mut context.losses);
        }
        ToolBody::Foreign { dialect: HOME, json } => return Some(json.get().to_owned()),
        ToolBody::Foreign { json, .. } => {
            context.tell_foreign(path, json);
            return None;
        }
    }
    object.all(tool.extras.of(HOME));
    object.end();
    Some(out)
}

/// A schema without `strict` is made strict there: optional fields would become required. Other APIs are not so,
/// and say nothing. Source: platform.openai.com/docs/guides/function-calling, read 2026-11-21.
fn write_function(object: &mut Writer<'_>, tool: &Tool) {
    let ToolBody::Function { name, description, parameters, strict } = &tool.body else { return };
    let foreign = !is_home(&tool.extras);
    object.string("type", "function").string("name", name).string_if("description", description.as_deref());
    object.raw_if("parameters", parameters.as_ref());
    if parameters.is_none() && foreign {
        object.raw("parameters", r#"{"type":"object","properties":{}}"#);
    }
    if let Some(strict) = strict.or(foreign.then_some(false))
        && !has(&tool.extras, "strict")
    {
        object.flag("strict", strict);
    }
}

/// Writes which tools may be used, or tells why not.
pub(super) fn write_choice(choice: &ToolChoice, context: &mut Context) -> Option<String> {
    Some(match choice {
        ToolChoice::Auto => r#""auto""#.to_owned(),
        ToolChoice::None => r#""none""#.to_owned(),
        ToolChoice::Required => r#""required""#.to_owned(),
        ToolChoice::Named(name) => function(name),
        ToolChoice::Allowed { required, names } => {
            let mode = if *required { "required" } else { "auto" };
            let mut out = String::new();
            let mut object = Writer::object(&mut out);
            object.string("type", "allowed_tools").raw("mode", &json::string(mode));
            object.list_of("tools", names, |out, name| out.push_str(&function(name)));
            object.end();
            out
        }
        ToolChoice::Foreign { dialect: HOME, json } => json.get().to_owned(),
        ToolChoice::Foreign { json, .. } => {
            context.tell_foreign(words::tool_choice(context.from), json);
            return None;
        }
    })
}

fn function(name: &str) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.string("type", "function").string("name", name);
    object.end();
    out
}

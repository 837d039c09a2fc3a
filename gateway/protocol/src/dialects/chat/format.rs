//! `response_format`.
//! Source: platform.openai.com/docs/guides/structured-outputs, as recorded by 2026-11-21.

use super::losses::tell;
use super::ways::{CHAT, Node};
use crate::hub::{Format, Request};
use crate::json::{Fields, Writer};
use crate::loss::Losses;

/// Takes the format. A form that would not come back whole stays an extra.
pub(super) fn decode(node: &mut Node<'_>) -> Option<Format> {
    let mut outer = Fields::read(node.fields.get("response_format")?)?;
    let kind = outer.take_string("type")?;
    let format = match kind.as_str() {
        "text" => Format::Text,
        "json_object" => Format::Json,
        "json_schema" => schema(outer.take_object("json_schema")?)?,
        _ => return None,
    };
    if !outer.is_empty() {
        return None;
    }
    node.fields.take("response_format")?;
    Some(format)
}

fn schema(inner: Fields<'_>) -> Option<Format> {
    let mut node = Node::of(inner);
    Some(Format::Schema {
        schema: node.fields.take_raw("schema")?,
        name: node.fields.take_string("name"),
        description: node.fields.take_string("description"),
        strict: node.fields.take_bool("strict"),
        extras: node.extras(),
    })
}

pub(super) fn encode(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let Some(format) = &request.format else { return };
    object.nested("response_format", |outer| match format {
        Format::Text => {
            outer.string("type", "text");
        }
        Format::Json => {
            outer.string("type", "json_object");
        }
        Format::Schema { .. } => {
            outer.string("type", "json_schema");
            outer.nested("json_schema", |inner| write_schema(inner, request, losses));
        }
    });
}

fn write_schema(inner: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let Some(Format::Schema { name, description, schema, strict, extras }) = &request.format else { return };
    let is_home = request.extras.dialect == Some(CHAT);
    // OpenAI demands a name; other dialects have none.
    inner.string_if("name", name.as_deref().or((!is_home).then_some("answer")));
    inner.string_if("description", description.as_deref()).raw("schema", schema.get());
    if let Some(strict) = strict {
        inner.flag("strict", *strict);
    }
    inner.all(extras.of(CHAT));
    tell(losses, extras, "response_format.json_schema");
}

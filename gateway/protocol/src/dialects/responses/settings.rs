//! `reasoning` and `text`, both ways: how much to think, and what the answer must look like.

use super::context::Context;
use super::{HOME, is_home, words};
use crate::hub::{Effort, Extras, Format, Reasoning, Request};
use crate::json::{Fields, RawJson, Writer};

/// Before the name of an extra that stood inside `text`.
pub(super) const IN_TEXT: &str = "text.";

/// Reads `reasoning`.
pub(super) fn read_reasoning(mut fields: Fields<'_>) -> Reasoning {
    let effort = fields.take_string("effort").map(Effort::read);
    let summary = fields.take_string("summary");
    let extras = Extras::new(HOME, fields.rest());
    Reasoning { effort, budget: None, summary, extras }
}

/// Writes `reasoning`. It has steps only, so a budget of tokens becomes the step that usually spends as much.
pub(super) fn write_reasoning(object: &mut Writer<'_>, reasoning: &Reasoning, context: &mut Context) {
    context.tell("reasoning", &reasoning.extras);
    let mut effort = reasoning.effort.as_ref().map(|effort| effort_name(effort, context));
    if let Some(budget) = reasoning.budget {
        effort = effort.or(Some(step(budget)));
        let word = words::setting(context.from, "budget");
        context.losses.hint(word, "thinking goes by steps there: the nearest is taken");
    }
    object.nested("reasoning", |object| {
        object.string_if("effort", effort).string_if("summary", reasoning.summary.as_deref());
        object.all(reasoning.extras.of(HOME));
    });
}

/// Of the two highest steps, more models know `xhigh`.
/// Source: platform.openai.com/docs/guides/reasoning, read 2026-11-21.
fn effort_name<'e>(effort: &'e Effort, context: &mut Context) -> &'e str {
    if *effort == Effort::Max && !matches!(context.from, None | Some(HOME)) {
        let word = words::setting(context.from, "reasoning_effort");
        context.losses.hint(word, "approximated: `xhigh` is the highest step that most models know");
        return Effort::XHigh.name();
    }
    effort.name()
}

fn step(budget: u64) -> &'static str {
    match budget {
        0 => "none",
        1..=2_048 => "low",
        2_049..=16_384 => "medium",
        _ => "high",
    }
}

/// Reads `text.format`. `None` leaves it to the extras.
pub(super) fn read_format(mut fields: Fields<'_>) -> Option<Format> {
    match fields.take_string("type")?.as_str() {
        "text" => fields.is_empty().then_some(Format::Text),
        "json_object" => fields.is_empty().then_some(Format::Json),
        "json_schema" => Some(Format::Schema {
            schema: fields.take_raw("schema")?,
            name: fields.take_string("name"),
            description: fields.take_string("description"),
            strict: fields.take_bool("strict"),
            extras: Extras::new(HOME, fields.rest()),
        }),
        _ => None,
    }
}

/// Writes `text`: the format and what else stood there.
pub(super) fn write_text(object: &mut Writer<'_>, request: &Request, context: &mut Context) {
    let inside = inside_text(request);
    // An empty `text` object leaves this mark.
    let was_there = request.extras.of(HOME).iter().any(|(name, _)| name == IN_TEXT);
    if request.format.is_none() && request.verbosity.is_none() && inside.is_empty() && !was_there {
        return;
    }
    object.nested("text", |text| {
        if let Some(format) = &request.format {
            text.nested("format", |object| write_format(object, format, context));
        }
        text.string_if("verbosity", request.verbosity.as_deref());
        for (name, raw) in inside {
            text.raw(name, raw.get());
        }
    });
}

/// The fields of `text` that nobody models.
fn inside_text(request: &Request) -> Vec<(&str, &RawJson)> {
    let own =
        request.extras.of(HOME).iter().filter_map(|(name, raw)| Some((name.strip_prefix(IN_TEXT)?, raw)));
    own.filter(|(name, _)| !name.is_empty()).collect()
}

fn write_format(object: &mut Writer<'_>, format: &Format, context: &mut Context) {
    match format {
        Format::Text => object.string("type", "text"),
        Format::Json => object.string("type", "json_object"),
        Format::Schema { name, description, schema, strict, extras } => {
            context.tell("response_format.json_schema", extras);
            // The API wants a name.
            let name = name.as_deref().or((!is_home(extras)).then_some("answer"));
            object.string("type", "json_schema").string_if("name", name);
            object.string_if("description", description.as_deref()).raw("schema", schema.get());
            if let Some(strict) = strict {
                object.flag("strict", *strict);
            }
            object.all(extras.of(HOME))
        }
    };
}

//! Settings of a request but thinking and tools: who asks, how words are chosen, what the answer looks like.
//!
//! Sources: platform.claude.com/docs/en/build-with-claude/structured-outputs, …/api/service-tiers, and
//! `types/message_create_params.py` of the Python SDK, read 2026-11-21. `output_format` is the older place of
//! `output_config.format`.

use catalogue::Dialect;

use super::claude::Claude;
use super::place::{setting, tell_extras, tell_leaves};
use super::plain::{is_home, keep_rest, kept, write_merged};
use super::reasoning::{self, Thinking, Thinks};
use super::{HOME, notes};
use crate::hub::{Extras, Format, Request};
use crate::json::{Fields, RawJson, Writer};
use crate::loss::{Losses, Weight};

/// What `output_config` and `output_format` say.
pub(super) struct Output {
    pub(super) effort: Option<String>,
    pub(super) format: Option<Format>,
    pub(super) kept: Option<(String, RawJson)>,
}

/// Reads them.
pub(super) fn read_output(fields: &mut Fields<'_>) -> Output {
    let mut kept = Vec::new();
    let (mut effort, mut format) = (None, None);
    if let Some(mut config) = fields.take_object("output_config") {
        effort = config.take_string("effort");
        format = read_format(&mut config, "format", None);
        keep_rest(&mut kept, "output_config", config.rest(), effort.is_some() || format.is_some());
    }
    if format.is_none() {
        format = read_format(fields, "output_format", Some(notes::OUTPUT_FORMAT));
    }
    Output { effort, format, kept: kept.pop() }
}

fn read_format(fields: &mut Fields<'_>, key: &str, note: Option<&'static str>) -> Option<Format> {
    let mut format = Fields::read(fields.get(key)?)?;
    if format.take_string("type")? != "json_schema" {
        return None;
    }
    let schema = format.take_raw("schema")?;
    fields.take_any(key);
    let extras = Extras { notes: note.into_iter().collect(), ..Extras::new(HOME, format.rest()) };
    Some(Format::Schema { name: None, description: None, schema, strict: None, extras })
}

/// Reads `metadata`: who asks, and what else is there.
pub(super) fn read_user(fields: &mut Fields<'_>) -> (Option<String>, Option<(String, RawJson)>) {
    let Some(mut metadata) = fields.take_object("metadata") else { return (None, None) };
    let user = metadata.take_string("user_id");
    let mut kept = Vec::new();
    keep_rest(&mut kept, "metadata", metadata.rest(), user.is_some());
    (user, kept.pop())
}

/// Writes `metadata`, and tells the pairs that others keep with an answer.
pub(super) fn write_user(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    if let Some(metadata) = &request.metadata {
        tell_leaves(losses, "metadata", metadata.get(), Weight::Hint);
    }
    let rest = kept(&request.extras, "metadata");
    match (&request.user, rest) {
        (None, Some(rest)) => {
            object.raw("metadata", rest.get());
        }
        (Some(user), _) => {
            write_merged(object, "metadata", &request.extras, |metadata| {
                metadata.string("user_id", user);
            });
        }
        (None, None) => {}
    }
}

/// Writes `output_config` and `output_format`.
pub(super) fn write_output(
    object: &mut Writer<'_>,
    request: &Request,
    thinking: &Thinking,
    losses: &mut Losses,
) {
    let client = request.extras.dialect.unwrap_or(HOME);
    tell_format(losses, client, request.format.as_ref());
    let effort = reasoning::effort(request, thinking);
    let schema = match &request.format {
        Some(Format::Schema { schema, extras, .. }) => Some((schema, extras)),
        _ => None,
    };
    let (older, current) = match schema {
        Some((_, extras)) if extras.notes(HOME, notes::OUTPUT_FORMAT) => (schema, None),
        _ => (None, schema),
    };
    let rest = kept(&request.extras, "output_config");
    if effort.is_some() || current.is_some() || rest.is_some_and(|rest| rest.get().starts_with('{')) {
        write_merged(object, "output_config", &request.extras, |config| {
            config.string_if("effort", effort);
            write_schema(config, "format", current);
        });
    } else {
        object.raw_if("output_config", rest);
    }
    write_schema(object, "output_format", older);
}

fn write_schema(object: &mut Writer<'_>, key: &str, schema: Option<(&RawJson, &Extras)>) {
    if let Some((schema, extras)) = schema {
        object.nested(key, |format| {
            format.string("type", "json_schema").raw("schema", schema.get()).all(extras.of(HOME));
        });
    }
}

fn tell_format(losses: &mut Losses, client: Dialect, format: Option<&Format>) {
    let field = setting(client, "response_format");
    match format {
        None | Some(Format::Text) => {}
        Some(Format::Json) => {
            let field = if client == Dialect::Gemini { field } else { format!("{field}.type") };
            losses.hint(field, "approximated: asked for in the system prompt");
        }
        Some(Format::Schema { name, description, strict, extras, .. }) => {
            if name.is_some() {
                losses.hint(format!("{field}.name"), "Anthropic's schemas have no name");
            }
            if description.is_some() {
                losses.hint(format!("{field}.description"), "Anthropic's schemas have no description");
            }
            if *strict == Some(false) {
                losses.hint(format!("{field}.strict"), "Anthropic always holds a schema");
            }
            tell_extras(losses, &field, extras);
        }
    }
}

/// Writes how words are chosen.
pub(super) fn write_sampling(
    object: &mut Writer<'_>,
    request: &Request,
    thinking: &Thinking,
    losses: &mut Losses,
) {
    let sampling = &request.sampling;
    let client = request.extras.dialect.unwrap_or(HOME);
    for (value, name) in
        [(&sampling.temperature, "temperature"), (&sampling.top_p, "top_p"), (&sampling.top_k, "top_k")]
    {
        let Some(value) = value else { continue };
        let mut written = Some(value.get());
        if let Some((why, instead)) = refusal(request, thinking, name, value) {
            losses.hint(setting(client, name), why);
            written = instead;
        }
        if let Some(number) = written {
            object.raw(name, number);
        }
    }
    write_stop(object, request, losses);
    if sampling.n.is_some_and(|n| n > 1) {
        losses.meaning(setting(client, "n"), "Anthropic gives one answer");
    }
    for (is_there, name) in [
        (sampling.seed.is_some(), "seed"),
        (sampling.frequency_penalty.is_some(), "frequency_penalty"),
        (sampling.presence_penalty.is_some(), "presence_penalty"),
        (sampling.logit_bias.is_some(), "logit_bias"),
        (sampling.logprobs.is_some(), "logprobs"),
    ] {
        if is_there {
            losses.hint(setting(client, name), "Anthropic has no such setting");
        }
    }
}

/// Why the API would refuse a value from elsewhere, and what it takes instead.
fn refusal(
    request: &Request,
    thinking: &Thinking,
    name: &str,
    value: &RawJson,
) -> Option<(&'static str, Option<&'static str>)> {
    let claude = Claude::of(request);
    let thinks = matches!(thinking, Thinking::Budget(_) | Thinking::Effort(_, Thinks::Adaptively));
    let number: Option<f64> = value.get().parse().ok();
    match name {
        _ if is_home(&request.extras) => None,
        _ if claude.refuses_sampling() => Some(("newer Claude models take no such setting", None)),
        "temperature" if thinks && number != Some(1.0) => {
            Some(("Anthropic takes none beside thinking", None))
        }
        "temperature" if number.is_some_and(|number| number > 1.0) => {
            Some(("approximated: 1 is the most that Anthropic takes", Some("1")))
        }
        "top_p" if claude.refuses_both() && request.sampling.temperature.is_some() => {
            Some(("Claude takes no top_p beside a temperature", None))
        }
        "top_p" if thinks && number.is_some_and(|number| number < 0.95) => {
            Some(("approximated: beside thinking, 0.95 is the least", Some("0.95")))
        }
        "top_k" if thinks => Some(("Anthropic takes none beside thinking", None)),
        _ => None,
    }
}

/// The API refuses stop sequences of white space only.
fn write_stop(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let client = request.extras.dialect.unwrap_or(HOME);
    let at_home = is_home(&request.extras);
    let mut stop = Vec::with_capacity(request.sampling.stop.len());
    for text in &request.sampling.stop {
        if at_home || !text.trim().is_empty() {
            stop.push(text);
        } else {
            losses.hint(setting(client, "stop"), "Anthropic refuses stop sequences of white space only");
        }
    }
    if !stop.is_empty() || request.extras.notes(HOME, notes::STOP_EMPTY) {
        object.list_of("stop_sequences", stop, |out, text| out.push_str(&crate::json::string(text)));
    }
}

/// Writes the tier. Others' default is what Anthropic calls `standard_only`.
pub(super) fn write_tier(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let Some(tier) = request.service_tier.as_deref() else { return };
    match tier {
        _ if is_home(&request.extras) => object.string("service_tier", tier),
        "auto" | "standard_only" => object.string("service_tier", tier),
        "default" | "standard" => object.string("service_tier", "standard_only"),
        _ => {
            let client = request.extras.dialect.unwrap_or(HOME);
            losses.hint(setting(client, "service_tier"), "Anthropic has auto and standard_only");
            object
        }
    };
}

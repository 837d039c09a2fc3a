//! The body of a request.
//! Source: platform.openai.com/docs/api-reference/completions/create, as recorded by 2026-11-21.

use super::losses::{tell, tell_value};
use super::node::{Blank, Node, all_but, has, write_blanks};
use super::{HOME, prompt, settings, words};
use crate::dialects::DecodeError;
use crate::hub::{Format, Request};
use crate::json::Writer;
use crate::loss::{Encoded, Losses, Weight};

const BLANKS: [Blank; 6] = [
    Blank("suffix", "\"\"", "suffix:empty"),
    Blank("echo", "false", "echo:false"),
    Blank("best_of", "1", "best_of:1"),
    Blank("stop", "[]", "stop:[]"),
    Blank("tools", "[]", "tools:[]"),
    Blank("logit_bias", "{}", "logit_bias:{}"),
];

/// Reads a request.
///
/// # Errors
/// [`DecodeError`] if there is no prompt.
pub fn decode(body: &str) -> Result<Request, DecodeError> {
    let Some(mut node) = Node::parse(body) else {
        return Err(DecodeError::new("", "the body must be a JSON object"));
    };
    let mut request = Request { turns: prompt::decode(&mut node)?, ..Request::default() };
    node.blanks(&BLANKS);
    request.model = node.fields.take_string("model").unwrap_or_default();
    settings::decode(&mut node, &mut request);
    request.extras = node.extras();
    Ok(request)
}

/// Writes a request: what is said becomes one text, if it is one question.
#[must_use]
pub fn encode(request: &Request) -> Encoded {
    let mut losses = Losses::default();
    let mut body = String::new();
    let mut object = Writer::object(&mut body);
    if !has(&request.extras, "model") {
        object.string("model", &request.model);
    }
    prompt::encode(&mut object, request, &mut losses);
    settings::encode(&mut object, request, &mut losses);
    write_blanks(&mut object, &request.extras, &BLANKS);
    object.all(all_but(&request.extras, &["prompt", prompt::OTHERS, "stream_options"]));
    object.end();
    if request.extras.dialect != Some(HOME) {
        tell_tools(request, &mut losses);
        tell_format(request, &mut losses);
        tell_thinking(request, &mut losses);
        tell_rest(request, &mut losses);
    }
    tell(&mut losses, &request.extras, "");
    Encoded { body, losses }
}

fn tell_tools(request: &Request, losses: &mut Losses) {
    for (at, tool) in request.tools.iter().enumerate() {
        losses.meaning(words::tool(tool, at), "a completion calls no tools");
    }
    if request.tool_choice.is_some() {
        losses.hint(words::tool_choice(&request.extras), "a completion calls no tools");
    }
    if request.parallel_tools.is_some() {
        losses.hint("parallel_tool_calls", "a completion calls no tools");
    }
}

fn tell_format(request: &Request, losses: &mut Losses) {
    let Some(format) = &request.format else { return };
    for field in words::format(request, format) {
        // Plain text is what a completion is.
        match format {
            Format::Text => losses.hint(field, "a completion is plain text anyhow"),
            Format::Json | Format::Schema { .. } => {
                losses.meaning(field, "a completion holds to no format");
            }
        }
    }
}

fn tell_thinking(request: &Request, losses: &mut Losses) {
    let Some(reasoning) = &request.reasoning else { return };
    for field in words::reasoning(request.extras.dialect, reasoning) {
        losses.hint(field, "a completion does not think first");
    }
    tell(losses, &reasoning.extras, "reasoning");
}

fn tell_rest(request: &Request, losses: &mut Losses) {
    const NOTE: &str = "completions have no such setting";
    if let Some(metadata) = &request.metadata {
        tell_value(losses, "metadata", metadata, (Weight::Hint, NOTE));
    }
    let settings = [
        ("service_tier", request.service_tier.is_some()),
        ("prompt_cache_key", request.cache_key.is_some()),
        ("prompt_cache_retention", request.cache_retention.is_some()),
        ("verbosity", request.verbosity.is_some()),
        ("store", request.store == Some(true)),
    ];
    for (name, is_there) in settings {
        if is_there {
            losses.hint(words::setting(request.extras.dialect, name), NOTE);
        }
    }
}

//! Writes the response object, for buffered answers and for the frames of a stream that have one.

use super::answer_decode::{INCOMPLETE, PAUSED};
use super::context::Context;
use super::segments::{self, Kind};
use super::{HOME, has, is_home, item_encode, notes, reasoning_encode, usage};
use crate::dialects::{Echo, likely, untold};
use crate::hub::{Answer, Body, Candidate, Finish, Part, Role};
use crate::json::{self, Writer};
use crate::loss::Encoded;

/// Writes a buffered answer.
#[must_use]
pub fn encode_answer(answer: &Answer, echo: &Echo) -> Encoded {
    let mut context = Context::answer(answer.extras.dialect, &echo.id);
    context.tell("", &likely::without(&answer.extras, likely::of(answer)));
    untold::tell_usage(&answer.extras, HOME, &mut context.losses);
    for index in 1..answer.candidates.len() {
        context.losses.hint(format!("candidates[{index}]"), "a response has one answer");
    }
    let candidate = answer.candidates.first();
    let output = candidate.map(|candidate| items(candidate, &mut context)).unwrap_or_default();
    let state = State::of(candidate.and_then(|candidate| candidate.finish.as_ref()), is_home(&answer.extras));
    let body = response(answer, echo, &state, &output);
    Encoded { body, losses: context.losses }
}

fn items(candidate: &Candidate, context: &mut Context) -> Vec<String> {
    context.tell("candidates[0]", &likely::without(&candidate.extras, &candidate.likely));
    if context.from != Some(HOME) {
        context.likely.clone_from(&candidate.likely);
    }
    if candidate.stop.is_some() {
        context.losses.hint("candidates[0].stop_sequence", "a response does not tell it");
    }
    let mut items = Vec::new();
    for segment in segments::of_answer(&candidate.parts) {
        if let Some((_, part)) = segment.parts.first()
            && let Some(item) = carrier(part, context)
        {
            items.push(item);
            context.count = items.len();
        }
        items.extend(item_encode::write(&segment, Role::Assistant, "candidates[0]", context));
        context.count = items.len();
    }
    items
}

/// The item before a signed call that carries its signature.
pub(super) fn carrier(part: &Part, context: &Context) -> Option<String> {
    if segments::kind(part, context.side) != Kind::Call {
        return None;
    }
    segments::seal(part).map(|seal| reasoning_encode::of_call(seal, context))
}

/// Where a response stands.
#[derive(Debug)]
pub(super) enum State {
    /// It is being made.
    Running,
    /// As the hub says. `None` if it does not, and the extras do.
    Ended { status: Option<&'static str>, reason: Option<String> },
    /// The provider failed; the error object.
    Failed(json::RawJson),
}

impl State {
    pub(super) fn of(finish: Option<&Finish>, home: bool) -> Self {
        let reason = match finish {
            None if home => return Self::Ended { status: None, reason: None },
            None | Some(Finish::Stop | Finish::StopSequence | Finish::ToolCalls) => {
                return Self::Ended { status: Some("completed"), reason: None };
            }
            Some(Finish::Length) => Some("max_output_tokens"),
            Some(Finish::Filtered) => Some("content_filter"),
            Some(Finish::Paused) => Some(PAUSED),
            Some(Finish::Other(other)) if other == INCOMPLETE => None,
            Some(Finish::Other(other)) => Some(other.as_str()),
        };
        Self::Ended { status: Some("incomplete"), reason: reason.map(str::to_owned) }
    }

    /// The event that ends a stream.
    pub(super) fn event(&self) -> &'static str {
        match self {
            Self::Failed(_) => "response.failed",
            Self::Ended { status: Some("incomplete"), .. } => "response.incomplete",
            Self::Ended { .. } | Self::Running => "response.completed",
        }
    }

    fn status(&self) -> Option<&'static str> {
        match self {
            Self::Running => Some("in_progress"),
            Self::Ended { status, .. } => *status,
            Self::Failed(_) => Some("failed"),
        }
    }
}

/// The response object. One that was read by this dialect gets its own fields again; for others it gets what the
/// types of OpenAI's clients expect (github.com/openai/openai-python, `types/responses/response.py`, read
/// 2026-11-21).
pub(super) fn response(answer: &Answer, echo: &Echo, state: &State, output: &[String]) -> String {
    let home = is_home(&answer.extras);
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    let id = if home && !answer.id.is_empty() { answer.id.clone() } else { format!("resp_{}", echo.id) };
    if !has(&answer.extras, "id") {
        object.string("id", &id);
    }
    write_created(&mut object, answer, echo);
    if let Some(status) = state.status().filter(|_| !has(&answer.extras, "status")) {
        object.string("status", status);
    }
    if !has(&answer.extras, "model") {
        object.string("model", &echo.model);
    }
    write_details(&mut object, answer, state);
    if !has(&answer.extras, "output") {
        object.list_of("output", output, |out, item| out.push_str(item));
    }
    let failed = match state {
        State::Failed(error) => Some(error),
        State::Running | State::Ended { .. } => None,
    };
    object.raw_if("error", failed);
    if !home {
        write_expected(&mut object, answer, failed.is_none());
    }
    let is_made = |name: &str| failed.is_some() && name == "error";
    object.all(answer.extras.of(HOME).iter().filter(|(name, _)| !is_made(name)));
    object.end();
    out
}

fn write_created(object: &mut Writer<'_>, answer: &Answer, echo: &Echo) {
    if has(&answer.extras, "created_at") {
        return;
    }
    let made = (!is_home(&answer.extras)).then_some(echo.created);
    if let Some(created) = answer.created.or(made) {
        object.number("created_at", created);
    }
}

fn write_details(object: &mut Writer<'_>, answer: &Answer, state: &State) {
    let reason = match state {
        State::Ended { reason, .. } => reason.as_deref(),
        State::Running | State::Failed(_) => None,
    };
    if has(&answer.extras, "incomplete_details") {
        return;
    }
    match reason {
        Some(reason) => {
            object.nested("incomplete_details", |details| {
                details.string("reason", reason);
            });
        }
        None if answer.extras.notes(HOME, notes::NO_DETAILS) => {}
        None => {
            object.raw("incomplete_details", "null");
        }
    }
}

/// What the request asked for is not known here; these are the API's defaults.
const EXPECTED: [(&str, &str); 14] = [
    ("object", r#""response""#),
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("store", "false"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_p", "null"),
];

fn write_expected(object: &mut Writer<'_>, answer: &Answer, is_sound: bool) {
    for (name, value) in EXPECTED {
        object.raw(name, value);
    }
    object.raw("truncation", r#""disabled""#).raw("user", "null");
    if is_sound {
        object.raw("error", "null");
    }
    let usage = answer.usage.as_ref().map_or_else(|| "null".to_owned(), usage::write);
    object.raw("usage", &usage);
}

/// Whether a block can be written in an answer at all.
pub(super) fn is_known(part: &Part) -> bool {
    !matches!(&part.body, Body::ToolResult { .. })
        && !matches!(&part.body, Body::Foreign { dialect, .. } if *dialect != HOME)
}

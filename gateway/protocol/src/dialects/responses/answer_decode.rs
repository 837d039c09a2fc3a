//! Reads the response object: buffered, or inside the first and the last frame of a stream.

use serde_json::value::RawValue;

use super::segments::attach;
use super::{HOME, item_decode, notes, usage};
use crate::dialects::{DecodeError, likely};
use crate::hub::{Answer, Body, Candidate, Extras, Finish, Likely, Part, Role};
use crate::json::{Fields, RawJson};
use crate::usage::{Usage, count};

/// Reads a buffered answer.
///
/// # Errors
/// If it is no response object, or says that the provider failed.
pub fn decode_answer(body: &str) -> Result<Answer, DecodeError> {
    let fields = Fields::parse(body).ok_or_else(|| DecodeError::new("", "must be a JSON object"))?;
    if ["output", "object", "id", "status"].iter().all(|key| fields.get(key).is_none()) {
        return Err(DecodeError::new("output", "is missing"));
    }
    if is_failed(&fields) {
        return Err(DecodeError::new("error", "the provider says that it failed"));
    }
    let response = Response::read(fields, Moment::Last);
    let parts: Vec<_> = response.output.iter().flat_map(|raw| item(raw, &["completed"])).collect();
    let finish = response.finish(&parts);
    let likely = parts.iter().flat_map(likely_of).collect();
    Ok(Answer {
        id: response.id,
        model: response.model,
        created: response.created,
        candidates: vec![Candidate { parts, finish, likely, ..Candidate::default() }],
        usage: response.usage,
        extras: response.extras,
    })
}

/// Texts of this API tell it themselves.
fn likely_of(part: &Part) -> Vec<Likely> {
    let told = part.extras.of(HOME).iter().find(|(name, _)| name == "logprobs");
    let list = told.and_then(|(_, raw)| serde_json::from_str(raw.get()).ok());
    list.map(likely::read_openai).unwrap_or_default()
}

fn is_failed(fields: &Fields<'_>) -> bool {
    let is = |key, what: fn(&str) -> bool| fields.get(key).is_some_and(|raw| what(raw.get()));
    is("status", |status| status == r#""failed""#) && is("error", |error| error.starts_with('{'))
}

/// Reads an item of an answer: its blocks, its own fields on the first.
pub(super) fn item(raw: &RawValue, usual: &[&str]) -> Vec<Part> {
    let turn = item_decode::read(raw);
    // Only an assistant's message is an answer's; one that says nothing has no block to carry its fields.
    if turn.role != Role::Assistant || turn.parts.is_empty() {
        return vec![item_decode::plain(Body::Foreign { dialect: HOME, json: RawJson::from(raw) })];
    }
    let mut parts = turn.parts;
    attach(&mut parts, turn.extras, usual);
    parts
}

/// Which response object of a stream it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Nothing has been said yet, and the state means nothing.
    First,
    /// A buffered answer is all that.
    Last,
}

/// A response object, its output not read yet.
#[derive(Debug)]
pub(super) struct Response<'a> {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created: Option<u64>,
    pub(super) output: Vec<&'a RawValue>,
    pub(super) usage: Option<Usage>,
    ending: Option<Finish>,
    pub(super) extras: Extras,
}

impl<'a> Response<'a> {
    pub(super) fn read(mut fields: Fields<'a>, moment: Moment) -> Self {
        let created = fields.take_u64("created_at");
        let (ending, note) = ending(&mut fields, moment);
        let output = fields.take_list("output").unwrap_or_default();
        // Stays an extra, since providers put costs and more beside the counts.
        let usage = fields.get("usage").and_then(usage::read).map(|usage| {
            Usage { searches: usage::searches(&output), ..usage }.served(fields.get("service_tier"))
        });
        Self {
            id: fields.take_string("id").unwrap_or_default(),
            model: fields.take_string("model").unwrap_or_default(),
            // One with a fraction stays an extra too, to be written as it was.
            created: created.or_else(|| count(fields.get("created_at"))),
            output,
            usage,
            ending,
            extras: Extras { notes: note.into_iter().collect(), ..Extras::new(HOME, fields.rest()) },
        }
    }

    /// Why it ended. A response that asks for tools is complete like any other.
    pub(super) fn finish(&self, parts: &[Part]) -> Option<Finish> {
        let has_call = parts.iter().any(|part| matches!(part.body, Body::ToolCall { .. }));
        self.finish_with(has_call)
    }

    pub(super) fn finish_with(&self, has_call: bool) -> Option<Finish> {
        match &self.ending {
            Some(Finish::Stop) if has_call => Some(Finish::ToolCalls),
            other => other.clone(),
        }
    }
}

/// Takes `status` and `incomplete_details` if they are of the known forms.
fn ending(fields: &mut Fields<'_>, moment: Moment) -> (Option<Finish>, Option<&'static str>) {
    let note = fields.get("incomplete_details").is_none().then_some(notes::NO_DETAILS);
    let status = fields.get("status").map_or("", RawValue::get).trim_matches('"');
    let finish = match (moment, status) {
        (Moment::First, _) => None,
        (Moment::Last, "completed") => Some(Finish::Stop),
        (Moment::Last, "incomplete") => Some(reason(fields)),
        // Queued, cancelled ...: stays an extra.
        (Moment::Last, _) => None,
    };
    if fields.get("incomplete_details").is_some_and(|raw| raw.get() == "null") {
        fields.take_any("incomplete_details");
    }
    if finish.is_some() || moment == Moment::First {
        fields.take_any("status");
    }
    (finish, note)
}

fn reason(fields: &mut Fields<'_>) -> Finish {
    let reason = fields.get("incomplete_details").and_then(Fields::read).and_then(|mut details| {
        let reason = details.take_string("reason")?;
        details.is_empty().then_some(reason)
    });
    if reason.is_some() {
        fields.take_any("incomplete_details");
    }
    match reason.as_deref() {
        Some("max_output_tokens") => Finish::Length,
        Some("content_filter") => Finish::Filtered,
        Some(PAUSED) => Finish::Paused,
        Some(other) => Finish::Other(other.to_owned()),
        None => Finish::Other(INCOMPLETE.to_owned()),
    }
}

/// No reason of OpenAI's: our word to clients whose provider paused.
pub(super) const PAUSED: &str = "paused";
/// The reason of one that has none.
pub(super) const INCOMPLETE: &str = "incomplete";

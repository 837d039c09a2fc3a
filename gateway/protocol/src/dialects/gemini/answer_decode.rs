//! A buffered answer, read; and what a chunk of a stream has in common with it.
//!
//! What nobody models of a candidate is kept with the answer, as `candidates[0].x`, since a stream can tell it
//! there only. Source: ai.google.dev/api/generate-content#GenerateContentResponse (read 2026-11-21).

use serde_json::value::RawValue;

use super::{HOME, citations, finish, part_decode, usage};
use crate::dialects::{DecodeError, likely};
use crate::hub::{Answer, Body, Candidate, Extras, Finish, Part};
use crate::json::{Fields, RawJson, peek};
use crate::time;
use crate::usage::Usage;

/// Reads a buffered answer.
///
/// # Errors
/// [`DecodeError`], if it is no object.
pub fn decode_answer(body: &str) -> Result<Answer, DecodeError> {
    let fields = Fields::parse(body).ok_or(DecodeError::new("", "the answer must be a JSON object"))?;
    let Head { id, model, created, usage, said, is_blocked, rest, .. } = Head::read(fields);
    let mut extras = Extras::new(HOME, rest);
    let mut candidates = Vec::new();
    match said {
        Some(said) => {
            for (at, said) in said.into_iter().enumerate() {
                candidates.push(candidate(at, said, &mut extras));
            }
        }
        None => extras.notes.push("candidates:absent"),
    }
    if candidates.is_empty() && is_blocked {
        extras.notes.push("candidates:made");
        candidates.push(finish::blocked());
    }
    Ok(Answer { id, model, created, candidates, usage, extras })
}

/// What an answer or a chunk of one says.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created: Option<u64>,
    /// With the searches in it.
    pub(super) usage: Option<Usage>,
    pub(super) searches: u64,
    /// `None` if there is no list of objects.
    pub(super) said: Option<Vec<Said<'a>>>,
    /// The prompt was blocked.
    pub(super) is_blocked: bool,
    /// `usageMetadata` is in it too.
    pub(super) rest: Vec<(String, RawJson)>,
}

impl<'a> Head<'a> {
    pub(super) fn read(mut fields: Fields<'a>) -> Self {
        let id = fields.take_string("responseId").unwrap_or_default();
        let model = fields.take_string("modelVersion").unwrap_or_default();
        let created = fields.get("createTime").and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        let said = fields.get("candidates").and_then(Said::list);
        if said.is_some() {
            fields.take("candidates");
        }
        let is_blocked = fields.get("promptFeedback").is_some_and(is_blocked);
        let rest = fields.rest();
        let usage =
            rest.iter().find(|(name, _)| name == usage::FIELD).and_then(|(_, raw)| usage::read(raw.get()));
        let searches = said.iter().flatten().map(Said::searches).fold(0, u64::saturating_add);
        let usage = usage.map(|usage| Usage { searches, ..usage });
        let created = created.as_deref().and_then(time::read);
        Self { id, model, created, usage, searches, said, is_blocked, rest }
    }
}

/// Whether the prompt was blocked, by the answer's `promptFeedback`.
pub(super) fn is_blocked(feedback: &RawValue) -> bool {
    peek(feedback.get(), ["blockReason"]).is_some_and(|[reason]| reason.is_some())
}

/// What one candidate says.
#[derive(Debug)]
pub(super) struct Said<'a> {
    /// As it is numbered.
    pub(super) index: Option<u64>,
    /// What is said; `None` if there is no list.
    pub(super) parts: Option<Vec<Part>>,
    /// Whether there is a `content` at all.
    has_content: bool,
    has_role: bool,
    reason: Option<&'a RawValue>,
    rest: Vec<(String, RawJson)>,
}

impl<'a> Said<'a> {
    fn list(raw: &'a RawValue) -> Option<Vec<Self>> {
        let list: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
        list.into_iter().map(|raw| Fields::read(raw).map(Self::read)).collect()
    }

    fn read(mut fields: Fields<'a>) -> Self {
        let index = fields.take_u64("index");
        let reason = fields.take("finishReason");
        let (mut parts, mut has_role, mut inner) = (None, false, Vec::new());
        let content = fields.take_object("content");
        let has_content = content.is_some();
        if let Some(mut content) = content {
            has_role = content.get("role").is_some_and(|raw| raw.get() == r#""model""#);
            if has_role {
                content.take("role");
            }
            let list = content.take_list("parts");
            parts = list.map(|list| list.into_iter().map(part_decode::decode).collect());
            inner = content.rest();
        }
        let mut rest = fields.rest();
        rest.extend(inner.into_iter().map(|(name, raw)| (format!("content.{name}"), raw)));
        Self { index, parts, has_content, has_role, reason, rest }
    }

    /// How often Google searched the web for it.
    fn searches(&self) -> u64 {
        let grounding = self.rest.iter().find(|(name, _)| name == citations::FIELD);
        grounding.map_or(0, |(_, raw)| citations::searches(raw.get()))
    }

    /// Why it ended.
    pub(super) fn finish(&self, has_calls: bool) -> Option<Finish> {
        self.reason.map(|reason| finish::read_raw(reason, has_calls))
    }

    /// What nobody models, by the names it has in the answer's extras. A reason that the hub's would not be
    /// written as is among it.
    pub(super) fn kept(&mut self, at: usize) -> Vec<(String, RawJson)> {
        let finish = self.finish(false);
        let reason = finish
            .zip(self.reason)
            .filter(|(finish, raw)| raw.get() != crate::json::string(finish::write(finish, true)));
        let mut kept = std::mem::take(&mut self.rest);
        kept.extend(reason.map(|(_, raw)| ("finishReason".to_owned(), RawJson::from(raw))));
        kept.into_iter().map(|(name, raw)| (format!("candidates[{at}].{name}"), raw)).collect()
    }
}

fn candidate(at: usize, mut said: Said<'_>, extras: &mut Extras) -> Candidate {
    let mut kept = said.kept(at);
    let mut own = Extras::new(HOME, Vec::new());
    match said.index {
        None => own.notes.push("index:absent"),
        Some(index) if usize::try_from(index) == Ok(at) => {}
        Some(index) => {
            kept.extend(
                RawJson::parse(&index.to_string()).map(|raw| (format!("candidates[{at}].index"), raw)),
            );
        }
    }
    for (is_so, note) in [
        (!said.has_content, "content:absent"),
        (!said.has_role, "role:absent"),
        (said.parts.is_none(), "parts:absent"),
    ] {
        if is_so {
            own.notes.push(note);
        }
    }
    let mut parts = said.parts.take().unwrap_or_default();
    let grounding = kept.iter().find(|(name, _)| name.ends_with(citations::FIELD));
    if let Some((_, grounding)) = grounding {
        cite(grounding, &mut parts);
    }
    let result = kept.iter().find(|(name, _)| name.ends_with(likely::GEMINI));
    let likely = result.map(|(_, result)| likely::read_gemini(result)).unwrap_or_default();
    extras.fields.extend(kept);
    let finish = said.finish(parts.iter().any(finish::is_call));
    Candidate { parts, finish, stop: None, likely, extras: own }
}

fn cite(grounding: &RawJson, parts: &mut [Part]) {
    let texts: Vec<_> = parts.iter().filter_map(text_of).collect();
    let found = citations::read(grounding, &texts);
    let mut cited: Vec<_> = parts.iter_mut().filter(|part| text_of(part).is_some()).collect();
    for (at, citation) in found {
        if let Some(part) = cited.get_mut(at) {
            part.citations.push(citation);
        }
    }
}

/// The text that sources are counted in.
pub(super) fn text_of(part: &Part) -> Option<&str> {
    match &part.body {
        Body::Text(text) | Body::Refusal(text) => Some(text),
        _ => None,
    }
}

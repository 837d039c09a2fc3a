//! A buffered answer, written; and a candidate, as a chunk of a stream has it too.

use std::borrow::Cow;

use super::answer_decode::text_of;
use super::citations;
use super::node::is_home;
use super::part_encode::{Reader, encode};
use super::tell::Tell;
use super::{HOME, finish, usage};
use crate::dialects::{Echo, likely, untold};
use crate::hub::{Answer, Candidate, Extras, Finish, Likely, Part};
use crate::json::{RawJson, Writer};
use crate::loss::Encoded;
use crate::time;

/// Writes a buffered answer, whole: an id and a time are made where the provider gave none.
#[must_use]
pub fn encode_answer(answer: &Answer, echo: &Echo) -> Encoded {
    let extras = &answer.extras;
    let mut tell = Tell::new(extras);
    tell.extras("", extras);
    untold::tell_usage(extras, HOME, &mut tell.losses);
    let mut out = String::new();
    let mut body = Writer::object(&mut out);
    if !extras.notes(HOME, "candidates:absent") {
        let made = extras.notes(HOME, "candidates:made");
        let candidates = if made { &[] } else { answer.candidates.as_slice() };
        body.list_of("candidates", candidates.iter().enumerate(), |out, (at, candidate)| {
            write_candidate((at, candidate), extras, &mut tell, out);
        });
    }
    if let Some(usage) = answer.usage.filter(|_| usage::kept(answer).is_none()) {
        body.field(usage::FIELD, |out| usage::write(&usage, out));
    }
    body.string("modelVersion", &echo.model);
    if is_home(extras) {
        if !answer.id.is_empty() {
            body.string("responseId", &answer.id);
        }
    } else {
        body.string("createTime", &time::write(answer.created.unwrap_or(echo.created)));
        body.string("responseId", if answer.id.is_empty() { &echo.id } else { &answer.id });
    }
    body.all(of_answer(extras));
    body.end();
    Encoded { body: out, losses: tell.losses }
}

/// The fields of the answer itself.
pub(super) fn of_answer(extras: &Extras) -> impl Iterator<Item = &(String, RawJson)> {
    let fields = extras.of(HOME).iter();
    fields.filter(|(name, _)| !name.starts_with("candidates[") && name != "modelVersion")
}

/// The fields of one candidate.
pub(super) fn of_candidate(fields: &[(String, RawJson)], at: usize) -> Vec<(&str, &RawJson)> {
    let prefix = format!("candidates[{at}].");
    fields.iter().filter_map(|(name, raw)| Some((name.strip_prefix(&prefix)?, raw))).collect()
}

fn write_candidate((at, candidate): (usize, &Candidate), extras: &Extras, tell: &mut Tell, out: &mut String) {
    let path = format!("candidates[{at}]");
    tell.extras(&path, &likely::without(&candidate.extras, &candidate.likely));
    if candidate.stop.is_some() {
        tell.hint(format!("{path}.stop_sequence"), "Gemini does not tell which text ended an answer");
    }
    let is_home = is_home(extras);
    if let Some(Finish::Paused | Finish::Other(_)) = candidate.finish
        && !is_home
    {
        tell.hint(format!("{path}.finish_reason"), "a reason that Gemini does not have");
    }
    let mut parts = Vec::new();
    for (number, part) in candidate.parts.iter().enumerate() {
        let mut wire = String::new();
        let path = format!("{path}.content[{number}]");
        let extras = likely::without(&part.extras, if is_home { &[] } else { &candidate.likely });
        let is_written = match extras {
            Cow::Borrowed(_) => encode(part, Reader::Client, (&path, tell), &mut wire),
            Cow::Owned(extras) => {
                encode(&Part { extras, ..part.clone() }, Reader::Client, (&path, tell), &mut wire)
            }
        };
        if is_written {
            parts.push(wire);
        }
        if !is_home {
            quotes(&path, part, tell);
        }
    }
    let texts: Vec<_> =
        candidate.parts.iter().filter_map(|part| Some((text_of(part)?, part.citations.as_slice()))).collect();
    let wire = Wire {
        at,
        parts: &parts,
        finish: candidate.finish.as_ref().map(|finish| finish::write(finish, is_home)),
        grounding: if is_home { None } else { citations::write(&texts) },
        likely: if is_home { &[] } else { &candidate.likely },
        fields: of_candidate(extras.of(HOME), at),
        spelling: &candidate.extras,
    };
    wire.write(out);
}

/// What of a text's sources grounding has no place for.
fn quotes(path: &str, part: &Part, tell: &mut Tell) {
    let path = format!("{path}.citations");
    for citation in &part.citations {
        if citation.url.is_some() && citation.quote.is_some() {
            tell.hint(format!("{path}.cited_text"), "Gemini does not quote pages");
        }
        tell.extras(&path, &citation.extras);
    }
}

/// A candidate as it is written.
pub(super) struct Wire<'w> {
    pub(super) at: usize,
    /// Each as JSON.
    pub(super) parts: &'w [String],
    pub(super) finish: Option<&'w str>,
    pub(super) grounding: Option<String>,
    pub(super) likely: &'w [Likely],
    /// What nobody models.
    pub(super) fields: Vec<(&'w str, &'w RawJson)>,
    /// Notes on what the provider left out.
    pub(super) spelling: &'w Extras,
}

impl Wire<'_> {
    pub(super) fn write(&self, out: &mut String) {
        let is_absent = |note| self.spelling.notes(HOME, note);
        let is_kept = |name| self.fields.iter().any(|(kept, _)| *kept == name);
        let mut candidate = Writer::object(out);
        if !is_absent("content:absent") {
            candidate.nested("content", |content| {
                if !is_absent("parts:absent") {
                    content.list_of("parts", self.parts, |out, part| out.push_str(part));
                }
                if !is_absent("role:absent") {
                    content.string("role", "model");
                }
                for (name, raw) in &self.fields {
                    if let Some(name) = name.strip_prefix("content.") {
                        content.raw(name, raw.get());
                    }
                }
            });
        }
        candidate.string_if("finishReason", self.finish.filter(|_| !is_kept("finishReason")));
        if !is_absent("index:absent") && !is_kept("index") {
            candidate.number("index", u64::try_from(self.at).unwrap_or_default());
        }
        if let Some(grounding) = &self.grounding {
            candidate.raw(citations::FIELD, grounding);
        }
        if !self.likely.is_empty() {
            candidate.field(likely::GEMINI, |out| likely::write_gemini(out, self.likely));
        }
        for (name, raw) in &self.fields {
            if !name.starts_with("content.") {
                candidate.raw(name, raw.get());
            }
        }
        candidate.end();
    }
}

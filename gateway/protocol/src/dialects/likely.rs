//! How likely the words of an answer were: OpenAI's `logprobs`, the same in both its languages, and Gemini's
//! `logprobsResult`. Streams do not tell them in another language.
//!
//! Sources: platform.openai.com/docs/api-reference/chat/object, ai.google.dev/api/generate-content#LogprobsResult, and
//! recordings, read 2026-11-25.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::hub::{Answer, Extras, Likely};
use crate::json::{Fields, RawJson, Writer};

/// The field of a candidate of Gemini's.
pub(super) const GEMINI: &str = "logprobsResult";

/// Reads OpenAI's list. One with something odd in it says nothing.
pub(super) fn read_openai(list: &RawValue) -> Vec<Likely> {
    let list: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
    list.into_iter().map(openai).collect::<Option<_>>().unwrap_or_default()
}

fn openai(raw: &RawValue) -> Option<Likely> {
    let mut fields = Fields::read(raw)?;
    let others = fields.get("top_logprobs").map(read_openai).unwrap_or_default();
    Some(Likely {
        token: fields.take_string("token")?,
        logprob: fields.take_raw("logprob")?,
        bytes: fields.take_raw("bytes"),
        others,
    })
}

/// Writes OpenAI's list.
pub(super) fn write_openai(out: &mut String, likely: &[Likely]) {
    let mut list = Writer::list(out);
    for one in likely {
        list.element(|out| {
            let mut object = Writer::object(out);
            write_token(&mut object, one);
            object.list_of("top_logprobs", &one.others, |out, other| {
                let mut object = Writer::object(out);
                write_token(&mut object, other);
                object.end();
            });
            object.end();
        });
    }
    list.end();
}

fn write_token(object: &mut Writer<'_>, one: &Likely) {
    object.string("token", &one.token).raw("logprob", one.logprob.get());
    match &one.bytes {
        Some(bytes) => object.raw("bytes", bytes.get()),
        None => object.list_of("bytes", one.token.bytes(), |out, byte| out.push_str(&byte.to_string())),
    };
}

/// Reads Gemini's object: what was chosen, and what else was likely at each place.
pub(super) fn read_gemini(result: &RawJson) -> Vec<Likely> {
    let Some(mut fields) = Fields::parse(result.get()) else { return Vec::new() };
    let chosen = fields.take_list("chosenCandidates").unwrap_or_default();
    let mut tops = fields.take_list("topCandidates").unwrap_or_default().into_iter();
    let with_others = chosen.into_iter().map(|raw| {
        let others = tops.next().and_then(Fields::read).and_then(|mut top| top.take_list("candidates"));
        let others = others.unwrap_or_default().into_iter().filter_map(gemini).collect();
        Some(Likely { others, ..gemini(raw)? })
    });
    with_others.collect::<Option<_>>().unwrap_or_default()
}

fn gemini(raw: &RawValue) -> Option<Likely> {
    let mut fields = Fields::read(raw)?;
    let (token, logprob) = (fields.take_string("token")?, fields.take_raw("logProbability")?);
    Some(Likely { token, logprob, bytes: None, others: Vec::new() })
}

/// Writes Gemini's object.
pub(super) fn write_gemini(out: &mut String, likely: &[Likely]) {
    let mut object = Writer::object(out);
    if likely.iter().any(|one| !one.others.is_empty()) {
        object.list_of("topCandidates", likely, |out, one| {
            let mut top = Writer::object(out);
            top.list_of("candidates", &one.others, write_candidate);
            top.end();
        });
    }
    object.list_of("chosenCandidates", likely, write_candidate);
    object.end();
}

fn write_candidate(out: &mut String, one: &Likely) {
    let mut object = Writer::object(out);
    object.string("token", &one.token).raw("logProbability", one.logprob.get());
    object.end();
}

/// The fields of an answer, of a candidate or of one of its blocks without those that say how likely its words were,
/// if these are told.
pub(super) fn without<'e>(extras: &'e Extras, likely: &[Likely]) -> Cow<'e, Extras> {
    let is_likely = |name: &str| name == "logprobs" || name.ends_with(GEMINI);
    if likely.is_empty() || !extras.fields.iter().any(|(name, _)| is_likely(name)) {
        return Cow::Borrowed(extras);
    }
    let mut extras = extras.clone();
    extras.fields.retain(|(name, _)| !is_likely(name));
    Cow::Owned(extras)
}

/// Those of the first candidate, which tell that an answer has any.
pub(super) fn of(answer: &Answer) -> &[Likely] {
    answer.candidates.first().map_or(&[], |candidate| &candidate.likely)
}

#[cfg(test)]
mod tests {
    use catalogue::Dialect;

    use super::*;
    use crate::dialects::{Echo, decode_answer, encode_answer};

    #[test]
    fn what_is_likely_goes_to_gemini_and_back() {
        let list = r#"[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"e","logprob":-1.0,"bytes":[101]}]}]"#;
        let read = read_openai(serde_json::from_str(list).unwrap());
        let mut result = String::new();
        write_gemini(&mut result, &read);
        let back = read_gemini(&RawJson::parse(&result).unwrap());
        let mut again = String::new();
        write_openai(&mut again, &back);
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(json(&again), json(list), "bytes are made of the token");
    }

    #[test]
    fn a_whole_answer_carries_it_through_every_language_that_has_it() {
        let answer = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"é"},"logprobs":{"content":[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[]}],"refusal":null},"finish_reason":"stop"}]}"#;
        let echo = Echo { model: "m".into(), id: "0".into(), created: 1, stream_usage: true };
        let first = decode_answer(Dialect::OpenaiChat, answer).unwrap();
        for through in [Dialect::OpenaiResponses, Dialect::Gemini] {
            let sent = encode_answer(through, &first, &echo);
            assert_eq!(sent.losses.all(), [], "{}", through.name());
            let back =
                encode_answer(Dialect::OpenaiChat, &decode_answer(through, &sent.body).unwrap(), &echo);
            let back: serde_json::Value = serde_json::from_str(&back.body).unwrap();
            let told = &back["choices"][0]["logprobs"]["content"][0];
            assert_eq!(
                (&told["token"], &told["logprob"]),
                (&"é".into(), &(-0.5).into()),
                "{}",
                through.name()
            );
        }
    }

    #[test]
    fn an_odd_list_says_nothing() {
        for odd in [r#"[{"token":7,"logprob":1}]"#, r#"[7]"#, "{}", "null"] {
            assert_eq!(read_openai(serde_json::from_str(odd).unwrap()), [], "{odd}");
        }
        assert_eq!(read_gemini(&RawJson::parse(r#"{"chosenCandidates":[{}]}"#).unwrap()), []);
    }
}

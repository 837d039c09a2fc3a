//! What Google answers, and what its clients are answered by other dialects.

use catalogue::Dialect;
use serde_json::{Value, json};

use super::super::{Encoder, decode_answer, encode_answer, encode_fault, seal};
use super::{events, from_chat};
use crate::dialects::{Echo, StreamEncoder};
use crate::fault::{FaultClass, Reading};
use crate::hub::{Answer, At, Body, Candidate, Citation, Event, Extras, Finish, Fold, Opening, Part, Seal};
use crate::usage::Usage;

fn echo() -> Echo {
    Echo { model: "public".into(), id: "0".repeat(32), created: 1_795_255_200, stream_usage: true }
}

fn fold(events: Vec<Event>) -> Result<Answer, Reading> {
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

fn chunks(events: &[Event]) -> Vec<Value> {
    let (mut encoder, mut out) = (Encoder::new(echo()), String::new());
    events.iter().for_each(|event| encoder.push(event, &mut out));
    encoder.end(&mut out);
    out.split("\r\n\r\n")
        .filter_map(|frame| frame.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// Without notes: a stream has none on how its parts were grouped.
fn meaning(mut answer: Answer) -> Answer {
    answer.extras.notes.clear();
    answer.extras.fields.sort_by(|a, b| a.0.cmp(&b.0));
    answer.candidates.iter_mut().for_each(|candidate| candidate.extras = Extras::default());
    answer
}

#[test]
fn a_stream_and_its_buffered_twin_are_one_answer() {
    let case = |text: &str| serde_json::from_str::<Value>(text).unwrap()["response"].clone();
    let buffered = case(include_str!("../../../../corpus/dialects/gemini/pair_buffered.json"));
    let buffered = decode_answer(&buffered["body"].to_string()).unwrap();
    let stream = case(include_str!("../../../../corpus/dialects/gemini/pair_stream.json"));
    let stream = stream["chunks"].as_array().unwrap().iter().filter_map(Value::as_str);
    let data = stream.filter_map(|chunk| chunk.strip_prefix("data: "));
    // Spelt anew, as the buffered one is.
    let stream: Vec<_> = data.map(|data| serde_json::from_str::<Value>(data).unwrap().to_string()).collect();
    let stream: Vec<_> = stream.iter().map(String::as_str).collect();
    assert_eq!(meaning(fold(events(&stream)).unwrap()), meaning(buffered.clone()));
    assert_eq!(buffered.candidates[0].finish, Some(Finish::ToolCalls), "`STOP` with calls");
}

#[test]
fn a_client_gets_whole_calls_and_seals_it_can_send_back() {
    let at = At { candidate: 0, part: 0 };
    let body = Body::ToolCall { id: "c".into(), name: "f".into(), arguments: String::new(), seal: None };
    let seal = Seal { dialect: Dialect::Anthropic, bytes: "s".into() };
    let start = Event::Start { id: String::new(), model: "m".into(), created: None, extras: from_chat() };
    let written = chunks(&[
        start,
        Event::Open(at, Opening { body, extras: from_chat() }),
        Event::Arguments(at, r#"{"a":"#.into()),
        Event::Arguments(at, "1}".into()),
        Event::Sealed(at, seal.clone()),
        Event::Finish { candidate: 0, finish: Finish::ToolCalls, stop: None, extras: Extras::default() },
        Event::Usage(Usage { fresh_input: 3, output: 4, ..Usage::default() }),
    ]);
    let part = &written[0]["candidates"][0]["content"]["parts"][0];
    assert_eq!(part["functionCall"], json!({"id": "c", "name": "f", "args": {"a": 1}}));
    assert_eq!(seal::read(part["thoughtSignature"].as_str().unwrap()), seal);
    assert_eq!(written.len(), 2, "the call, as it had no end, and the last chunk");
    assert_eq!(written[0]["responseId"], "0".repeat(32));
    assert_eq!(written[0]["modelVersion"], "public");
}

#[test]
fn the_last_chunk_tells_why_and_how_much() {
    let at = At { candidate: 0, part: 0 };
    let cited = Citation {
        url: Some("https://a.example".into()),
        title: None,
        quote: None,
        span: None,
        extras: Extras::default(),
    };
    let written = chunks(&[
        Event::Start { id: "r".into(), model: "m".into(), created: Some(0), extras: from_chat() },
        Event::Open(at, Opening { body: Body::Text(String::new()), extras: from_chat() }),
        Event::Text(at, "Hé".into()),
        Event::Close(at),
        Event::Cited(at, cited),
        Event::Finish { candidate: 0, finish: Finish::Length, stop: None, extras: Extras::default() },
        Event::Usage(Usage { fresh_input: 3, output: 4, ..Usage::default() }),
    ]);
    let last = &written[1];
    assert_eq!(last["candidates"][0]["finishReason"], "MAX_TOKENS");
    let segment = &last["candidates"][0]["groundingMetadata"]["groundingSupports"][0]["segment"];
    assert_eq!(segment["endIndex"], 3);
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 7);
    assert_eq!(last["createTime"], "1970-01-01T00:00:00Z");
}

#[test]
fn nothing_follows_a_fault() {
    let fault = Reading { class: FaultClass::RateLimited, message: Some("slow down".into()), is_json: true };
    let late = Event::Finish { candidate: 0, finish: Finish::Stop, stop: None, extras: Extras::default() };
    let written = chunks(&[Event::Fault(fault), late]);
    let body = encode_fault(FaultClass::RateLimited, "slow down");
    assert_eq!(written, [serde_json::from_str::<Value>(&body).unwrap()]);
    assert_eq!(written[0]["error"]["status"], "RESOURCE_EXHAUSTED");
}

#[test]
fn a_stream_that_fails_or_breaks_off_is_a_fault() {
    let said = r#"{"candidates":[{"content":{"parts":[{"text":"Once"}]}}]}"#;
    let cut = fold(events(&[said, "[DONE]"])).unwrap_err();
    assert_eq!(cut.class, FaultClass::Garbled);
    let error = r#"{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}"#;
    let failed = fold(events(&[said, error, said])).unwrap_err();
    assert_eq!((failed.class, failed.message.as_deref()), (FaultClass::Failed, Some("busy")));
}

#[test]
fn a_blocked_prompt_is_one_filtered_answer() {
    let blocked = r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#;
    for answer in [decode_answer(blocked).unwrap(), fold(events(&[blocked])).unwrap()] {
        assert_eq!(answer.candidates.len(), 1);
        assert_eq!(answer.candidates[0].finish, Some(Finish::Filtered));
    }
}

#[test]
fn an_answer_of_another_dialect_is_whole() {
    let thought = Body::Thinking { text: "hm".into(), seal: None };
    let candidate = Candidate {
        parts: vec![Part::new(thought), Part::new(Body::Refusal("No.".into()))],
        finish: Some(Finish::Paused),
        ..Candidate::default()
    };
    let usage = Some(Usage { fresh_input: 5, cached_input: 2, output: 1, ..Usage::default() });
    let answer = Answer { candidates: vec![candidate], usage, extras: from_chat(), ..Answer::default() };
    let encoded = encode_answer(&answer, &echo());
    let expected = json!({
        "candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "No."}], "role": "model"},
            "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 1, "totalTokenCount": 8,
            "cachedContentTokenCount": 2},
        "modelVersion": "public", "createTime": "2026-11-21T10:00:00Z", "responseId": "0".repeat(32)});
    assert_eq!(serde_json::from_str::<Value>(&encoded.body).unwrap(), expected);
    let told: Vec<_> = encoded.losses.all().iter().map(|loss| loss.field.as_str()).collect();
    assert_eq!(told, ["candidates[0].finish_reason", "candidates[0].content[1]"]);
}

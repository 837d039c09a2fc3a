//! Answers and streams: what of another dialect's answer a completion can say.

use catalogue::Dialect;
use serde_json::Value;

use super::super::{Decoder, Encoder, decode_answer, encode_answer};
use super::{echo, json};
use crate::dialects::{Frame, StreamDecoder, StreamEncoder};
use crate::fault::FaultClass;
use crate::frames::sse;
use crate::hub::{Answer, Body, Candidate, Event, Extras, Finish, Fold, Part, unfold};

const STREAM: &str = include_str!("../../../../corpus/dialects/openai-completions/pair-stream.json");
const BUFFERED: &str = include_str!("../../../../corpus/dialects/openai-completions/pair-buffered.json");

fn decode<'a>(frames: impl IntoIterator<Item = &'a str>) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for frame in frames {
        let Some(data) = sse::data(frame.as_bytes()) else { continue };
        decoder.push(Frame { event: None, data: std::str::from_utf8(&data).unwrap() }, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn encode(events: &[Event]) -> String {
    let (mut encoder, mut out) = (Encoder::new(echo()), String::new());
    events.iter().for_each(|event| encoder.push(event, &mut out));
    encoder.end(&mut out);
    out
}

fn chunks(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(json).collect()
}

fn thinker() -> Answer {
    let thought = Body::Thinking { text: "hm".into(), seal: None };
    let call = Body::ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into(), seal: None };
    let candidate = Candidate {
        parts: vec![Part::new(thought), Part::text("Lee"), Part::new(call), Part::text("ward")],
        finish: Some(Finish::ToolCalls),
        stop: Some("x".into()),
        likely: Vec::new(),
        extras: Extras::default(),
    };
    Answer {
        candidates: vec![candidate],
        extras: Extras::new(Dialect::Anthropic, vec![]),
        ..Answer::default()
    }
}

#[test]
fn a_stream_folds_to_the_buffered_answer() {
    let recorded = json(STREAM)["response"]["chunks"].clone();
    let frames: Vec<&str> = recorded.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut fold = Fold::default();
    decode(frames).into_iter().for_each(|event| fold.push(event));
    let streamed = fold.finish().unwrap();
    let buffered = decode_answer(&json(BUFFERED)["response"]["body"].to_string()).unwrap();
    assert_eq!(streamed.candidates[0].parts, buffered.candidates[0].parts);
    assert_eq!(streamed.candidates[0].finish, buffered.candidates[0].finish);
    assert_eq!((streamed.id, streamed.usage), (buffered.id, buffered.usage));
}

#[test]
fn only_text_is_told_and_the_rest_is_named() {
    let encoded = encode_answer(&thinker(), &echo());
    let body = json(&encoded.body);
    let expected = serde_json::json!({
        "id": format!("cmpl-{}", "0".repeat(32)), "object": "text_completion", "created": 7, "model": "asked",
        "choices": [{"text": "Leeward", "index": 0, "logprobs": null, "finish_reason": "stop"}],
    });
    assert_eq!(body, expected);
    let told: Vec<_> = encoded.losses.all().iter().map(|loss| loss.field.as_str()).collect();
    assert_eq!(
        told,
        [
            "choices[0].reasoning_content",
            "choices[0].content[2]",
            "choices[0].stop_sequence",
            "choices[0].finish_reason"
        ]
    );
}

#[test]
fn a_stream_tells_the_same_text_and_its_end_once() {
    let mut events = Vec::new();
    unfold(&thinker(), |event| events.push(event));
    let stream = encode(&events);
    assert!(stream.ends_with("data: [DONE]\n\n"), "{stream}");
    let chunks = chunks(&stream);
    let choices: Vec<_> = chunks.iter().map(|chunk| &chunk["choices"][0]).collect();
    let text: String = choices.iter().filter_map(|choice| choice["text"].as_str()).collect();
    assert_eq!(text, "Leeward");
    let reasons: Vec<_> = choices.iter().filter_map(|choice| choice["finish_reason"].as_str()).collect();
    assert_eq!(reasons, ["stop"]);
    assert!(chunks.iter().all(|chunk| chunk["object"] == "text_completion" && chunk["model"] == "asked"));
}

#[test]
fn every_reason_has_one_of_the_names_that_clients_know() {
    for (finish, name) in [
        (Finish::Stop, "stop"),
        (Finish::StopSequence, "stop"),
        (Finish::Length, "length"),
        (Finish::Paused, "length"),
        (Finish::Filtered, "content_filter"),
        (Finish::Other("eos".into()), "stop"),
    ] {
        let candidate = Candidate { finish: Some(finish), ..Candidate::default() };
        let answer = Answer { candidates: vec![candidate], ..Answer::default() };
        let body = json(&encode_answer(&answer, &echo()).body);
        assert_eq!(body["choices"][0]["finish_reason"], name);
        assert_eq!(body["choices"][0]["text"], "", "clients read a text");
    }
}

#[test]
fn a_reason_that_is_told_twice_is_one_and_a_stream_without_any_is_cut() {
    let chunk = |text: &str, reason: &str| {
        format!("data: {{\"choices\":[{{\"text\":\"{text}\",\"index\":0,\"finish_reason\":{reason}}}]}}\n\n")
    };
    let whole = [chunk("a", "\"length\""), chunk("", "\"length\"")];
    let events = decode(whole.iter().map(String::as_str));
    let ends = events.iter().filter(|event| matches!(event, Event::Finish { .. })).count();
    assert_eq!((ends, events.len()), (1, 4), "{events:?}");
    for early in [vec![chunk("a", "null")], vec!["data: {\"value\":\"a\"}\n\n".to_owned()], vec![]] {
        let events = decode(early.iter().map(String::as_str));
        let Some(Event::Fault(fault)) = events.last() else { panic!("{events:?}") };
        assert_eq!(fault.class, FaultClass::Garbled);
        assert!(encode(&events).contains("\"error\""), "the client is told");
        assert!(!encode(&events).contains("[DONE]"));
    }
    let done = decode([chunk("a", "null").as_str(), "data: [DONE]\n\n"]);
    assert!(!done.iter().any(|event| matches!(event, Event::Fault(_))), "OpenAI's word for the end is one");
}

#[test]
fn an_error_is_no_answer() {
    assert!(decode_answer(r#"{"error":{"message":"no"}}"#).is_err());
    assert!(decode_answer("[]").is_err());
}

//! Streams: the ways of imitators, and answers of other dialects.

use catalogue::Dialect;
use serde_json::Value;

use super::super::{Decoder, Encoder, decode_answer};
use super::{at, echo, json, seal};
use crate::dialects::{Frame, StreamDecoder, StreamEncoder};
use crate::fault::{FaultClass, Reading};
use crate::hub::{Answer, Body, Event, Extras, Finish, Fold, Opening};

fn events(frames: &[String]) -> Vec<Event> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for data in frames {
        decoder.push(Frame { event: None, data }, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn fold(events: Vec<Event>) -> Result<Answer, Reading> {
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

fn chunk(choice: &str) -> String {
    format!(r#"{{"id":"c","created":1,"model":"m","choices":[{{"index":0,{choice}}}]}}"#)
}

fn answer(choices: &[&str]) -> Answer {
    fold(events(&choices.iter().map(|choice| chunk(choice)).collect::<Vec<_>>())).expect("no fault")
}

fn bodies(answer: &Answer) -> Vec<Body> {
    answer.candidates[0].parts.iter().map(|part| part.body.clone()).collect()
}

fn call(id: &str, arguments: &str) -> Body {
    Body::ToolCall { id: id.into(), name: "f".into(), arguments: arguments.into(), seal: None }
}

/// The data of each frame that `events` are written as.
fn frames(events: &[Event]) -> Vec<String> {
    let mut encoder = Encoder::new(echo());
    let mut out = String::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    encoder.end(&mut out);
    out.split_terminator("\n\n").map(|frame| frame.strip_prefix("data: ").unwrap().to_owned()).collect()
}

fn start() -> Event {
    Event::Start { id: String::new(), model: "theirs".into(), created: None, extras: Extras::default() }
}

fn open(part: usize, body: Body) -> Event {
    Event::Open(at(part), Opening { body, extras: Extras::default() })
}

fn text(text: &str) -> Body {
    Body::Text(text.into())
}

#[test]
fn a_stream_and_its_buffered_answer_are_the_same() {
    let stream: Value =
        serde_json::from_str(include_str!("../../../../corpus/dialects/openai-chat/pair-stream.json"))
            .unwrap();
    let buffered: Value =
        serde_json::from_str(include_str!("../../../../corpus/dialects/openai-chat/pair-buffered.json"))
            .unwrap();
    let chunks = stream["response"]["chunks"].as_array().unwrap().iter();
    let data: Vec<String> =
        chunks.map(|chunk| chunk.as_str().unwrap().trim_start_matches("data: ").trim().to_owned()).collect();
    let mut streamed = fold(events(&data)).unwrap();
    let mut whole = decode_answer(&buffered["response"]["body"].to_string()).unwrap();
    for answer in [&mut streamed, &mut whole] {
        answer.extras.fields.sort_by(|a, b| a.0.cmp(&b.0));
        // Only their order differs.
        answer.extras.fields.iter_mut().for_each(|(_, raw)| {
            *raw = crate::json::RawJson::parse(&json(raw.get()).to_string()).unwrap();
        });
    }
    let details = |answer: &mut Answer| match &mut answer.candidates[0].parts[0].body {
        Body::Thinking { seal: Some(seal), .. } => json(&std::mem::take(&mut seal.bytes)),
        other => panic!("{other:?}"),
    };
    assert_eq!(details(&mut streamed), details(&mut whole));
    assert_eq!(streamed, whole);
}

#[test]
fn calls_that_come_whole_without_index_or_all_under_one_are_calls_of_their_own() {
    let whole = answer(&[
        r#""delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"f","arguments":"1"}}]},"finish_reason":"tool_calls""#,
    ]);
    assert_eq!(bodies(&whole), [call("a", "{}"), call("b", "1")]);
    let zero = answer(&[
        r#""delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]}"#,
        r#""delta":{"tool_calls":[{"index":0,"id":null,"function":{"name":null,"arguments":"}"}}]}"#,
        r#""delta":{"tool_calls":[{"index":0,"id":"b","type":"function","function":{"name":"f","arguments":"1"}}]},"finish_reason":"tool_calls""#,
    ]);
    assert_eq!(bodies(&zero), [call("a", "{}"), call("b", "1")]);
}

#[test]
fn calls_told_in_turns_go_on_until_they_are_whole() {
    let said = answer(&[
        r#""delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}"#,
        r#""delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"f","arguments":"{\"x\":"}}]}"#,
        r#""delta":{"content":"t","tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
        r#""delta":{"tool_calls":[{"index":1,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls""#,
    ]);
    assert_eq!(bodies(&said), [call("a", "{}"), call("b", "{\"x\":1}"), text("t")]);
    let again = answer(&[
        r#""delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#,
        r#""delta":{"content":"t"}"#,
        r#""delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":"tool_calls""#,
    ]);
    assert_eq!(bodies(&again), [call("a", "{}"), text("t")], "what is whole is not repeated");
}

#[test]
fn a_reason_that_is_told_too_early_cuts_nothing() {
    let said = answer(&[
        r#""delta":{"content":"a"},"finish_reason":"stop""#,
        r#""delta":{"content":"b"},"finish_reason":"stop""#,
        r#""delta":{"content":""},"finish_reason":"""#,
    ]);
    assert_eq!(bodies(&said), [text("ab")]);
    assert_eq!(said.candidates[0].finish, Some(Finish::Stop), "no [DONE] is needed");
}

#[test]
fn a_stream_that_is_cut_or_says_error_is_a_fault() {
    let cut = fold(events(&[chunk(r#""delta":{"content":"a"}"#)])).unwrap_err();
    assert_eq!(cut.class, FaultClass::Garbled);
    assert_eq!(fold(events(&["[DONE]".into()])).unwrap_err().class, FaultClass::Garbled);
    let told = fold(events(&[
        chunk(r#""delta":{"content":"a"}"#),
        r#"{"error":{"message":"slow down","code":429}}"#.into(),
        chunk(r#""delta":{},"finish_reason":"stop""#),
    ]))
    .unwrap_err();
    assert_eq!((told.class, told.message.as_deref()), (FaultClass::RateLimited, Some("slow down")));
}

#[test]
fn what_azure_says_before_the_answer_belongs_to_it() {
    let frames = [
        r#"{"id":"","model":"","created":0,"choices":[],"prompt_filter_results":[1]}"#.to_owned(),
        chunk(r#""delta":{"content":"a"},"finish_reason":"stop""#),
    ];
    let answer = fold(events(&frames)).unwrap();
    assert_eq!((answer.id.as_str(), answer.created), ("c", Some(1)));
    assert_eq!(answer.extras.fields[0].0, "prompt_filter_results");
}

#[test]
fn a_seal_is_written_once_with_the_whole_text_it_seals() {
    let thinking = Body::Thinking { text: String::new(), seal: None };
    let written = frames(&[
        start(),
        open(0, thinking),
        Event::Text(at(0), "a".into()),
        Event::Text(at(0), "b".into()),
        Event::Sealed(at(0), seal(Dialect::Anthropic, "s")),
        Event::Close(at(0)),
        Event::Finish { candidate: 0, finish: Finish::Stop, stop: None, extras: Extras::default() },
    ]);
    let block = &json(&written[3])["choices"][0]["delta"]["thinking_blocks"][0];
    assert_eq!((&block["thinking"], &block["signature"]), (&json("\"ab\""), &json("\"s\"")));
    let again = fold(events(&written)).unwrap();
    let expected = Body::Thinking { text: "ab".into(), seal: Some(seal(Dialect::Anthropic, "s")) };
    assert_eq!(bodies(&again), [expected]);
}

#[test]
fn calls_are_counted_from_0_whatever_stands_before_them() {
    let written = frames(&[start(), open(0, text("a")), open(1, call("x", "")), open(2, call("", "{}"))]);
    let sent = |frame: usize| json(&written[frame])["choices"][0]["delta"]["tool_calls"][0].clone();
    assert_eq!((sent(2)["index"].as_u64(), sent(3)["index"].as_u64()), (Some(0), Some(1)));
    assert!(sent(3)["id"].as_str().unwrap().starts_with("call_0"), "one is made where there is none");
}

#[test]
fn a_fault_ends_the_stream_in_openais_words() {
    let fault =
        Event::Fault(Reading { class: FaultClass::Failed, message: Some("boom".into()), is_json: true });
    let written = frames(&[start(), open(0, text("a")), fault, Event::Text(at(0), "b".into())]);
    assert_eq!(json(written.last().unwrap())["error"]["message"], "boom");
    assert!(!written.iter().any(|frame| frame == "[DONE]"));
}

#[test]
fn usage_comes_last_and_only_if_it_is_wanted() {
    let usage = Event::Usage(crate::usage::Usage { fresh_input: 2, output: 1, ..Default::default() });
    let written = frames(&[start(), usage]);
    let last = json(&written[written.len() - 2]);
    assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json("[]"), &json("3")));
    assert_eq!(written.last().map(String::as_str), Some("[DONE]"));
}

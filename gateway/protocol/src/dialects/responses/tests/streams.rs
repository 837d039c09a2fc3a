use catalogue::Dialect;
use serde_json::Value;

use super::super::{Decoder, Encoder, decode_answer, encode_answer};
use super::{echo, fold, json, response_of};
use crate::dialects::{Frame, StreamDecoder, StreamEncoder};
use crate::fault::{FaultClass, Reading};
use crate::frames::sse;
use crate::hub::{Answer, At, Body, Candidate, Event, Extras, Finish, Opening, Part, Seal, unfold};

fn decode(frames: &[String]) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for frame in frames {
        let Some(data) = sse::data(frame.as_bytes()) else { continue };
        let data = String::from_utf8(data.into_owned()).unwrap();
        decoder.push(Frame { event: None, data: &data }, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn encode(events: &[Event]) -> Vec<Value> {
    let (mut encoder, mut out) = (Encoder::new(echo()), String::new());
    events.iter().for_each(|event| encoder.push(event, &mut out));
    encoder.end(&mut out);
    let frames = out.split_inclusive("\n\n").map(|frame| {
        let (name, data) = frame.trim_end().split_once("\ndata: ").expect("an event and its data");
        let data = json(data);
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    });
    let frames: Vec<_> = frames.collect();
    for (at, frame) in frames.iter().enumerate() {
        assert_eq!(frame["sequence_number"], at);
    }
    frames
}

fn types(frames: &[Value]) -> Vec<&str> {
    let types = frames.iter().filter_map(|frame| frame["type"].as_str());
    types.map(|kind| kind.strip_prefix("response.").unwrap_or(kind)).collect()
}

fn frames_of(exchange: &str) -> Vec<String> {
    let chunks = response_of(exchange)["chunks"].take();
    chunks.as_array().unwrap().iter().map(|chunk| chunk.as_str().unwrap().to_owned()).collect()
}

const STREAM: &str = include_str!("../../../../corpus/dialects/openai-responses/pair-stream.json");
const BUFFERED: &str = include_str!("../../../../corpus/dialects/openai-responses/pair-buffered.json");

#[test]
fn the_fold_of_a_stream_is_the_buffered_answer() {
    let buffered = decode_answer(&response_of(BUFFERED)["body"].to_string()).unwrap();
    let streamed = fold(decode(&frames_of(STREAM)));
    let written = |answer| json(&encode_answer(answer, &echo()).body);
    assert_eq!(written(&streamed), written(&buffered));
    let finish = |answer: &Answer| (answer.usage, answer.candidates[0].finish.clone());
    assert_eq!(finish(&streamed), finish(&buffered));
    let notes = |answer: &Answer| said(answer).map(|part| part.extras.notes.clone()).collect::<Vec<_>>();
    assert_eq!(notes(&streamed), notes(&buffered));
}

fn said(answer: &Answer) -> impl Iterator<Item = &Part> {
    answer.candidates.iter().flat_map(|candidate| &candidate.parts)
}

#[test]
fn what_a_stream_does_not_tell_is_taken_from_its_items_and_its_end() {
    let all = frames_of(STREAM);
    let bodies = |frames: &[String]| {
        let answer = fold(decode(frames));
        // A hosted call that is only told at the end comes last.
        let mut bodies: Vec<_> =
            said(&answer).map(|part| format!("{:?}{:?}", part.body, part.citations)).collect();
        bodies.sort();
        bodies
    };
    let whole = bodies(&all);
    let is = |frame: &String, kinds: &[&str]| {
        kinds.iter().any(|kind| frame.contains(&format!("event: response.{kind}")))
    };
    for kinds in [
        &["output_text.delta", "refusal.delta", "function_call_arguments.delta"][..],
        &["content_part"],
        &["output_item.done"],
    ] {
        let less: Vec<_> = all.iter().filter(|frame| !is(frame, kinds)).cloned().collect();
        assert_eq!(bodies(&less), whole, "without {kinds:?}");
    }
    let ends: Vec<_> = all.iter().filter(|frame| is(frame, &["created", "completed"])).cloned().collect();
    assert_eq!(bodies(&ends), whole);
}

#[test]
fn a_stream_without_its_end_is_a_fault() {
    let mut frames = frames_of(STREAM);
    frames.pop();
    assert!(matches!(decode(&frames).last(), Some(Event::Fault(Reading { class: FaultClass::Garbled, .. }))));
}

#[test]
fn errors_are_read_in_each_of_their_forms() {
    for frame in [
        r#"{"type":"error","code":"rate_limit_exceeded","message":"m","param":null,"sequence_number":1}"#,
        r#"{"type":"error","error":{"type":"too_many_requests","code":"too_many_requests","message":"m"}}"#,
        r#"{"type":"response.failed","response":{"error":{"code":"insufficient_quota","message":"m"}}}"#,
        r#"{"error":{"code":429,"message":"m"}}"#,
    ] {
        let events =
            decode(&[format!("data: {frame}\n\n"), "data: {\"type\":\"response.created\"}\n\n".to_owned()]);
        let [Event::Fault(reading)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(
            (reading.class, reading.message.as_deref()),
            (FaultClass::RateLimited, Some("m")),
            "{frame}"
        );
    }
}

#[test]
fn odd_frames_are_passed_over() {
    let odd = [
        "[DONE]",
        "7",
        "{}",
        r#"{"type":"response.output_text.delta"}"#,
        r#"{"type":"response.new","item":1}"#,
    ];
    let frames: Vec<_> = odd.iter().map(|data| format!("data: {data}\n\n")).collect();
    assert_eq!(decode(&frames).len(), 1, "only the fault at the end");
}

fn foreign() -> Answer {
    let seal = |bytes: &str| Some(Seal { dialect: Dialect::Anthropic, bytes: bytes.into() });
    let call =
        |id: &str| Body::ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into(), seal: None };
    let parts = vec![
        Part::new(Body::Thinking { text: "hm".into(), seal: seal("s") }),
        Part::new(Body::Thinking { text: String::new(), seal: seal("redacted") }),
        Part::text("Hi"),
        Part::new(call("1")),
        Part::new(call("2")),
    ];
    let candidate = Candidate { parts, finish: Some(Finish::ToolCalls), ..Candidate::default() };
    Answer { id: "x".into(), candidates: vec![candidate], ..Answer::default() }
}

#[test]
fn a_stream_of_another_dialect_has_all_frames_in_order() {
    let mut events = Vec::new();
    unfold(&foreign(), |event| events.push(event));
    let frames = encode(&events);
    let call = [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ];
    let mut expected = vec!["created", "in_progress", "output_item.added", "reasoning_summary_part.added"];
    expected.extend([
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
    ]);
    expected.extend(["output_item.done", "output_item.added", "output_item.done", "output_item.added"]);
    expected.extend(["content_part.added", "output_text.delta", "output_text.done", "content_part.done"]);
    expected.push("output_item.done");
    expected.extend(call.into_iter().chain(call).chain(["completed"]));
    assert_eq!(types(&frames), expected);
    let response = &frames.last().unwrap()["response"];
    assert_eq!(*response, json(&encode_answer(&foreign(), &echo()).body), "as the buffered answer");
}

#[test]
fn interleaved_calls_keep_apart() {
    let at = |part| At { candidate: 0, part };
    let open = |part: usize| {
        let body =
            Body::ToolCall { id: part.to_string(), name: "f".into(), arguments: String::new(), seal: None };
        Event::Open(at(part), Opening { body, extras: Extras::default() })
    };
    let more = |part, text: &str| Event::Arguments(at(part), text.into());
    let frames = encode(&[open(0), more(0, "[0"), open(1), more(1, "[1"), more(0, "]"), more(1, "]")]);
    let output = &frames.last().unwrap()["response"]["output"];
    assert_eq!((&output[0]["arguments"], &output[1]["arguments"]), (&"[0]".into(), &"[1]".into()));
}

#[test]
fn a_fault_in_the_middle_is_told_twice_and_last() {
    let reading = Reading { class: FaultClass::RateLimited, message: Some("slow".into()), is_json: true };
    let at = At { candidate: 0, part: 0 };
    let open = Event::Open(at, Opening { body: Body::Text("a".into()), extras: Extras::default() });
    let frames = encode(&[open, Event::Fault(reading.clone()), Event::Text(at, "b".into())]);
    let [.., error, failed] = frames.as_slice() else { panic!("two frames") };
    assert_eq!((&error["code"], &error["error"]["message"]), (&"rate_limit_exceeded".into(), &"slow".into()));
    assert_eq!(failed["response"]["status"], "failed");
    assert_eq!(failed["response"]["error"]["code"], "rate_limit_exceeded");
    let again: Vec<_> = frames.iter().map(|frame| format!("data: {frame}\n\n")).collect();
    assert_eq!(decode(&again).last().cloned(), Some(Event::Fault(reading)));
}

//! Streams, both ways.

use serde_json::{Value, json};

use super::super::{Decoder, Encoder, decode_answer};
use super::echo;
use crate::dialects::{Frame, StreamDecoder, StreamEncoder};
use crate::fault::{FaultClass, Reading};
use crate::frames::sse::{self, Splitter};
use crate::hub::{At, Body, Event, Extras, Finish, Fold, Opening, Seal, unfold};
use crate::usage::Usage;

fn frames(stream: &str) -> Vec<(String, String)> {
    let mut splitter = Splitter::new(1 << 20);
    splitter.push(stream.as_bytes());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    std::iter::from_fn(|| splitter.next_frame().unwrap())
        .map(|frame| (text(&sse::field(&frame, "event").unwrap()), text(&sse::data(&frame).unwrap())))
        .collect()
}

fn events(stream: &str) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for (name, data) in frames(stream) {
        decoder.push(Frame { event: Some(&name), data: &data }, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn written(events: &[Event]) -> String {
    let (mut encoder, mut out) = (Encoder::new(echo()), String::new());
    events.iter().for_each(|event| encoder.push(event, &mut out));
    encoder.end(&mut out);
    out
}

/// What the SDKs rely on: one block after the other, numbered from 0, deltas of the type of their block.
fn blocks(stream: &str) -> Vec<Value> {
    let (mut blocks, mut open): (Vec<Value>, bool) = (Vec::new(), false);
    let all = frames(stream);
    let (first, last) = (all.first().unwrap(), all.last().unwrap());
    assert_eq!((first.0.as_str(), last.0.as_str()), ("message_start", "message_stop"));
    for (name, data) in &all {
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"], name.as_str());
        match name.as_str() {
            "content_block_start" => {
                assert!(!open, "the block before has ended");
                assert_eq!(data["index"], blocks.len());
                open = true;
                blocks.push(json!({"type": data["content_block"]["type"], "said": ""}));
            }
            "content_block_delta" => {
                assert!(open && data["index"] == blocks.len() - 1);
                let block = blocks.last_mut().unwrap();
                let key = match block["type"].as_str().unwrap() {
                    "text" => "text",
                    "thinking" if data["delta"]["type"] == "signature_delta" => "signature",
                    "thinking" => "thinking",
                    _ => "partial_json",
                };
                let more = data["delta"][key].as_str().expect("a delta of the block's type");
                block["said"] = json!(format!("{}{more}", block["said"].as_str().unwrap()));
            }
            "content_block_stop" => open = false,
            _ => {}
        }
    }
    assert!(!open);
    blocks
}

fn at(part: usize) -> At {
    At { candidate: 0, part }
}

fn opening(body: Body) -> Opening {
    Opening { body, extras: Extras::default() }
}

fn open_call(part: usize, seal: Option<Seal>) -> Event {
    let body = Body::ToolCall { id: format!("c{part}"), name: "f".into(), arguments: String::new(), seal };
    Event::Open(at(part), opening(body))
}

#[test]
fn the_fold_of_a_stream_is_the_buffered_answer() {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let buffered = read(include_str!("../../../../corpus/dialects/anthropic/pair-buffered.json"));
    let stream = read(include_str!("../../../../corpus/dialects/anthropic/pair-stream.json"));
    let chunks: String =
        stream["response"]["chunks"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut fold = Fold::default();
    events(&chunks).into_iter().for_each(|event| fold.push(event));
    let mut folded = fold.finish().unwrap();
    folded.extras.fields.sort_by(|a, b| a.0.cmp(&b.0));
    let mut answer = decode_answer(&buffered["response"]["body"].to_string()).unwrap();
    answer.extras.fields.sort_by(|a, b| a.0.cmp(&b.0));
    // The test's reader sorts the keys of the buffered usage; the buckets are compared with the rest.
    for answer in [&mut folded, &mut answer] {
        answer.extras.fields.retain(|(name, _)| name != "usage");
        for part in &mut answer.candidates[0].parts {
            for citation in &mut part.citations {
                citation.extras.fields.sort_by(|a, b| a.0.cmp(&b.0));
            }
            if let Body::Foreign { json, .. } = &mut part.body {
                *json = crate::json::RawJson::parse(&read(json.get()).to_string()).unwrap();
            }
        }
    }
    assert_eq!(folded, answer);
}

#[test]
fn a_buffered_answer_is_unfolded_to_a_stream_that_sdks_accept() {
    let buffered: Value =
        serde_json::from_str(include_str!("../../../../corpus/dialects/anthropic/tools-parallel.json"))
            .unwrap();
    let answer = decode_answer(&buffered["response"]["body"].to_string()).unwrap();
    let mut events = Vec::new();
    unfold(&answer, |event| events.push(event));
    let stream = written(&events);
    assert_eq!(
        blocks(&stream),
        [
            json!({"type": "text", "said": "Brest has 4.2 m."}),
            json!({"type": "tool_use", "said": "{}"}),
            json!({"type": "tool_use", "said": r#"{"hour":7,"port":"Hull"}"#}),
        ]
    );
    let all = frames(&stream);
    let ending: Value = serde_json::from_str(&all[all.len() - 2].1).unwrap();
    assert_eq!(
        (&ending["delta"]["stop_reason"], &ending["usage"]["output_tokens"]),
        (&json!("tool_use"), &json!(58))
    );
}

#[test]
fn blocks_that_are_filled_at_once_are_written_one_after_the_other() {
    let text = |more: &str| Event::Text(at(0), more.into());
    let more = |part: usize, more: &str| Event::Arguments(at(part), more.into());
    let finish = Event::Finish { candidate: 0, finish: Finish::Stop, stop: None, extras: Extras::default() };
    let stream = written(&[
        Event::Start {
            id: "chatcmpl-1".into(),
            model: "gpt".into(),
            created: None,
            extras: Extras::default(),
        },
        Event::Open(at(0), opening(Body::Text("a".into()))),
        open_call(1, None),
        more(1, "{"),
        open_call(2, None),
        more(2, "{\"x\""),
        text("b"),
        more(1, "}"),
        more(2, ":1}"),
        finish,
        Event::Close(at(1)),
        Event::Close(at(2)),
        Event::Usage(Usage { fresh_input: 1, output: 2, ..Usage::default() }),
    ]);
    assert_eq!(
        blocks(&stream),
        [
            json!({"type": "text", "said": "a"}),
            json!({"type": "tool_use", "said": "{}"}),
            json!({"type": "tool_use", "said": "{\"x\":1}"}),
            json!({"type": "text", "said": "b"}),
        ]
    );
    let all = frames(&stream);
    let start: Value = serde_json::from_str(&all[0].1).unwrap();
    assert_eq!(start["message"]["model"], "alias");
    assert_eq!(start["message"]["usage"]["output_tokens"], 0, "the SDKs need it");
    let ending: Value = serde_json::from_str(&all[all.len() - 2].1).unwrap();
    assert_eq!(ending["delta"], json!({"stop_reason": "tool_use", "stop_sequence": null}));
    assert_eq!(ending["usage"]["output_tokens"], 2);
}

#[test]
fn a_seal_comes_in_one_piece_and_that_of_a_call_behind_it() {
    let seal = |bytes: &str| Seal { dialect: catalogue::Dialect::Gemini, bytes: bytes.into() };
    let stream = written(&[
        Event::Open(at(0), opening(Body::Thinking { text: "t".into(), seal: None })),
        Event::Sealed(at(0), seal("a")),
        Event::Sealed(at(0), seal("b")),
        Event::Close(at(0)),
        open_call(1, Some(seal("c"))),
        Event::Close(at(1)),
    ]);
    assert_eq!(
        blocks(&stream),
        [
            json!({"type": "thinking", "said": "tfairlead:gemini:ab"}),
            json!({"type": "tool_use", "said": ""}),
            json!({"type": "thinking", "said": "call:fairlead:gemini:c"}),
        ]
    );
}

#[test]
fn nothing_is_written_after_a_fault() {
    let fault = Reading { class: FaultClass::Failed, message: Some("boom".into()), is_json: false };
    let stream = written(&[
        Event::Open(at(0), opening(Body::Text("a".into()))),
        Event::Fault(fault),
        Event::Text(at(0), "b".into()),
    ]);
    let (name, data) = frames(&stream).pop().unwrap();
    assert_eq!(
        (name.as_str(), data.as_str()),
        ("error", r#"{"type":"error","error":{"type":"api_error","message":"boom"}}"#)
    );
}

#[test]
fn a_stream_that_is_cut_is_a_fault_but_not_for_its_last_frame() {
    let whole = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}\n\n\
        event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n";
    assert!(!events(whole).iter().any(|event| matches!(event, Event::Fault(_))));
    let cut = whole.split_inclusive("\n\n").next().unwrap();
    let Some(Event::Fault(reading)) = events(cut).pop() else { panic!("no fault") };
    assert_eq!(reading.class, FaultClass::Garbled);
}

#[test]
fn odd_frames_are_passed_over() {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for data in [
        "",
        "[DONE]",
        "{}",
        r#"{"type":"content_block_delta","index":9,"delta":{"type":"text_delta","text":"stray"}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":7}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"a"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"x"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"soon"},"usage":7}"#,
        r#"{"type":"message_stop"}"#,
    ] {
        decoder.push(Frame { event: None, data }, &mut events);
    }
    decoder.end(&mut events);
    let texts = events.iter().filter(|event| matches!(event, Event::Text(..))).count();
    assert_eq!((texts, events.iter().any(|event| matches!(event, Event::Fault(_)))), (0, false));
    let finish = Finish::Other("soon".into());
    assert!(events.contains(&Event::Finish { candidate: 0, finish, stop: None, extras: Extras::default() }));
}

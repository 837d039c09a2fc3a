//! Streams, translated and folded: two that cut their pieces differently say the same.

use catalogue::Dialect;
use protocol::frames::sse::{self, Splitter};
use protocol::passage::{Ending, Passage};
use serde_json::{Map, Value, json};

use crate::providers::{echo, object};

/// What a client of `to` gets of the stream of a provider of `from`, frame by frame.
pub(crate) fn translated(from: Dialect, to: Dialect, stream: &str) -> Vec<Value> {
    let mut passage = Passage::translation(from, to, echo());
    let mut splitter = Splitter::new(1 << 20);
    splitter.push(stream.as_bytes());
    let mut out = Vec::new();
    while let Ok(Some(frame)) = splitter.next_frame() {
        passage.frame(frame);
        out.extend_from_slice(&passage.flush());
    }
    // An error in the stream is told in it too.
    passage.end(Ending::Clean(splitter.finish())).ok();
    out.extend_from_slice(&passage.flush());
    frames(std::str::from_utf8(&out).unwrap())
}

/// The data of each frame that is JSON.
pub(crate) fn frames(stream: &str) -> Vec<Value> {
    let frames = stream.split("\n\n").filter_map(|frame| sse::data(frame.as_bytes()));
    frames.filter_map(|data| serde_json::from_slice(&data).ok()).collect()
}

/// The message that chat chunks come to.
pub(crate) fn chat(chunks: &[Value]) -> Value {
    let mut message = Map::new();
    let (mut finish, mut usage, mut error) = (Value::Null, Value::Null, Value::Null);
    for chunk in chunks {
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            error = json!(true);
        }
        if chunk["usage"].is_object() {
            usage = crate::compare::without_nulls(&chunk["usage"]);
        }
        let Some(choice) = chunk["choices"].get(0) else { continue };
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
        for (name, value) in choice["delta"].as_object().into_iter().flatten() {
            match name.as_str() {
                "content" | "reasoning_content" | "refusal" => append(&mut message, name, value),
                "tool_calls" => calls(&mut message, value),
                "thinking_blocks" => blocks(&mut message, value),
                _ => {}
            }
        }
    }
    let message = object(MESSAGE.map(|name| (name, message.remove(name).unwrap_or_default())));
    object([("message", message), ("finish_reason", finish), ("usage", usage), ("error", error)])
}

const MESSAGE: [&str; 5] = ["content", "reasoning_content", "refusal", "tool_calls", "thinking_blocks"];

fn append(into: &mut Map<String, Value>, name: &str, more: &Value) {
    let Some(more) = more.as_str() else { return };
    let before = into.get(name).and_then(Value::as_str).unwrap_or_default();
    let joined = format!("{before}{more}");
    into.insert(name.to_owned(), json!(joined));
}

fn calls(message: &mut Map<String, Value>, pieces: &Value) {
    let list = message.entry("tool_calls").or_insert_with(|| json!([]));
    for piece in pieces.as_array().into_iter().flatten() {
        let calls = list.as_array_mut().unwrap();
        let call = match calls.iter().position(|call| call["index"] == piece["index"]) {
            Some(at) => &mut calls[at],
            None => {
                calls.push(json!({ "index": piece["index"], "id": piece["id"], "arguments": "" }));
                calls.last_mut().unwrap()
            }
        };
        let call = call.as_object_mut().unwrap();
        append(call, "name", &piece["function"]["name"]);
        append(call, "arguments", &piece["function"]["arguments"]);
    }
}

fn blocks(message: &mut Map<String, Value>, pieces: &Value) {
    let list = message.entry("thinking_blocks").or_insert_with(|| json!([{ "type": "thinking" }]));
    let block = list[0].as_object_mut().unwrap();
    for piece in pieces.as_array().into_iter().flatten() {
        append(block, "thinking", &piece["thinking"]);
        append(block, "signature", &piece["signature"]);
    }
}

/// The message that Anthropic's events come to.
pub(crate) fn anthropic(events: &[Value]) -> Value {
    let mut blocks: Vec<Map<String, Value>> = Vec::new();
    let (mut stop, mut usage) = (Value::Null, Map::new());
    for event in events {
        let used = [&event["message"]["usage"], &event["usage"]];
        usage.extend(
            used.into_iter().filter_map(Value::as_object).flatten().map(|(k, v)| (k.clone(), v.clone())),
        );
        match event["type"].as_str() {
            Some("content_block_start") => blocks.push(event["content_block"].as_object().unwrap().clone()),
            Some("content_block_delta") => {
                let at = usize::try_from(event["index"].as_u64().unwrap()).unwrap();
                let block = blocks.get_mut(at).expect("an open block");
                for name in ["text", "thinking", "signature", "partial_json"] {
                    append(block, name, &event["delta"][name]);
                }
            }
            Some("message_delta") => stop = event["delta"]["stop_reason"].clone(),
            _ => {}
        }
    }
    let blocks: Vec<Value> = blocks.into_iter().map(Value::Object).collect();
    object([("content", json!(blocks)), ("stop_reason", stop), ("usage", Value::Object(usage))])
}

/// The kinds of the Responses API's events in order, repetitions once, and the output of the last.
pub(crate) fn responses(events: &[Value]) -> Value {
    let mut kinds: Vec<Value> = events.iter().map(|event| event["type"].clone()).collect();
    kinds.dedup();
    let last = events.last().map(|event| event["response"].clone()).unwrap_or_default();
    json!({ "events": kinds, "output": last["output"], "usage": last["usage"], "status": last["status"] })
}

//! Anthropic's messages.

use serde_json::{Value, json};

use super::{
    Heard, QUESTION, RESULT, SYSTEM, Said, Speaker, TOOL, arguments, counts, data, named_frames, parsed,
    schema, text, texts,
};

pub(super) const SPEAKER: Speaker = Speaker {
    dialect: catalogue::Dialect::Anthropic,
    converses: true,
    path: |_| "/v1/messages",
    endpoint: |_| "post /v1/messages http",
    ask: |stream| {
        let mut ask = ask(&[]);
        if stream {
            ask["stream"] = json!(true);
        }
        ask
    },
    follow_up: || {
        let result = json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": RESULT});
        ask(&[
            json!({"role": "assistant", "content": [call()]}),
            json!({"role": "user", "content": [result]}),
        ])
    },
    heard,
    answer: || answer(&json!({"type": "text", "text": "Sunny."}), "end_turn"),
    tool_answer: || answer(&call(), "tool_use"),
    stream: || {
        let deltas = ["Sun", "ny."].map(|text| json!({"type": "text_delta", "text": text}));
        stream(&json!({"type": "text", "text": ""}), &deltas, "end_turn")
    },
    tool_stream: || {
        let deltas = ["", "{\"city\":", "\"Oslo\"}"];
        let deltas = deltas.map(|json| json!({"type": "input_json_delta", "partial_json": json}));
        let mut opened = call();
        opened["input"] = json!({});
        stream(&opened, &deltas, "tool_use")
    },
    said,
    streamed,
    error: |body| {
        let is_error = body["type"] == "error" && body["error"]["type"].is_string();
        is_error.then(|| text(&body["error"]["message"]))
    },
    stream_error: |stream| {
        assert!(!stream.contains("message_stop"), "{stream}");
        let last = data(stream).pop()?;
        assert!(stream.contains("event: error\n"), "{stream}");
        (last["type"] == "error").then(|| text(&last["error"]["message"]))
    },
};

fn ask(more: &[Value]) -> Value {
    let mut messages = vec![json!({"role": "user", "content": QUESTION})];
    messages.extend_from_slice(more);
    json!({
        "model": "any", "max_tokens": 100, "system": SYSTEM, "messages": messages,
        "tools": [{"name": TOOL, "description": "Tells it.", "input_schema": schema()}],
    })
}

fn call() -> Value {
    json!({"type": "tool_use", "id": "toolu_1", "name": TOOL, "input": arguments()})
}

fn heard(body: &Value) -> Heard {
    assert_eq!(body["model"], "up-model", "{body}");
    assert_eq!(body["max_tokens"], 100, "{body}");
    let mut heard = Heard { system: texts(&body["system"]), ..Heard::default() };
    for message in body["messages"].as_array().expect("messages") {
        heard.question += message["content"].as_str().unwrap_or_default();
        for block in message["content"].as_array().into_iter().flatten() {
            match block["type"].as_str().expect("a type") {
                "tool_use" => heard.call = Some((text(&block["name"]), block["input"].clone())),
                "tool_result" => heard.result = Some(texts(&block["content"])),
                _ => heard.question += &texts(block),
            }
        }
    }
    heard.tools = body["tools"].as_array().into_iter().flatten().map(|tool| text(&tool["name"])).collect();
    heard
}

fn answer(block: &Value, reason: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "up-model-1", "content": [block],
        "stop_reason": reason, "stop_sequence": null, "usage": {"input_tokens": 11, "output_tokens": 5},
    })
}

fn stream(block: &Value, deltas: &[Value], reason: &str) -> String {
    let start = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "up-model-1", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 11, "output_tokens": 1},
    });
    let mut events = vec![
        json!({"type": "message_start", "message": start}),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({"type": "ping"}),
    ];
    let delta = |delta: &Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
    events.extend(deltas.iter().map(delta));
    events.push(json!({"type": "content_block_stop", "index": 0}));
    let end = json!({"stop_reason": reason, "stop_sequence": null});
    events.push(json!({"type": "message_delta", "delta": end, "usage": {"output_tokens": 5}}));
    events.push(json!({"type": "message_stop"}));
    named_frames(&events)
}

fn said(answer: &Value) -> Said {
    assert_eq!((&answer["type"], &answer["role"]), (&json!("message"), &json!("assistant")), "{answer}");
    assert!(answer["stop_reason"].is_string(), "{answer}");
    let mut said =
        Said { usage: counts(&answer["usage"], "input_tokens", "output_tokens"), ..Said::default() };
    for block in answer["content"].as_array().expect("content") {
        match block["type"].as_str() {
            Some("text") => said.text += &texts(block),
            Some("tool_use") => said.call = Some((text(&block["name"]), block["input"].clone())),
            _ => {}
        }
    }
    said
}

fn streamed(stream: &str) -> Said {
    let events = data(stream);
    assert_eq!(events.first().map(|event| &event["type"]), Some(&json!("message_start")), "{stream}");
    assert_eq!(events.last().map(|event| &event["type"]), Some(&json!("message_stop")), "{stream}");
    let (mut said, mut name, mut json) = (Said::default(), String::new(), String::new());
    let (mut input, mut output) = (None, None);
    for event in events {
        name += &text(&event["content_block"]["name"]);
        said.text += &text(&event["delta"]["text"]);
        json += &text(&event["delta"]["partial_json"]);
        let usages = [&event["message"]["usage"], &event["usage"]];
        for usage in usages {
            input = usage["input_tokens"].as_u64().filter(|count| *count > 0).or(input);
            output = usage["output_tokens"].as_u64().or(output);
        }
    }
    said.usage = input.zip(output);
    said.call = (!name.is_empty()).then(|| (name, parsed(&json!(json))));
    said
}

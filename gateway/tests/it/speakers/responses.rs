//! OpenAI's responses.

use serde_json::{Value, json};

use super::{
    Heard, QUESTION, RESULT, SYSTEM, Said, Speaker, TOOL, counts, data, named_frames, parsed, schema, text,
    texts,
};

pub(super) const SPEAKER: Speaker = Speaker {
    dialect: catalogue::Dialect::OpenaiResponses,
    converses: true,
    path: |_| "/v1/responses",
    endpoint: |_| "post /v1/responses http",
    ask: |stream| {
        let mut ask = ask(&[]);
        if stream {
            ask["stream"] = json!(true);
        }
        ask
    },
    follow_up: || {
        ask(&[call(), json!({"type": "function_call_output", "call_id": "call_1", "output": RESULT})])
    },
    heard,
    answer: || response("completed", &[message()]),
    tool_answer: || response("completed", &[call()]),
    stream: || {
        let part = json!({"type": "output_text", "text": "", "annotations": []});
        let whole = json!({"type": "output_text", "text": "Sunny.", "annotations": []});
        let mut opened = message();
        opened["content"] = json!([]);
        opened["status"] = json!("in_progress");
        let place =
            |kind: &str| json!({"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0});
        let with = |kind: &str, key: &str, value: Value| {
            let mut event = place(kind);
            event[key] = value;
            event
        };
        stream(
            &[
                json!({"type": "response.output_item.added", "output_index": 0, "item": opened}),
                with("response.content_part.added", "part", part),
                with("response.output_text.delta", "delta", json!("Sun")),
                with("response.output_text.delta", "delta", json!("ny.")),
                with("response.output_text.done", "text", json!("Sunny.")),
                with("response.content_part.done", "part", whole),
                json!({"type": "response.output_item.done", "output_index": 0, "item": message()}),
            ],
            &message(),
        )
    },
    tool_stream: || {
        let mut opened = call();
        opened["arguments"] = json!("");
        let delta = |text: &str| json!({"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 0, "delta": text});
        stream(
            &[
                json!({"type": "response.output_item.added", "output_index": 0, "item": opened}),
                delta("{\"city\":"),
                delta("\"Oslo\"}"),
                json!({"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 0, "arguments": "{\"city\":\"Oslo\"}"}),
                json!({"type": "response.output_item.done", "output_index": 0, "item": call()}),
            ],
            &call(),
        )
    },
    said,
    streamed,
    error: |body| body["error"]["type"].is_string().then(|| text(&body["error"]["message"])),
    stream_error: |stream| {
        assert!(!stream.contains("response.completed"), "{stream}");
        let last = data(stream).pop()?;
        match last["type"].as_str()? {
            "error" => last["message"].as_str().or(last["error"]["message"].as_str()).map(str::to_owned),
            "response.failed" => last["response"]["error"]["message"].as_str().map(str::to_owned),
            _ => None,
        }
    },
};

fn ask(more: &[Value]) -> Value {
    let mut input = vec![json!({"role": "user", "content": QUESTION})];
    input.extend_from_slice(more);
    json!({
        "model": "any", "max_output_tokens": 100, "instructions": SYSTEM, "input": input,
        "tools": [{"type": "function", "name": TOOL, "description": "Tells it.", "parameters": schema(), "strict": false}],
    })
}

fn call() -> Value {
    json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": TOOL, "arguments": "{\"city\":\"Oslo\"}", "status": "completed"})
}

fn message() -> Value {
    let part = json!({"type": "output_text", "text": "Sunny.", "annotations": []});
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]})
}

fn heard(body: &Value) -> Heard {
    assert_eq!(body["model"], "up-model", "{body}");
    let mut heard = Heard { system: text(&body["instructions"]), ..Heard::default() };
    heard.question += body["input"].as_str().unwrap_or_default();
    for item in body["input"].as_array().into_iter().flatten() {
        match (item["type"].as_str(), item["role"].as_str()) {
            (Some("function_call"), _) => {
                heard.call = Some((text(&item["name"]), parsed(&item["arguments"])))
            }
            (Some("function_call_output"), _) => heard.result = Some(texts(&item["output"])),
            (_, Some("system" | "developer")) => heard.system += &texts(&item["content"]),
            (_, Some("user")) => heard.question += &texts(&item["content"]),
            _ => {}
        }
    }
    heard.tools = body["tools"].as_array().into_iter().flatten().map(|tool| text(&tool["name"])).collect();
    heard
}

fn response(status: &str, output: &[Value]) -> Value {
    let usage = json!({
        "input_tokens": 11, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 16,
    });
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": status, "error": null,
        "incomplete_details": null, "model": "up-model-1", "output": output,
        "usage": if status == "completed" { usage } else { Value::Null },
    })
}

fn stream(events: &[Value], item: &Value) -> String {
    let mut all = vec![json!({"type": "response.created", "response": response("in_progress", &[])})];
    all.extend_from_slice(events);
    all.push(
        json!({"type": "response.completed", "response": response("completed", std::slice::from_ref(item))}),
    );
    for (number, event) in all.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    named_frames(&all)
}

fn said(answer: &Value) -> Said {
    assert_eq!(answer["status"], "completed", "{answer}");
    let mut said =
        Said { usage: counts(&answer["usage"], "input_tokens", "output_tokens"), ..Said::default() };
    for item in answer["output"].as_array().expect("output") {
        match item["type"].as_str() {
            Some("message") => said.text += &texts(&item["content"]),
            Some("function_call") => said.call = Some((text(&item["name"]), parsed(&item["arguments"]))),
            _ => {}
        }
    }
    said
}

fn streamed(stream: &str) -> Said {
    let events = data(stream);
    let deltas = |kind: &str| -> String {
        events.iter().filter(|event| event["type"] == kind).map(|event| text(&event["delta"])).collect()
    };
    let last = events.last().expect("events");
    assert_eq!(last["type"], "response.completed", "{stream}");
    let whole = said(&last["response"]);
    assert_eq!(deltas("response.output_text.delta"), whole.text, "{stream}");
    if let Some((_, arguments)) = &whole.call {
        assert_eq!(&parsed(&json!(deltas("response.function_call_arguments.delta"))), arguments, "{stream}");
    }
    whole
}

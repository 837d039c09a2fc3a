//! OpenAI's chat.

use serde_json::{Value, json};

use super::{
    Heard, QUESTION, RESULT, SYSTEM, Said, Speaker, TOOL, counts, data, frames, parsed, schema, text, texts,
};

pub(super) const SPEAKER: Speaker = Speaker {
    dialect: catalogue::Dialect::OpenaiChat,
    converses: true,
    path: |_| "/v1/chat/completions",
    endpoint: |_| "post /v1/chat/completions http",
    ask: |stream| {
        let mut ask = ask(&[]);
        if stream {
            ask["stream"] = json!(true);
            ask["stream_options"] = json!({"include_usage": true});
        }
        ask
    },
    follow_up: || {
        let call = json!({"id": "call_1", "type": "function", "function": {"name": TOOL, "arguments": "{\"city\":\"Oslo\"}"}});
        ask(&[
            json!({"role": "assistant", "content": null, "tool_calls": [call]}),
            json!({"role": "tool", "tool_call_id": "call_1", "content": RESULT}),
        ])
    },
    heard,
    answer: || answer(&json!({"role": "assistant", "content": "Sunny."}), "stop"),
    tool_answer: || {
        let call = json!({"id": "call_1", "type": "function", "function": {"name": TOOL, "arguments": "{\"city\":\"Oslo\"}"}});
        answer(&json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls")
    },
    stream: || {
        let deltas = [
            json!({"role": "assistant", "content": ""}),
            json!({"content": "Sun"}),
            json!({"content": "ny."}),
        ];
        stream(&deltas, "stop")
    },
    tool_stream: || {
        let call = |function: Value| json!({"tool_calls": [{"index": 0, "function": function}]});
        let mut first = call(json!({"name": TOOL, "arguments": ""}));
        first["role"] = json!("assistant");
        first["tool_calls"][0]["id"] = json!("call_1");
        first["tool_calls"][0]["type"] = json!("function");
        let deltas =
            [first, call(json!({"arguments": "{\"city\":"})), call(json!({"arguments": "\"Oslo\"}"}))];
        stream(&deltas, "tool_calls")
    },
    said,
    streamed,
    error: |body| body["error"]["type"].is_string().then(|| text(&body["error"]["message"])),
    stream_error: |stream| {
        assert!(!stream.contains("[DONE]"), "{stream}");
        data(stream).last()?["error"]["message"].as_str().map(str::to_owned)
    },
};

fn ask(more: &[Value]) -> Value {
    let mut messages =
        vec![json!({"role": "system", "content": SYSTEM}), json!({"role": "user", "content": QUESTION})];
    messages.extend_from_slice(more);
    json!({
        "model": "any", "max_completion_tokens": 100, "messages": messages,
        "tools": [{"type": "function", "function": {"name": TOOL, "description": "Tells it.", "parameters": schema()}}],
    })
}

fn heard(body: &Value) -> Heard {
    assert_eq!(body["model"], "up-model", "{body}");
    let mut heard = Heard::default();
    for message in body["messages"].as_array().expect("messages") {
        match message["role"].as_str().expect("a role") {
            "system" | "developer" => heard.system += &texts(&message["content"]),
            "user" => heard.question += &texts(&message["content"]),
            "assistant" => {
                let function = &message["tool_calls"][0]["function"];
                heard.call = Some((text(&function["name"]), parsed(&function["arguments"])));
            }
            _ => heard.result = Some(texts(&message["content"])),
        }
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    heard.tools = tools.map(|tool| text(&tool["function"]["name"])).collect();
    heard
}

fn usage() -> Value {
    json!({"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16})
}

fn answer(message: &Value, reason: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "up-model-1",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": usage(),
    })
}

fn stream(deltas: &[Value], reason: &str) -> String {
    let chunk = |choices: Value| json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "up-model-1", "choices": choices});
    let mut chunks: Vec<_> = deltas
        .iter()
        .map(|delta| chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}])))
        .collect();
    chunks.push(chunk(json!([{"index": 0, "delta": {}, "finish_reason": reason}])));
    let mut last = chunk(json!([]));
    last["usage"] = usage();
    chunks.push(last);
    format!("{}data: [DONE]\n\n", frames(&chunks))
}

fn said(answer: &Value) -> Said {
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["role"], "assistant", "{answer}");
    assert!(answer["choices"][0]["finish_reason"].is_string(), "{answer}");
    let function = &message["tool_calls"][0]["function"];
    let call = function.is_object().then(|| (text(&function["name"]), parsed(&function["arguments"])));
    let usage = counts(&answer["usage"], "prompt_tokens", "completion_tokens");
    Said { text: text(&message["content"]), call, usage }
}

fn streamed(stream: &str) -> Said {
    assert!(stream.ends_with("data: [DONE]\n\n"), "{stream}");
    let (mut said, mut name, mut arguments, mut is_finished) =
        (Said::default(), String::new(), String::new(), false);
    for chunk in data(stream) {
        let choice = &chunk["choices"][0];
        said.text += &text(&choice["delta"]["content"]);
        let function = &choice["delta"]["tool_calls"][0]["function"];
        name += &text(&function["name"]);
        arguments += &text(&function["arguments"]);
        is_finished |= choice["finish_reason"].is_string();
        said.usage = counts(&chunk["usage"], "prompt_tokens", "completion_tokens").or(said.usage);
    }
    assert!(is_finished, "{stream}");
    said.call = (!name.is_empty()).then(|| (name, parsed(&json!(arguments))));
    said
}

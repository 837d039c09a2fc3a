//! OpenAI's older completions: one text, no roles and no tools.

use serde_json::{Value, json};

use super::{Heard, QUESTION, Said, Speaker, TOOL, counts, data, frames, schema, text};

pub(super) const SPEAKER: Speaker = Speaker {
    dialect: catalogue::Dialect::OpenaiCompletions,
    converses: false,
    path: |_| "/v1/completions",
    endpoint: |_| "post /v1/completions http",
    ask: |stream| {
        let mut ask = ask();
        if stream {
            ask["stream"] = json!(true);
            ask["stream_options"] = json!({"include_usage": true});
        }
        ask
    },
    // There is no way to say it; this is what a client may try.
    follow_up: || {
        let mut ask = ask();
        ask["tools"] = json!([{"type": "function", "function": {"name": TOOL, "parameters": schema()}}]);
        ask
    },
    heard,
    answer: || answer("Sunny."),
    // A model of completions calls no tool; what it is asked with tools is refused before it is sent.
    tool_answer: || answer(""),
    stream: || stream(&["Sun", "ny."]),
    tool_stream: || stream(&[]),
    said,
    streamed,
    error: |body| body["error"]["type"].is_string().then(|| text(&body["error"]["message"])),
    stream_error: |stream| {
        assert!(!stream.contains("[DONE]"), "{stream}");
        data(stream).last()?["error"]["message"].as_str().map(str::to_owned)
    },
};

fn ask() -> Value {
    json!({"model": "any", "prompt": QUESTION, "max_tokens": 100})
}

/// What stands before the question is the system's.
fn heard(body: &Value) -> Heard {
    assert_eq!(body["model"], "up-model", "{body}");
    assert!(body["max_tokens"].is_u64(), "without it a provider stops after 16 tokens: {body}");
    let prompt = body["prompt"].as_str().expect("one text");
    let (system, question) = prompt.rsplit_once("\n\n").unwrap_or(("", prompt));
    Heard { system: system.to_owned(), question: question.to_owned(), ..Heard::default() }
}

fn usage() -> Value {
    json!({"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16})
}

fn choice(text: &str, reason: Option<&str>) -> Value {
    json!([{"text": text, "index": 0, "logprobs": null, "finish_reason": reason}])
}

fn object(choices: Value) -> Value {
    json!({"id": "cmpl-1", "object": "text_completion", "created": 1_700_000_000, "model": "up-model-1", "choices": choices})
}

fn answer(text: &str) -> Value {
    let mut answer = object(choice(text, Some("stop")));
    answer["usage"] = usage();
    answer
}

fn stream(pieces: &[&str]) -> String {
    let mut chunks: Vec<_> = pieces.iter().map(|piece| object(choice(piece, None))).collect();
    chunks.push(object(choice("", Some("stop"))));
    let mut last = object(json!([]));
    last["usage"] = usage();
    chunks.push(last);
    format!("{}data: [DONE]\n\n", frames(&chunks))
}

fn said(answer: &Value) -> Said {
    assert_eq!(answer["object"], "text_completion", "{answer}");
    let choice = &answer["choices"][0];
    assert!(choice["text"].is_string() && choice["finish_reason"].is_string(), "{answer}");
    let usage = counts(&answer["usage"], "prompt_tokens", "completion_tokens");
    Said { text: text(&choice["text"]), call: None, usage }
}

fn streamed(stream: &str) -> Said {
    assert!(stream.ends_with("data: [DONE]\n\n"), "{stream}");
    let (mut said, mut ends) = (Said::default(), 0);
    for chunk in data(stream) {
        assert_eq!(chunk["object"], "text_completion", "{chunk}");
        let choice = &chunk["choices"][0];
        said.text += &text(&choice["text"]);
        ends += usize::from(choice["finish_reason"].is_string());
        said.usage = counts(&chunk["usage"], "prompt_tokens", "completion_tokens").or(said.usage);
    }
    assert_eq!(ends, 1, "{stream}");
    said
}

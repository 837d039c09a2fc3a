//! Google's generateContent.

use serde_json::{Value, json};

use super::{
    Heard, QUESTION, RESULT, SYSTEM, Said, Speaker, TOOL, arguments, counts, data, frames, schema, text,
    texts,
};

pub(super) const SPEAKER: Speaker = Speaker {
    dialect: catalogue::Dialect::Gemini,
    converses: true,
    path: |stream| {
        if stream {
            "/v1beta/models/any:streamGenerateContent?alt=sse"
        } else {
            "/v1beta/models/any:generateContent"
        }
    },
    endpoint: |stream| {
        if stream {
            "post /v1/models/up-model:streamgeneratecontent?alt=sse http"
        } else {
            "post /v1/models/up-model:generatecontent http"
        }
    },
    ask: |_| ask(&[]),
    follow_up: || {
        let result = json!({"functionResponse": {"name": TOOL, "response": {"result": RESULT}}});
        ask(&[json!({"role": "model", "parts": [call()]}), json!({"role": "user", "parts": [result]})])
    },
    heard,
    answer: || chunk(&json!({"text": "Sunny."}), true),
    tool_answer: || chunk(&call(), true),
    stream: || frames(&[chunk(&json!({"text": "Sun"}), false), chunk(&json!({"text": "ny."}), true)]),
    tool_stream: || frames(&[chunk(&call(), true)]),
    said: |answer| said(std::slice::from_ref(answer)),
    streamed: |stream| said(&data(stream)),
    error: |body| {
        let is_error = body["error"]["code"].is_u64() && body["error"]["status"].is_string();
        is_error.then(|| text(&body["error"]["message"]))
    },
    stream_error: |stream| {
        assert!(!stream.contains("finishReason"), "{stream}");
        data(stream).last()?["error"]["message"].as_str().map(str::to_owned)
    },
};

fn ask(more: &[Value]) -> Value {
    let mut contents = vec![json!({"role": "user", "parts": [{"text": QUESTION}]})];
    contents.extend_from_slice(more);
    json!({
        "systemInstruction": {"parts": [{"text": SYSTEM}]}, "contents": contents,
        "generationConfig": {"maxOutputTokens": 100},
        "tools": [{"functionDeclarations": [{"name": TOOL, "description": "Tells it.", "parameters": schema()}]}],
    })
}

fn call() -> Value {
    json!({"functionCall": {"name": TOOL, "args": arguments()}})
}

fn heard(body: &Value) -> Heard {
    assert!(body.get("model").is_none() && body.get("stream").is_none(), "{body}");
    let mut heard = Heard { system: texts(&body["systemInstruction"]["parts"]), ..Heard::default() };
    for content in body["contents"].as_array().expect("contents") {
        for part in content["parts"].as_array().expect("parts") {
            let (call, result) = (&part["functionCall"], &part["functionResponse"]);
            if call.is_object() {
                heard.call = Some((text(&call["name"]), call["args"].clone()));
            }
            if result.is_object() {
                assert_eq!(result["name"], TOOL, "{body}");
                let response = result["response"].as_object().expect("an object");
                heard.result = response.values().next().map(texts);
            }
            heard.question += &texts(part);
        }
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    let declared = tools.flat_map(|tool| tool["functionDeclarations"].as_array().into_iter().flatten());
    heard.tools = declared.map(|function| text(&function["name"])).collect();
    heard
}

fn chunk(part: &Value, is_last: bool) -> Value {
    let mut candidate = json!({"content": {"parts": [part], "role": "model"}, "index": 0});
    let mut usage = json!({"promptTokenCount": 11, "totalTokenCount": 11});
    if is_last {
        candidate["finishReason"] = json!("STOP");
        usage = json!({"promptTokenCount": 11, "candidatesTokenCount": 5, "totalTokenCount": 16});
    }
    json!({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "up-model-1", "responseId": "r1"})
}

pub(crate) fn said(chunks: &[Value]) -> Said {
    let (mut said, mut is_finished) = (Said::default(), false);
    for chunk in chunks {
        let candidate = &chunk["candidates"][0];
        is_finished |= candidate["finishReason"].is_string();
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            said.text += &texts(part);
            let call = &part["functionCall"];
            if call.is_object() {
                said.call = Some((text(&call["name"]), call["args"].clone()));
            }
        }
        let usage = counts(&chunk["usageMetadata"], "promptTokenCount", "candidatesTokenCount");
        said.usage = usage.or(said.usage);
    }
    assert!(is_finished, "{chunks:?}");
    said
}

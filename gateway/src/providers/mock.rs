//! Answers made in the process, to try things out with no account. The same for every question: nothing
//! of the request is repeated.

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use protocol::usage::Usage;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::pipeline::{Outgoing, Piece, Reply, ReplyBody};
use crate::snapshot::Deployment;

/// What it says, in the parts that a stream sends.
const WORDS: [&str; 6] = [
    "Hello from the mock provider",
    " of Fairlead: ",
    "this answer was made in the gateway, ",
    "no provider was called",
    " and nothing was spent",
    ".",
];

/// Made up, but the same every time, so that counting can be tested.
const USAGE: Usage = Usage {
    fresh_input: 9,
    cached_input: 0,
    cache_write: 0,
    cache_write_hour: 0,
    audio_input: 0,
    output: 24,
    reasoning: 0,
    audio_output: 0,
};

/// The day of the first release of OpenAI's chat API; a clock would make answers differ.
const CREATED: u32 = 1_677_628_800;

/// The answer that `outgoing` wants, whole or as a stream.
pub(super) fn answer(deployment: &Deployment, outgoing: &Outgoing) -> Reply {
    let model = &deployment.upstream_model;
    let mut headers = HeaderMap::new();
    let (kind, body) = if outgoing.stream {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let pieces = stream::iter(frames(model, outgoing.exchange.echo.stream_usage)).boxed();
        ("text/event-stream", ReplyBody::Stream { pieces, passage: outgoing.exchange.passage() })
    } else {
        ("application/json", ReplyBody::Whole { body: whole(model), usage: Some(USAGE) })
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Reply { headers, body, deployment: Some(deployment.label.clone()), losses: Vec::new() }
}

fn whole(model: &str) -> Bytes {
    let message = json!({"role": "assistant", "content": WORDS.concat()});
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"});
    json!({
        "id": "chatcmpl-mock", "object": "chat.completion", "created": CREATED, "model": model,
        "choices": [choice], "usage": usage(),
    })
    .to_string()
    .into()
}

fn frames(model: &str, wants_usage: bool) -> Vec<Piece> {
    let delta = |delta: &Value, reason: Option<&str>| json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason}]);
    let mut frames = vec![frame(model, &delta(&json!({"role": "assistant", "content": ""}), None), None)];
    frames.extend(WORDS.iter().map(|word| frame(model, &delta(&json!({"content": word}), None), None)));
    frames.push(frame(model, &delta(&json!({}), Some("stop")), None));
    if wants_usage {
        frames.push(frame(model, &json!([]), Some(usage())));
    }
    frames.push(Piece::Frame(Bytes::from_static(b"data: [DONE]\n\n")));
    frames
}

fn frame(model: &str, choices: &Value, usage: Option<Value>) -> Piece {
    let mut chunk = json!({
        "id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": CREATED, "model": model,
        "choices": choices,
    });
    if let (Some(usage), Value::Object(fields)) = (usage, &mut chunk) {
        fields.insert("usage".to_owned(), usage);
    }
    Piece::Frame(format!("data: {chunk}\n\n").into())
}

fn usage() -> Value {
    let prompt = USAGE.input();
    json!({"prompt_tokens": prompt, "completion_tokens": USAGE.output, "total_tokens": USAGE.total()})
}

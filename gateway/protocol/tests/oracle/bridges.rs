//! Anthropic's Messages and OpenAI's Responses in front of a chat provider.

use catalogue::Dialect;
use protocol::dialects::{decode_answer, encode_answer};
use serde_json::Value;

use crate::compare::{Case, without, without_nulls};
use crate::providers::{echo, sent};
use crate::streams;

/// All cases of the bridges.
pub(crate) fn all(vectors: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    let of = |kind: &str| -> Vec<(String, Value)> {
        let entries = vectors[kind].as_object().unwrap_or_else(|| panic!("no {kind}"));
        entries.iter().map(|(name, vector)| (name.clone(), vector.clone())).collect()
    };
    let mut add = |name: String, theirs: Value, ours: Value| cases.push(Case { name, theirs, ours });
    for (name, vector) in of("anthropic_messages_to_chat_requests") {
        let ours = asked(Dialect::Anthropic, &vector["anthropic_request"]);
        add(format!("bridge/messages-request/{name}"), upstream(&vector), ours);
    }
    for (name, vector) in of("responses_to_chat") {
        let ours = asked(Dialect::OpenaiResponses, &vector["responses_request"]);
        add(format!("bridge/responses-request/{name}"), upstream(&vector), ours);
    }
    for (name, vector) in of("chat_to_anthropic_responses") {
        let ours = answered(Dialect::Anthropic, &vector["upstream_response"]);
        add(format!("bridge/messages-answer/{name}"), told(&vector["anthropic_response"]), ours);
    }
    for (name, vector) in of("responses_to_chat") {
        // A request with tools was answered by a call.
        let upstream = if name == "items" { "tool" } else { "text" };
        let upstream = &vectors["chat_to_anthropic_responses"][upstream]["upstream_response"];
        let ours = answered(Dialect::OpenaiResponses, upstream);
        add(format!("bridge/responses-answer/{name}"), told(&vector["responses_response"]), ours);
    }
    for (name, vector) in of("chat_to_anthropic_streams") {
        let stream = vector["upstream_stream"].as_str().unwrap();
        let theirs: String =
            vector["anthropic_events"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let theirs = streams::anthropic(&streams::frames(&theirs));
        let ours = streams::anthropic(&streams::translated(Dialect::OpenaiChat, Dialect::Anthropic, stream));
        add(format!("bridge/messages-stream/{name}"), theirs, ours);
        // The same streams were told as responses too.
        let theirs = streams::responses(vectors["chat_to_responses_streams"][&name].as_array().unwrap());
        let ours =
            streams::responses(&streams::translated(Dialect::OpenaiChat, Dialect::OpenaiResponses, stream));
        add(format!("bridge/responses-stream/{name}"), told(&theirs), told(&ours));
    }
    cases
}

fn upstream(vector: &Value) -> Value {
    vector["upstream"]["body"].clone()
}

fn asked(from: Dialect, request: &Value) -> Value {
    let mut request = request.clone();
    request["model"] = "m".into();
    sent(from, Dialect::OpenaiChat, &request)
}

fn answered(client: Dialect, answer: &Value) -> Value {
    let answer = decode_answer(Dialect::OpenaiChat, &answer.to_string()).unwrap();
    told(&serde_json::from_str(&encode_answer(client, &answer, &echo()).body).unwrap())
}

/// What an answer says: without ids that are made up, and without nulls.
fn told(answer: &Value) -> Value {
    let mut answer = without(&without_nulls(answer), &["created_at", "completed_at"]);
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("id");
        for item in fields.get_mut("output").and_then(Value::as_array_mut).into_iter().flatten() {
            item.as_object_mut().map(|item| item.remove("id"));
        }
    }
    answer
}

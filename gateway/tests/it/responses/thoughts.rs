//! What only its author can read, the seals of thoughts and calls, comes back to it as it went out, though the client
//! never sends it again.

use catalogue::Dialect;
use serde_json::{Value, json};

use super::{ask, body_of, keeping, speaking, store};
use crate::harness::Gateway;
use crate::speakers::{RESULT, TOOL, arguments};
use crate::upstream::Upstream;

/// What a provider that speaks `dialect` gets after it has answered with `answer`, which calls a tool.
async fn returned(dialect: Dialect, answer: &Value) -> Value {
    let upstream = Upstream::start().await;
    let (_folder, store) = store().await;
    let any = speaking("any", &[&upstream.url()], &[dialect]);
    let gateway = Gateway::with_store(vec![any], Some(store)).await;
    let body = json!({"model": "any", "input": "Hi", "reasoning": {"effort": "low"}, "store": true,
        "tools": [{"type": "function", "name": TOOL, "parameters": {"type": "object"}}]});
    let (first, _) = ask(&gateway, &upstream, &body, &answer.to_string()).await;
    let output = first["output"].as_array().expect("output");
    let call = output.iter().find(|item| item["type"] == "function_call").expect("a call");
    let mut next = body;
    next["previous_response_id"] = first["id"].clone();
    next["input"] = json!([{"type": "function_call_output", "call_id": call["call_id"], "output": RESULT}]);
    let (_, seen) = ask(&gateway, &upstream, &next, &answer.to_string()).await;
    body_of(&seen)
}

#[tokio::test]
async fn anthropics_thoughts_come_back_sealed() {
    let thought = json!({"type": "thinking", "thinking": "Hm.", "signature": "c2VhbA=="});
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": TOOL, "input": arguments()});
    let sent = returned(
        Dialect::Anthropic,
        &json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [thought, call], "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {"input_tokens": 1, "output_tokens": 1}}),
    )
    .await;
    assert_eq!(sent["messages"][1]["content"], json!([thought, call]), "{sent}");
}

#[tokio::test]
async fn geminis_calls_come_back_sealed() {
    let call = json!({"functionCall": {"name": TOOL, "args": arguments()}, "thoughtSignature": "c2VhbA=="});
    let sent = returned(
        Dialect::Gemini,
        &json!({"candidates": [{"content": {"role": "model", "parts": [call]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}}),
    )
    .await;
    let part = &sent["contents"][1]["parts"][0];
    assert_eq!(part["thoughtSignature"], "c2VhbA==", "{sent}");
    assert_eq!(part["functionCall"]["args"], arguments());
}

/// A response with `thought` before its call.
fn thinking(thought: &Value) -> Value {
    let call = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": TOOL,
        "arguments": arguments().to_string(), "status": "completed"});
    json!({"id": "resp_1", "object": "response", "status": "completed", "model": "m",
        "output": [thought, call], "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}})
}

#[tokio::test]
async fn a_server_of_responses_gets_whole_thoughts_and_no_ids_that_it_has_forgotten() {
    let sealed = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbA=="});
    let sent = returned(Dialect::OpenaiResponses, &thinking(&sealed)).await;
    let made = thinking(&sealed);
    assert_eq!(sent["input"][1], sealed, "{sent}");
    assert_eq!(sent["input"][2], made["output"][1], "{sent}");

    // It was told `store: false`, so an id alone leads nowhere, nor may what follows name the thought's turn.
    let bare = json!({"type": "reasoning", "id": "rs_1", "summary": []});
    let sent = returned(Dialect::OpenaiResponses, &thinking(&bare)).await;
    assert_eq!(sent["input"].as_array().map(Vec::len), Some(3), "{sent}");
    assert_eq!(sent["input"][1]["call_id"], "call_1");
    assert!(!sent.to_string().contains("rs_1") && !sent.to_string().contains("fc_1"), "{sent}");
}

#[tokio::test]
async fn a_provider_that_keeps_responses_is_not_given_thoughts_of_others() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let (_folder, store) = store().await;
    let mut keeper = keeping("keeper", &[&two.url()]);
    keeper.deployments[0].id.name = "keeper".into();
    let models = vec![speaking("any", &[&one.url()], &[Dialect::OpenaiResponses]), keeper];
    let gateway = Gateway::with_store(models, Some(store)).await;
    let sealed = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbA=="});
    let theirs = thinking(&sealed).to_string();
    let (first, _) = ask(&gateway, &one, &json!({"model": "any", "input": "Hi"}), &theirs).await;
    let next = json!({"model": "keeper", "previous_response_id": first["id"],
        "input": [{"type": "function_call_output", "call_id": "call_1", "output": RESULT}]});
    let (_, seen) = ask(&gateway, &two, &next, &theirs).await;
    let sent = body_of(&seen);
    let kinds: Vec<_> = sent["input"].as_array().expect("items").iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["message", "function_call", "function_call_output"], "{sent}");
    assert!(sent["input"][1].get("id").is_none(), "{sent}");
}

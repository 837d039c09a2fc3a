//! What SDKs were seen to send and to insist on, in e2e/clients: each rule is a request or a stream that one of them
//! stumbled over.

use catalogue::Dialect;
use protocol::dialects::{
    Echo, decode_answer, decode_request, encode_answer, encode_request, stream_encoder,
};
use serde_json::{Value, json};

use crate::support::{authored, decode, encode};

/// What a provider of dialect `to`, whose model is `model`, gets.
fn sent(from: Dialect, to: Dialect, model: &str, body: &Value) -> Value {
    let mut request = decode_request(from, &body.to_string()).expect("a request");
    request.model = model.to_owned();
    serde_json::from_str(&encode_request(to, &request).body).expect("JSON")
}

fn function_call(id: &str, city: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "f", "arguments": format!("{{\"city\":\"{city}\"}}")})
}

/// OpenAI's SDK for responses sends each item of an answer back as an item.
fn responses_loop() -> Value {
    let output = |id: &str| json!({"type": "function_call_output", "call_id": id, "output": id});
    json!({"model": "m", "reasoning": {"effort": "low"}, "input": [
        {"role": "user", "content": "both?"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}],
         "encrypted_content": "fairlead:anthropic:c2ln"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me look.", "annotations": []}]},
        function_call("a", "Oslo"), function_call("b", "Rome"), output("a"), output("b"),
    ]})
}

#[test]
fn calls_in_items_of_their_own_are_one_message_of_chat() {
    let chat = sent(Dialect::OpenaiResponses, Dialect::OpenaiChat, "gpt-5.1", &responses_loop());
    let messages = chat["messages"].as_array().expect("a list");
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap_or_default()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool"], "{chat}");
    assert_eq!(messages[1]["content"], "Let me look.");
    let ids: Vec<_> =
        messages[1]["tool_calls"].as_array().expect("calls").iter().map(|call| &call["id"]).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn claude_goes_on_to_think_where_its_thoughts_came_in_an_item_of_their_own() {
    let body = sent(Dialect::OpenaiResponses, Dialect::Anthropic, "claude-sonnet-4-5", &responses_loop());
    assert_eq!(body["thinking"]["type"], "enabled", "{body}");
    assert_eq!(body["messages"][1]["content"][0]["signature"], "c2ln", "{body}");
}

/// Google's SDK sends each event of a stream back as a content, and the results of functions it called without ids.
fn google_loop() -> Value {
    let call = |id: &str, city: &str| json!({"role": "model", "parts": [{"functionCall": {"id": id, "name": "f", "args": {"city": city}}}]});
    let result = |said: &str| json!({"functionResponse": {"name": "f", "response": {"result": said}}});
    json!({"contents": [
        {"role": "user", "parts": [{"text": "both?"}]},
        {"role": "model", "parts": [{"text": "Let me "}]}, {"role": "model", "parts": [{"text": "look."}]},
        call("a", "Oslo"), call("b", "Rome"), {"role": "model", "parts": [{"text": ""}]},
        {"role": "user", "parts": [result("one"), result("two")]},
    ]})
}

#[test]
fn results_without_ids_find_calls_that_have_some() {
    let chat = sent(Dialect::Gemini, Dialect::OpenaiChat, "gpt-5.1", &google_loop());
    let results: Vec<_> = chat["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(|message| (&message["tool_call_id"], &message["content"]))
        .collect();
    assert_eq!(results, [(&json!("a"), &json!("one")), (&json!("b"), &json!("two"))], "{chat}");
    let responses = sent(Dialect::Gemini, Dialect::OpenaiResponses, "gpt-5.1", &google_loop());
    let results: Vec<_> = responses["input"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|item| item["type"] == "function_call_output")
        .map(|item| (&item["call_id"], &item["output"]))
        .collect();
    assert_eq!(results, [(&json!("a"), &json!("one")), (&json!("b"), &json!("two"))], "{responses}");
    let claude = sent(Dialect::Gemini, Dialect::Anthropic, "claude-sonnet-4-5", &google_loop());
    assert_eq!(claude["messages"][2]["content"][1]["tool_use_id"], "b", "{claude}");
}

#[test]
fn the_keys_of_googles_schemas_are_those_of_json_schema_elsewhere() {
    let schema = json!({"type": "OBJECT", "additional_properties": false, "property_ordering": ["any_of"],
        "properties": {"any_of": {"any_of": [{"type": "STRING"}, {"type": "INTEGER"}]}}, "required": ["any_of"]});
    let body = json!({"contents": [{"parts": [{"text": "?"}]}],
        "generationConfig": {"responseMimeType": "application/json", "responseSchema": schema}});
    let claude = sent(Dialect::Gemini, Dialect::Anthropic, "claude-sonnet-4-5", &body);
    let format = &claude["output_config"]["format"]["schema"];
    assert_eq!(format["additionalProperties"], false, "{claude}");
    assert_eq!(format["properties"]["any_of"]["anyOf"][0]["type"], "string", "a name stays: {claude}");
    assert_eq!(sent(Dialect::Gemini, Dialect::Gemini, "", &body), body, "and back");
}

#[test]
fn anthropics_clients_are_shown_the_thoughts_of_gemini() {
    let body = json!({"model": "m", "max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [{"role": "user", "content": "?"}]});
    let gemini = sent(Dialect::Anthropic, Dialect::Gemini, "gemini-3-pro-preview", &body);
    let thinking = &gemini["generationConfig"]["thinkingConfig"];
    assert_eq!(*thinking, json!({"thinkingBudget": 1024, "includeThoughts": true}), "{gemini}");
}

/// Claude Code sends the thinking of a turn before its calls, in whichever order they came.
#[test]
fn a_call_keeps_its_seal_where_claude_code_has_moved_it() {
    let seal = |of: &str| json!({"type": "thinking", "thinking": "", "signature": format!("call:fairlead:gemini:{of}")});
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "x"});
    for content in [
        json!([call("a"), seal("c2E="), call("b"), seal("c2I=")]),
        json!([seal("c2E="), call("a"), seal("c2I="), call("b")]),
        json!([seal("c2E="), seal("c2I="), call("a"), call("b")]),
    ] {
        let body = json!({"model": "m", "max_tokens": 9, "messages": [
            {"role": "user", "content": "?"}, {"role": "assistant", "content": content},
            {"role": "user", "content": [result("a"), result("b")]},
        ]});
        let gemini = sent(Dialect::Anthropic, Dialect::Gemini, "gemini-3-pro-preview", &body);
        let parts = gemini["contents"][1]["parts"].as_array().expect("parts");
        let seals: Vec<_> = parts.iter().map(|part| &part["thoughtSignature"]).collect();
        assert_eq!(seals, ["c2E=", "c2I="], "{gemini}");
    }
}

#[test]
fn every_event_of_a_gemini_stream_has_a_part() {
    let mut count = 0;
    for (name, exchange) in authored(Dialect::OpenaiChat) {
        let Some(stream) = exchange.stream else { continue };
        let echo = Echo { model: "m".into(), id: "i".into(), created: 1, stream_usage: true };
        let mut encoder = stream_encoder(Dialect::Gemini, echo);
        let out = encode(encoder.as_mut(), &decode(Dialect::OpenaiChat, &stream));
        for chunk in out.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let chunk: Value = serde_json::from_str(chunk).expect("JSON");
            for candidate in chunk["candidates"].as_array().into_iter().flatten() {
                let parts = candidate["content"]["parts"].as_array();
                assert!(parts.is_some_and(|parts| !parts.is_empty()), "{name}: {chunk}");
                count += 1;
            }
        }
    }
    assert!(count > 10, "{count}");
}

/// Gemini seals a turn in an empty text at its end. Claude Code would take that for all that was said.
#[test]
fn anthropics_clients_get_no_text_without_words() {
    let part =
        |part: Value| json!({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]});
    let last = json!({"text": "", "thoughtSignature": "c2VhbA=="});
    let stream = format!("data: {}\n\ndata: {}\n\n", part(json!({"text": "Oslo."})), part(last.clone()));
    let echo = Echo { model: "m".into(), id: "i".into(), created: 1, stream_usage: true };
    let mut encoder = stream_encoder(Dialect::Anthropic, echo.clone());
    let out = encode(encoder.as_mut(), &decode(Dialect::Gemini, stream.as_bytes()));
    assert_eq!(out.matches("event: content_block_start").count(), 1, "{out}");
    assert_eq!(out.matches("event: content_block_stop").count(), 1, "{out}");

    let whole = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "Oslo."}, last]}}]});
    let answer = decode_answer(Dialect::Gemini, &whole.to_string()).expect("an answer");
    let body: Value =
        serde_json::from_str(&encode_answer(Dialect::Anthropic, &answer, &echo).body).expect("JSON");
    assert_eq!(body["content"], json!([{"type": "text", "text": "Oslo."}]), "{body}");
}

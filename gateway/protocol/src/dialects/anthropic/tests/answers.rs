//! Buffered answers of other providers.

use catalogue::Dialect;
use serde_json::json;

use super::super::{decode_answer, decode_request, encode_answer, encode_fault};
use super::{call, echo, json, said, thought, turn};
use crate::fault::FaultClass;
use crate::hub::{Answer, Body, Candidate, Citation, Extras, Finish, Part, Role, Seal};
use crate::usage::Usage;

fn foreign(parts: Vec<Part>, finish: Finish) -> Answer {
    Answer {
        id: "chatcmpl-1".into(),
        model: "gpt".into(),
        candidates: vec![Candidate { parts, finish: Some(finish), ..Candidate::default() }],
        usage: Some(Usage { fresh_input: 3, cached_input: 2, output: 4, reasoning: 5, ..Usage::default() }),
        ..Answer::default()
    }
}

#[test]
fn an_answer_of_another_provider_is_a_message() {
    let answer = foreign(vec![thought("hm", None), Part::text("a"), call("", "f", "{}")], Finish::Stop);
    let body = json(&encode_answer(&answer, &echo()).body);
    let ones = "1".repeat(32);
    assert_eq!(
        body,
        json!({
            "id": format!("msg_{ones}"), "type": "message", "role": "assistant", "model": "alias",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "text", "text": "a"},
                {"type": "tool_use", "id": format!("toolu_{ones}_2"), "name": "f", "input": {}},
            ],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {
                "input_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2,
                "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 5},
            },
        }),
        "a call makes the stop a tool_use, and each bucket is added up"
    );
}

#[test]
fn seals_of_other_providers_come_back_through_the_client() {
    let seal = || Some(Seal { dialect: Dialect::Gemini, bytes: "c2ln".into() });
    let sealed_call =
        Body::ToolCall { id: "a".into(), name: "f".into(), arguments: "{}".into(), seal: seal() };
    let said_by_model =
        vec![Part::new(Body::Thinking { text: "t".into(), seal: seal() }), Part::new(sealed_call.clone())];
    let body = json(&encode_answer(&foreign(said_by_model, Finish::ToolCalls), &echo()).body);
    let sent_back = json!({"messages": [{"role": "assistant", "content": body["content"]}]});
    let parts = decode_request(&sent_back.to_string()).unwrap().turns.remove(0).parts;
    let bodies: Vec<_> = parts.into_iter().map(|part| part.body).collect();
    assert_eq!(bodies, [Body::Thinking { text: "t".into(), seal: seal() }, sealed_call]);
}

#[test]
fn citations_of_other_providers_are_pages() {
    let citation = Citation {
        url: Some("https://example.org".into()),
        title: None,
        quote: None,
        span: Some((0, 1)),
        extras: Extras::default(),
    };
    let text = Part { citations: vec![citation], ..Part::text("a") };
    let encoded = encode_answer(&foreign(vec![text], Finish::Stop), &echo());
    assert_eq!(
        json(&encoded.body)["content"][0]["citations"],
        json!([{
            "type": "web_search_result_location", "url": "https://example.org", "title": null,
            "cited_text": "", "encrypted_index": "",
        }])
    );
    assert!(encoded.losses.all().iter().any(|loss| loss.field.ends_with("start_index")));
}

#[test]
fn an_error_is_no_answer() {
    let error = encode_fault(FaultClass::RateLimited, "slow down");
    assert_eq!(error, r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#);
    assert!(decode_answer(&error).is_err());
    assert!(decode_answer("7").is_err());
    assert_eq!(decode_answer("{}").unwrap().candidates.len(), 1);
}

#[test]
fn a_full_window_is_a_length_and_comes_back_as_it_was() {
    let body = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":"model_context_window_exceeded","stop_sequence":null}"#;
    let answer = decode_answer(body).unwrap();
    assert_eq!(answer.candidates[0].finish, Some(Finish::Length));
    assert_eq!(json(&encode_answer(&answer, &echo()).body)["stop_reason"], "model_context_window_exceeded");
    let others = Answer { extras: Extras::default(), ..answer };
    assert_eq!(json(&encode_answer(&others, &echo()).body)["stop_reason"], "max_tokens");
}

#[test]
fn a_turn_without_a_dialect_counts_as_foreign() {
    let mut bare = turn(Role::User, vec![Part::text("x")]);
    bare.extras = Extras::default();
    let request = super::request(vec![said(Role::User, "y"), bare]);
    let body = json(&super::super::encode_request(&request).body);
    assert_eq!(body["messages"].as_array().unwrap().len(), 1, "merged");
}

//! Answers for clients, of this dialect and of others.

use catalogue::Dialect;
use serde_json::json as value;

use super::super::{decode_answer, decode_request, encode_answer, encode_fault};
use super::{call, echo, json, seal};
use crate::fault::FaultClass;
use crate::hub::{Answer, Body, Candidate, Citation, Extras, Finish, Part};
use crate::usage::Usage;

fn message(parts: Vec<Part>) -> (serde_json::Value, usize) {
    let candidate = Candidate { parts, finish: Some(Finish::Stop), ..Candidate::default() };
    let encoded = encode_answer(&Answer { candidates: vec![candidate], ..Answer::default() }, &echo());
    (json(&encoded.body)["choices"][0]["message"].clone(), encoded.losses.all().len())
}

#[test]
fn an_answer_of_another_dialect_has_all_that_clients_demand() {
    let answer = Answer {
        candidates: vec![Candidate { parts: vec![Part::text("a"), Part::text("b")], ..Candidate::default() }],
        usage: Some(Usage { fresh_input: 2, cached_input: 3, output: 1, reasoning: 4, ..Usage::default() }),
        ..Answer::default()
    };
    let expected = value!({
        "id": format!("chatcmpl-{}", "0".repeat(32)),
        "object": "chat.completion",
        "created": 7,
        "model": "asked",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "ab"}, "finish_reason": null}],
        "usage": {
            "prompt_tokens": 5,
            "completion_tokens": 5,
            "total_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 0},
        },
    });
    assert_eq!(json(&encode_answer(&answer, &echo()).body), expected);
}

#[test]
fn sealed_thoughts_reach_the_client_and_come_back() {
    let thought = |text: &str, bytes: &str| {
        Part::new(Body::Thinking { text: text.into(), seal: Some(seal(Dialect::Anthropic, bytes)) })
    };
    let other = Part::new(Body::Thinking { text: "x".into(), seal: Some(seal(Dialect::Gemini, "g")) });
    let redacted = thought("", "redacted_thinking:s2");
    let parts = vec![thought("hm", "s1"), redacted, thought("", "s3"), other, Part::text("yes")];
    let (message, _) = message(parts.clone());
    assert_eq!(message["reasoning_content"], "hmx");
    let blocks = value!([
        {"type": "thinking", "thinking": "hm", "signature": "s1"},
        {"type": "redacted_thinking", "data": "s2"},
        {"type": "thinking", "thinking": "", "signature": "s3"},
        {"type": "thinking", "thinking": "x", "signature": "fairlead:gemini:g"},
    ]);
    assert_eq!(message["thinking_blocks"], blocks, "Anthropic's as LiteLLM's clients know them");
    let back = decode_request(&value!({"messages": [message]}).to_string()).unwrap();
    let bodies = |parts: &[Part]| parts.iter().map(|part| part.body.clone()).collect::<Vec<_>>();
    assert_eq!(bodies(&back.turns[0].parts), bodies(&parts));
}

#[test]
fn geminis_signature_comes_back_by_either_of_its_two_ways() {
    let (message, losses) = message(vec![call("c1", "f", Some(seal(Dialect::Gemini, "c2ln")))]);
    assert_eq!(losses, 0);
    let sent = &message["tool_calls"][0];
    assert_eq!(sent["id"], "c1__thought__c2ln");
    assert_eq!(sent["extra_content"]["google"]["thought_signature"], "c2ln");
    for lost in ["id", "extra_content"] {
        let mut kept = message.clone();
        match lost {
            "id" => kept["tool_calls"][0]["id"] = "c1".into(),
            _ => drop(kept["tool_calls"][0].as_object_mut().unwrap().remove(lost)),
        }
        let back = decode_request(&value!({"messages": [kept]}).to_string()).unwrap();
        assert_eq!(
            back.turns[0].parts[0].body,
            call("c1", "f", Some(seal(Dialect::Gemini, "c2ln"))).body,
            "without {lost}"
        );
    }
}

#[test]
fn sources_are_placed_in_the_one_text_that_clients_see() {
    let source = |span| Citation {
        url: Some("https://x.example".into()),
        title: None,
        quote: None,
        span,
        extras: Extras::default(),
    };
    let mut second = Part::text("two");
    second.citations = vec![source(None), source(Some((1, 2)))];
    let (message, _) = message(vec![Part::text("öne "), second]);
    let place = |at: usize| {
        let citation = &message["annotations"][at]["url_citation"];
        (citation["start_index"].as_u64(), citation["end_index"].as_u64())
    };
    assert_eq!(message["content"], "öne two");
    assert_eq!(place(0), (Some(4), Some(7)), "without a place it is the whole block");
    assert_eq!(place(1), (Some(5), Some(6)));
}

#[test]
fn a_reason_that_clients_do_not_know_is_one_that_they_do() {
    for (finish, reason) in [
        (Finish::StopSequence, "stop"),
        (Finish::Paused, "length"),
        (Finish::Filtered, "content_filter"),
        (Finish::Other("MALFORMED_FUNCTION_CALL".into()), "stop"),
    ] {
        let candidate = Candidate { finish: Some(finish), ..Candidate::default() };
        let encoded = encode_answer(&Answer { candidates: vec![candidate], ..Answer::default() }, &echo());
        assert_eq!(json(&encoded.body)["choices"][0]["finish_reason"], reason);
    }
}

#[test]
fn an_error_under_200_is_no_answer_and_anything_else_is() {
    assert_eq!(decode_answer(r#"{"error":{"message":"no"}}"#).unwrap_err().field, "error");
    assert!(decode_answer("[]").is_err());
    assert_eq!(decode_answer("{}").unwrap().candidates, []);
}

#[test]
fn faults_have_openais_envelope() {
    let fault = json(&encode_fault(FaultClass::TooLarge, "too long"));
    assert_eq!(fault["error"]["message"], "too long");
    assert_eq!(fault["error"]["code"], "context_length_exceeded");
    assert!(fault["error"]["type"].is_string());
}

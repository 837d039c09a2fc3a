use catalogue::Dialect;

use super::super::{decode_answer, encode_answer, encode_fault};
use super::{echo, json};
use crate::fault::FaultClass;
use crate::hub::{Answer, Body, Candidate, Citation, Extras, Finish, Part, Seal};
use crate::usage::Usage;

fn answer(parts: Vec<Part>, finish: Finish) -> Answer {
    let candidate = Candidate { parts, finish: Some(finish), ..Candidate::default() };
    Answer { id: "msg_x".into(), model: "claude".into(), candidates: vec![candidate], ..Answer::default() }
}

#[test]
fn an_answer_of_another_dialect_is_a_full_response() {
    let seal = |dialect| Some(Seal { dialect, bytes: "sig".into() });
    let cited = Citation {
        url: None,
        title: Some("Log".into()),
        quote: Some("q".into()),
        span: None,
        extras: Extras::default(),
    };
    let mut answer = answer(
        vec![
            Part::new(Body::Thinking { text: "hm".into(), seal: seal(Dialect::Anthropic) }),
            Part { citations: vec![cited], ..Part::text("Hi") },
            Part::text(" you"),
            Part::new(Body::ToolCall {
                id: "t1".into(),
                name: "f".into(),
                arguments: String::new(),
                seal: None,
            }),
        ],
        Finish::ToolCalls,
    );
    answer.usage =
        Some(Usage { fresh_input: 3, cached_input: 2, output: 4, reasoning: 1, ..Usage::default() });
    let encoded = encode_answer(&answer, &echo());
    let body = json(&encoded.body);
    let item_id = |prefix: &str, at: usize| format!("{prefix}_{}{at:04x}", "0".repeat(32));
    assert_eq!(body["id"], format!("resp_{}", "0".repeat(32)));
    assert_eq!(
        (&body["model"], &body["status"], &body["created_at"]),
        (&"sea".into(), &"completed".into(), &7.into())
    );
    assert_eq!(body["output"][0]["encrypted_content"], "fairlead:anthropic:sig");
    assert_eq!(body["output"][1]["id"], item_id("msg", 1));
    assert_eq!(
        body["output"][1]["content"].as_array().unwrap().len(),
        2,
        "texts of one step are one message"
    );
    assert_eq!(body["output"][1]["content"][0]["annotations"][0]["filename"], "Log");
    assert_eq!(body["output"][2]["arguments"], "{}");
    assert_eq!(body["usage"]["input_tokens"], 5);
    assert_eq!(body["usage"]["output_tokens_details"]["reasoning_tokens"], 1);
    for key in
        ["error", "incomplete_details", "instructions", "metadata", "parallel_tool_calls", "text", "tools"]
    {
        assert!(body.get(key).is_some(), "{key}");
    }
    let fields: Vec<_> = encoded.losses.all().iter().map(|loss| loss.field.as_str()).collect();
    assert_eq!(fields, ["candidates[0].content[1].citations.cited_text"]);
}

#[test]
fn a_signed_call_has_its_signature_before_it() {
    let seal = Some(Seal { dialect: Dialect::Gemini, bytes: "abc".into() });
    let call = Body::ToolCall { id: String::new(), name: "f".into(), arguments: "{}".into(), seal };
    let body = json(&encode_answer(&answer(vec![Part::new(call)], Finish::ToolCalls), &echo()).body);
    assert_eq!(body["output"][0]["encrypted_content"], "fairlead:gemini:call:abc");
    assert_eq!(body["output"][1]["type"], "function_call");
    assert!(body["output"][1]["call_id"].as_str().is_some_and(|id| id.starts_with("call_")));
}

#[test]
fn each_ending_has_its_status() {
    let cases = [
        (Finish::Length, "incomplete", Some("max_output_tokens")),
        (Finish::Filtered, "incomplete", Some("content_filter")),
        (Finish::Paused, "incomplete", Some("paused")),
        (Finish::Other("MALFORMED".into()), "incomplete", Some("MALFORMED")),
        (Finish::StopSequence, "completed", None),
    ];
    for (finish, status, reason) in cases {
        let body = json(&encode_answer(&answer(vec![], finish), &echo()).body);
        assert_eq!(body["status"], status);
        assert_eq!(body["incomplete_details"]["reason"].as_str(), reason);
    }
    let cut = r#"{"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}"#;
    assert_eq!(decode_answer(cut).unwrap().candidates[0].finish, Some(Finish::Filtered));
}

#[test]
fn usage_is_taken_apart_and_kept() {
    let body = r#"{"status":"completed","output":[],"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":6},"cost":0.10}}"#;
    let answer = decode_answer(body).unwrap();
    let buckets = Usage {
        fresh_input: 4,
        cached_input: 4,
        cache_write: 2,
        output: 3,
        reasoning: 6,
        billed_nano_dollars: Some(100_000_000),
        ..Usage::default()
    };
    assert_eq!(answer.usage, Some(buckets));
    assert!(encode_answer(&answer, &echo()).body.contains(r#""cost":0.10"#));
}

#[test]
fn what_failed_or_is_none_is_no_answer() {
    let failed = r#"{"id":"r","status":"failed","error":{"code":"server_error","message":"m"},"output":[]}"#;
    assert_eq!(decode_answer(failed).unwrap_err().field, "error");
    assert!(decode_answer(r#"{"detail":"no"}"#).is_err());
    assert!(decode_answer("7").is_err());
}

#[test]
fn faults_have_openais_names() {
    let body = json(&encode_fault(FaultClass::RateLimited, "slow"));
    assert_eq!(body["error"]["type"], "rate_limit_error");
    assert_eq!(
        (&body["error"]["code"], &body["error"]["message"]),
        (&"rate_limit_exceeded".into(), &"slow".into())
    );
}

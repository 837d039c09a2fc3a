//! Conversations of other dialects.

use catalogue::Dialect;
use serde_json::json;

use super::super::{decode_request, encode_request};
use super::{call, json, request, result, said, thought, told, turn};
use crate::dialects::DecodeError;
use crate::hub::{Body, Media, MediaKind, Part, Role, Source};
use crate::loss::Weight;

#[test]
fn what_leads_is_the_system_prompt_and_later_instructions_are_marked() {
    let encoded = encode_request(&request(vec![
        said(Role::System, "Be kind."),
        said(Role::Developer, "Be brief."),
        said(Role::User, "Hi"),
        said(Role::Assistant, "Hello"),
        said(Role::System, "Speak French."),
    ]));
    let body = json(&encoded.body);
    assert_eq!(
        body["system"],
        json!([{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be brief."}])
    );
    let last = &body["messages"][2];
    assert_eq!(last["role"], "user");
    assert_eq!(
        last["content"][0]["text"],
        "Instruction from the operator of this application, not from the user:\nSpeak French."
    );
    assert_eq!(told(&encoded), [("messages[4].role", Weight::Hint)]);
}

#[test]
fn turns_alternate_and_results_come_first() {
    let encoded = encode_request(&request(vec![
        said(Role::User, "Go"),
        turn(Role::Assistant, vec![call("a", "f", "{}"), call("b", "g", "")]),
        turn(Role::Tool, vec![result("a", "1")]),
        said(Role::User, "wait"),
        turn(Role::Tool, vec![result("b", "2")]),
    ]));
    let body = json(&encoded.body);
    let kinds: Vec<_> = body["messages"][2]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["type"].clone())
        .collect();
    assert_eq!(kinds, ["tool_result", "tool_result", "text"]);
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
    assert_eq!(body["messages"][1]["content"][1]["input"], json!({}), "no arguments are an empty object");
    assert_eq!(told(&encoded), [("messages[4].content[0]", Weight::Hint)]);
}

#[test]
fn the_user_opens_and_empty_texts_are_left_out() {
    let encoded = encode_request(&request(vec![said(Role::Assistant, "Ask me."), said(Role::User, "")]));
    let body = json(&encoded.body);
    assert_eq!(body["messages"][0], json!({"role": "user", "content": "."}));
    assert_eq!(body["messages"].as_array().unwrap().len(), 2);
    assert_eq!(body["max_tokens"], 32_000);
    assert_eq!(told(&encoded), [("messages[0].role", Weight::Hint)]);
}

#[test]
fn only_own_thoughts_are_sent_back() {
    let parts = vec![
        thought("mine", Some((Dialect::Anthropic, "sig"))),
        thought("", Some((Dialect::Anthropic, "redacted_thinking:data"))),
        thought("theirs", Some((Dialect::OpenaiResponses, "enc"))),
        thought("unsealed", None),
        Part::text("so"),
    ];
    let encoded = encode_request(&request(vec![said(Role::User, "?"), turn(Role::Assistant, parts)]));
    assert_eq!(
        json(&encoded.body)["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "mine", "signature": "sig"},
            {"type": "redacted_thinking", "data": "data"},
            {"type": "text", "text": "so"},
        ])
    );
    assert_eq!(
        told(&encoded),
        [
            ("messages[1].content[2].signature", Weight::Hint),
            ("messages[1].content[2].reasoning_content", Weight::Hint),
            ("messages[1].content[3].reasoning_content", Weight::Hint),
        ]
    );
}

#[test]
fn a_client_s_own_token_of_another_provider_is_not_sent_to_this_one() {
    let body = r#"{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"fairlead:gemini:abc"},{"type":"text","text":"a"}]}]}"#;
    let encoded = encode_request(&decode_request(body).unwrap());
    assert_eq!(json(&encoded.body)["messages"][0]["content"], json!([{"type": "text", "text": "a"}]));
    assert_eq!(
        told(&encoded),
        [
            ("messages[0].content[0].signature", Weight::Hint),
            ("messages[0].content[0].thinking", Weight::Hint)
        ]
    );
}

#[test]
fn arguments_that_are_no_object_are_wrapped() {
    let parts = vec![call("a", "f", "[1"), call("b", "f", "{\"x\": 1.0}")];
    let encoded = encode_request(&request(vec![said(Role::User, "?"), turn(Role::Assistant, parts)]));
    let body = json(&encoded.body);
    assert_eq!(body["messages"][1]["content"][0]["input"], json!({"arguments": "[1"}));
    assert!(encoded.body.contains(r#""input":{"x": 1.0}"#), "the others stay as they are spelt");
    assert_eq!(told(&encoded), [("messages[1].content[0].arguments", Weight::Hint)]);
}

#[test]
fn media_are_sent_where_there_is_a_place_for_them() {
    let medium =
        |kind, source| Part::new(Body::Media(Media { kind, source, name: None, detail: Some("low".into()) }));
    let inline = |mime: &str| Source::Inline { mime: mime.into(), data: "QUJD".into() };
    let parts = vec![
        medium(MediaKind::Image, Source::Url { url: "https://example.org/a.png".into(), mime: None }),
        medium(MediaKind::Audio, inline("audio/wav")),
        medium(MediaKind::Document, inline("application/pdf")),
        medium(MediaKind::Document, inline("text/csv")),
    ];
    let encoded = encode_request(&request(vec![turn(Role::User, parts)]));
    assert_eq!(
        json(&encoded.body)["messages"][0]["content"],
        json!([
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "ABC"}},
        ])
    );
    let meanings: Vec<_> =
        told(&encoded).into_iter().filter(|(_, weight)| *weight == Weight::Meaning).collect();
    assert_eq!(
        meanings,
        [
            ("messages[0].content[1].input_audio.data", Weight::Meaning),
            ("messages[0].content[1].input_audio.format", Weight::Meaning),
        ]
    );
}

#[test]
fn what_meaning_hangs_on_is_an_error_with_its_place() {
    let error = |body: &str| decode_request(body).map(|_| ()).unwrap_err();
    assert_eq!(error("[]"), DecodeError::new("", "must be a JSON object"));
    assert_eq!(error("{}").field, "messages");
    assert_eq!(error(r#"{"messages":[{"role":"owner","content":"x"}]}"#).field, "messages[0].role");
    assert_eq!(error(r#"{"messages":[{"role":"user","content":7}]}"#).field, "messages[0].content");
}

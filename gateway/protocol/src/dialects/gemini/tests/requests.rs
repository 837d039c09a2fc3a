//! What other dialects ask, as Google wants it; and what is read of a request of its own.

use catalogue::Dialect;
use serde_json::{Value, json};

use super::super::{decode_answer, decode_request, encode_request};
use super::{events, from_chat};
use crate::hub::{
    Body, Effort, Media, MediaKind, Part, Reasoning, Request, Role, Seal, Search, Source, Tool, ToolBody,
    ToolChoice, Turn,
};
use crate::json::RawJson;

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts, extras: from_chat() }
}

fn call(id: &str, name: &str, seal: Option<Seal>) -> Part {
    Part::new(Body::ToolCall { id: id.into(), name: name.into(), arguments: r#"{"z":1,"a":2}"#.into(), seal })
}

fn result(call: &str, parts: Vec<Part>, failed: bool) -> Part {
    Part::new(Body::ToolResult { call: call.into(), name: None, parts, failed })
}

fn picture() -> Part {
    let source = Source::Inline { mime: "image/png".into(), data: "aQ==".into() };
    Part::new(Body::Media(Media { kind: MediaKind::Image, source, name: None, detail: None }))
}

fn request(model: &str, turns: Vec<Turn>) -> Request {
    Request { model: model.into(), turns, extras: from_chat(), ..Request::default() }
}

fn sent(request: &Request) -> Value {
    serde_json::from_str(&encode_request(request).body).unwrap()
}

fn told(request: &Request) -> Vec<String> {
    encode_request(request).losses.all().iter().map(|loss| loss.field.clone()).collect()
}

#[test]
fn results_of_a_turn_are_one_content_with_names_and_nothing_else() {
    let turns = vec![
        turn(Role::Developer, vec![Part::text("Be brief.")]),
        turn(Role::Assistant, vec![call("c1", "tide", None), call("c2", "wind", None)]),
        turn(Role::Tool, vec![result("c1", vec![Part::text("high")], false)]),
        turn(Role::Tool, vec![result("c2", vec![Part::text(r#"{"knots":7}"#)], false)]),
        turn(Role::User, vec![Part::text("So?")]),
    ];
    let request = request("gemini-3-flash-preview", turns);
    let args = json!({"z": 1, "a": 2});
    let expected = json!({
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "model", "parts": [
                {"functionCall": {"id": "c1", "name": "tide", "args": args},
                 "thoughtSignature": "skip_thought_signature_validator"},
                {"functionCall": {"id": "c2", "name": "wind", "args": args}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "c1", "name": "tide", "response": {"output": "high"}}},
                {"functionResponse": {"id": "c2", "name": "wind", "response": {"knots": 7}}}]},
            {"role": "user", "parts": [{"text": "So?"}]}]});
    assert_eq!(sent(&request), expected);
    assert_eq!(told(&request), ["messages[1].content[0].signature (encrypted_content)"]);
}

#[test]
fn only_own_seals_reach_google() {
    let seal = |dialect, bytes: &str| Some(Seal { dialect, bytes: bytes.into() });
    let thought = Body::Thinking { text: String::new(), seal: seal(Dialect::Anthropic, "secret") };
    let own = call("c1", "f", seal(Dialect::Gemini, "mine"));
    let turns = vec![turn(Role::Assistant, vec![Part::new(thought), own])];
    let request = request("gemini-3-pro", turns);
    let parts = &sent(&request)["contents"][0]["parts"];
    assert_eq!(parts[0]["thoughtSignature"], "mine", "the redacted thought has nothing left to send");
    assert_eq!(parts.as_array().unwrap().len(), 1);
    assert_eq!(told(&request), ["messages[0].content[0].signature (encrypted_content)"]);
}

#[test]
fn a_picture_of_a_result_stays_in_it_since_gemini_3() {
    let turns = || {
        let parts = vec![Part::text("see"), picture()];
        vec![
            turn(Role::Tool, vec![result("c1", parts, true), result("c2", vec![], false)]),
            turn(Role::User, vec![Part::text("So?")]),
        ]
    };
    let inline = json!({"inlineData": {"mimeType": "image/png", "data": "aQ=="}});
    let new = sent(&request("gemini-3-pro", turns()));
    let response = &new["contents"][0]["parts"][0]["functionResponse"];
    assert_eq!(response["parts"][0], inline);
    assert_eq!(response["response"], json!({"error": "see"}));
    let old = sent(&request("gemini-2.5-pro", turns()));
    assert_eq!(old["contents"][0]["parts"].as_array().unwrap().len(), 2, "results only");
    assert_eq!(old["contents"][1]["parts"], json!([inline, {"text": "So?"}]));
}

#[test]
fn thinking_is_told_as_the_model_wants_it() {
    let thinking = |model: &str, reasoning: Reasoning| {
        let mut request = request(model, Vec::new());
        request.reasoning = Some(Reasoning { extras: from_chat(), ..reasoning });
        sent(&request)["generationConfig"]["thinkingConfig"].clone()
    };
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let budget = |budget| Reasoning { budget: Some(budget), ..Reasoning::default() };
    assert_eq!(
        thinking("gemini-3-pro", effort(Effort::High)),
        json!({"thinkingLevel": "high", "includeThoughts": true})
    );
    assert_eq!(
        thinking("gemini-2.5-pro", effort(Effort::High)),
        json!({"thinkingBudget": 24576, "includeThoughts": true})
    );
    assert_eq!(thinking("gemini-2.5-flash", effort(Effort::None)), json!({"thinkingBudget": 0}));
    assert_eq!(thinking("gemini-3-pro", budget(0)), json!({"thinkingLevel": "low"}));
    assert_eq!(
        thinking("gemini-3-pro", budget(500)),
        json!({"thinkingBudget": 500, "includeThoughts": true})
    );
    let shown = Reasoning { summary: Some("auto".into()), ..effort(Effort::Low) };
    assert_eq!(thinking("gemini-3-pro", shown), json!({"thinkingLevel": "low", "includeThoughts": true}));
}

#[test]
fn foreign_tools_keep_their_schema_and_share_one_object() {
    let schema = RawJson::parse(r#"{"type":"object","properties":{"b":{},"a":{}}}"#);
    let function = |name: &str| ToolBody::Function {
        name: name.into(),
        description: None,
        parameters: schema.clone(),
        strict: Some(true),
    };
    let foreign = ToolBody::Foreign {
        dialect: Dialect::Anthropic,
        json: RawJson::parse(r#"{"type":"bash"}"#).unwrap(),
    };
    let bodies = [function("f"), foreign, function("g"), ToolBody::WebSearch(Search::default())];
    let mut request = request("gemini-3-pro", Vec::new());
    request.tools = bodies.into_iter().map(|body| Tool { body, cache: None, extras: from_chat() }).collect();
    request.tool_choice = Some(ToolChoice::Named("f".into()));
    let body = encode_request(&request);
    assert!(body.body.contains(r#""parametersJsonSchema":{"type":"object","properties":{"b":{},"a":{}}}"#));
    let sent = sent(&request);
    assert_eq!(sent["tools"][0]["functionDeclarations"].as_array().unwrap().len(), 2);
    assert_eq!(sent["tools"][1], json!({"googleSearch": {}}));
    let calling = json!({"mode": "ANY", "allowedFunctionNames": ["f"]});
    let config = json!({"functionCallingConfig": calling, "includeServerSideToolInvocations": true});
    assert_eq!(sent["toolConfig"], config);
    let told = told(&request);
    assert_eq!(told, ["tools[0].strict", "tools[1].type", "tools[2].strict"]);
}

#[test]
fn capital_types_are_small_in_the_hub() {
    let schema = r#"{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}"#;
    let body = format!(
        r#"{{"contents":[],"tools":[{{"functionDeclarations":[{{"name":"f","parameters":{schema}}}]}}]}}"#
    );
    let decoded = decode_request(&body).unwrap();
    let ToolBody::Function { parameters: Some(parameters), .. } = &decoded.tools[0].body else { panic!("f") };
    assert_eq!(parameters.get(), r#"{"type":"object","properties":{"a":{"type":"string"}}}"#);
    assert!(encode_request(&decoded).body.contains(schema));
}

#[test]
fn what_meaning_hangs_on_is_needed() {
    for (body, field) in [("[]", ""), ("{}", "contents"), (r#"{"contents":[7]}"#, "contents[0]")] {
        assert_eq!(decode_request(body).unwrap_err().field, field, "{body}");
    }
}

#[test]
fn every_cut_of_a_case_is_read_or_refused_without_panic() {
    let case = include_str!("../../../../corpus/dialects/gemini/parallel_tools.json");
    for (head, rest) in (0..case.len()).filter_map(|at| case.split_at_checked(at)) {
        decode_request(head).ok();
        decode_answer(rest).ok();
        events(&[head, rest]);
    }
    let deep = format!(r#"{{"contents":[{{"parts":[{}{}]}}]}}"#, "[".repeat(9999), "]".repeat(9999));
    decode_request(&deep).map(|request| encode_request(&request)).ok();
}

//! Requests: what is read besides OpenAI's own words, and what is written for other dialects.

use catalogue::Dialect;
use serde_json::json as value;

use super::super::{decode_request, encode_request};
use super::{CHAT, call, extras, json, seal};
use crate::hub::{
    Body, CacheHint, Effort, Extras, Media, MediaKind, Part, Reasoning, Request, Role, Search, Source, Tool,
    ToolBody, Turn,
};
use crate::loss::Weight;

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts, extras: crate::hub::Extras::default() }
}

fn result(call: &str, parts: Vec<Part>, failed: bool) -> Part {
    Part::new(Body::ToolResult { call: call.into(), name: None, parts, failed })
}

fn image() -> Part {
    let source = Source::Inline { mime: "image/png".into(), data: "AA==".into() };
    Part::new(Body::Media(Media { kind: MediaKind::Image, source, name: None, detail: None }))
}

fn written(turns: Vec<Turn>) -> (serde_json::Value, Vec<(String, Weight)>) {
    let encoded = encode_request(&Request { turns, ..Request::default() });
    let losses = encoded.losses.all().iter().map(|loss| (loss.field.clone(), loss.weight)).collect();
    (json(&encoded.body)["messages"].clone(), losses)
}

#[test]
fn a_message_without_a_known_role_is_refused_by_its_place() {
    let error = decode_request(r#"{"messages":[{"role":"user","content":"a"},{"role":"x"}]}"#).unwrap_err();
    assert_eq!(error.field, "messages[1].role");
    assert_eq!(decode_request(r#"{"messages":"x"}"#).unwrap_err().field, "messages");
    assert!(decode_request("[]").is_err());
}

#[test]
fn a_signature_in_an_id_is_read_and_the_id_is_cleaned_in_call_and_result() {
    let body = r#"{"messages":[
        {"role":"assistant","tool_calls":[{"id":"c1__thought__c2ln","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"c1__thought__c2ln","content":"x"}]}"#;
    let request = decode_request(body).unwrap();
    let expected = Body::ToolCall {
        id: "c1".into(),
        name: "f".into(),
        arguments: "{}".into(),
        seal: Some(seal(Dialect::Gemini, "c2ln")),
    };
    assert_eq!(request.turns[0].parts[0].body, expected);
    assert!(matches!(&request.turns[1].parts[0].body, Body::ToolResult { call, .. } if call == "c1"));
    assert_eq!(
        json(&encode_request(&request).body)["messages"],
        json(body)["messages"],
        "at home it goes back whole"
    );
}

#[test]
fn a_bare_signature_in_thinking_blocks_is_anthropics_and_a_token_names_its_author() {
    let body = r#"{"messages":[{"role":"assistant","content":"","thinking_blocks":[
        {"type":"thinking","thinking":"a","signature":"s"},
        {"type":"redacted_thinking","data":"fairlead:gemini:g"}]}]}"#;
    let parts = decode_request(body).unwrap().turns.remove(0).parts;
    let seals: Vec<_> = parts
        .iter()
        .map(|part| match &part.body {
            Body::Thinking { seal, .. } => seal.clone().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seals, [seal(Dialect::Anthropic, "s"), seal(Dialect::Gemini, "g")]);
}

#[test]
fn results_come_before_what_the_user_says_and_their_images_after_all_of_them() {
    let turns = vec![
        turn(Role::Assistant, vec![call("a", "f", None), call("b", "f", None)]),
        turn(
            Role::User,
            vec![
                Part::text("look"),
                result("a", vec![Part::text("one"), image()], false),
                result("b", vec![Part::text("two")], true),
            ],
        ),
    ];
    let (messages, losses) = written(turns);
    let roles: Vec<_> = messages.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["assistant", "tool", "tool", "user", "user"]);
    assert_eq!(messages[1]["content"], "one");
    assert_eq!(messages[2]["content"], "Error: two", "a failure is told in words");
    assert_eq!(messages[3]["content"][1]["image_url"]["url"], "data:image/png;base64,AA==");
    assert_eq!(messages[4]["content"], "look");
    assert!(losses.iter().all(|(_, weight)| *weight == Weight::Hint), "{losses:?}");
    assert!(losses.iter().any(|(field, _)| field.ends_with("is_error")));
}

#[test]
fn calls_without_ids_get_some_and_results_find_them_by_name() {
    let answer = |name: &str| {
        let name = Some(name.to_owned());
        Part::new(Body::ToolResult { call: String::new(), name, parts: vec![Part::text("x")], failed: false })
    };
    let (messages, losses) = written(vec![
        turn(Role::Assistant, vec![call("", "f", None), call("", "g", None)]),
        turn(Role::User, vec![answer("g"), answer("f")]),
    ]);
    assert_eq!(messages[0]["tool_calls"][1]["id"], messages[1]["tool_call_id"]);
    assert_eq!(messages[0]["tool_calls"][0]["id"], messages[2]["tool_call_id"]);
    assert_ne!(messages[1]["tool_call_id"], messages[2]["tool_call_id"]);
    assert!(losses.is_empty(), "{losses:?}");
}

#[test]
fn a_thought_goes_without_a_seal_that_is_not_ours_and_not_at_all_if_it_is_nothing_else() {
    let thought = |text: &str| {
        Part::new(Body::Thinking { text: text.into(), seal: Some(seal(Dialect::Anthropic, "s")) })
    };
    let (messages, losses) =
        written(vec![turn(Role::Assistant, vec![thought("hm"), thought(""), Part::text("yes")])]);
    assert_eq!(messages, value!([{"role": "assistant", "content": "yes", "reasoning_content": "hm"}]));
    let fields: Vec<_> = losses.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["messages[0].content[0].signature", "messages[0].content[1].data (signature)"]);
}

#[test]
fn openrouters_details_are_sealed_and_sent_back_as_they_came() {
    let details = r#"[{"type":"reasoning.text","text":"hm","signature":"s","index":0}]"#;
    let thought = Part::new(Body::Thinking { text: "hm".into(), seal: Some(seal(CHAT, details)) });
    let (messages, losses) = written(vec![turn(Role::Assistant, vec![thought, Part::text("yes")])]);
    assert_eq!(messages[0]["reasoning_details"], json(details));
    assert!(losses.is_empty());
}

#[test]
fn cache_hints_of_other_dialects_stay_behind_and_are_told() {
    let mut part = Part::text("long");
    part.cache = Some(CacheHint { ttl: None });
    let (messages, losses) = written(vec![turn(Role::System, vec![part])]);
    assert_eq!(messages, value!([{"role": "system", "content": "long"}]));
    assert_eq!(losses, [("messages[0].content[0].cache_control".to_owned(), Weight::Hint)]);
}

#[test]
fn budgets_become_steps_and_developers_system() {
    for (budget, step) in [(0, "none"), (500, "low"), (2000, "medium"), (30_000, "high")] {
        let reasoning = Some(Reasoning { budget: Some(budget), ..Reasoning::default() });
        let encoded = encode_request(&Request { reasoning, ..Request::default() });
        assert_eq!(json(&encoded.body)["reasoning_effort"], step);
        assert_eq!(encoded.losses.all().is_empty(), budget == 0);
    }
    let (messages, _) = written(vec![turn(Role::Developer, vec![Part::text("x")])]);
    assert_eq!(messages[0]["role"], "system");
}

#[test]
fn what_has_no_place_is_told_where_it_stood() {
    let search = Tool {
        body: ToolBody::WebSearch(Search { max_uses: Some(2), ..Search::default() }),
        cache: None,
        extras: Extras::default(),
    };
    let json_text = crate::json::RawJson::parse(r#"{"type":"bash_20250124","name":"bash"}"#).unwrap();
    let bash = ToolBody::Foreign { dialect: Dialect::Anthropic, json: json_text };
    let request = Request {
        tools: vec![search, Tool { body: bash, cache: None, extras: crate::hub::Extras::default() }],
        service_tier: Some("standard_only".into()),
        extras: extras(Dialect::OpenaiResponses, "previous_response_id", "\"r\""),
        ..Request::default()
    };
    let encoded = encode_request(&request);
    let losses: Vec<_> = encoded.losses.all().iter().map(|loss| (loss.field.as_str(), loss.weight)).collect();
    let expected = [
        ("tools[0].max_uses", Weight::Hint),
        ("tools[1].type", Weight::Meaning),
        ("tools[1].name", Weight::Meaning),
        ("service_tier", Weight::Hint),
        ("previous_response_id", Weight::Meaning),
    ];
    assert_eq!(losses, expected);
    assert_eq!(json(&encoded.body)["web_search_options"], value!({}));
}

#[test]
fn litellms_thinking_is_a_budget_and_openrouters_reasoning_an_effort() {
    let read = |body: &str| decode_request(body).unwrap().reasoning.unwrap();
    assert_eq!(read(r#"{"messages":[],"thinking":{"type":"enabled","budget_tokens":9}}"#).budget, Some(9));
    assert_eq!(read(r#"{"messages":[],"reasoning":{"effort":"xhigh"}}"#).effort, Some(Effort::XHigh));
    let other =
        decode_request(r#"{"messages":[],"thinking":{"type":"enabled","clear_thinking":true}}"#).unwrap();
    assert_eq!((other.reasoning, other.extras.fields.len()), (None, 1), "another provider's stays as it is");
}

#[test]
fn a_limit_is_written_as_all_imitators_know_it() {
    let encoded = encode_request(&Request { max_output: Some(5), ..Request::default() });
    assert_eq!(json(&encoded.body)["max_tokens"], 5);
    let both = r#"{"model":"m","messages":[],"max_completion_tokens":5,"max_tokens":6}"#;
    assert_eq!(json(&encode_request(&decode_request(both).unwrap()).body), json(both));
}

#[test]
fn sound_by_url_is_refused_unless_its_client_wrote_it_here() {
    let source = Source::Url { url: "https://x.example/a.mp3".into(), mime: None };
    let sound = Part::new(Body::Media(Media { kind: MediaKind::Audio, source, name: None, detail: None }));
    let (messages, losses) = written(vec![turn(Role::User, vec![Part::text("hear"), sound])]);
    assert_eq!(messages, value!([{"role": "user", "content": "hear"}]));
    assert_eq!(losses.iter().map(|(_, weight)| *weight).collect::<Vec<_>>(), [Weight::Meaning]);
}

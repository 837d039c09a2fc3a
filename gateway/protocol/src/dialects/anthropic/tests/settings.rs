//! Settings of other dialects.

use catalogue::Dialect;
use serde_json::{Value, json};

use super::super::encode_request;
use super::{call, json, request, result, said, thought, told, turn};
use crate::hub::{
    Effort, Extras, Format, Reasoning, Request, Role, Sampling, Search, Tool, ToolBody, ToolChoice, Turn,
};
use crate::json::RawJson;
use crate::loss::{Encoded, Weight};

fn number(text: &str) -> Option<RawJson> {
    RawJson::parse(text)
}

fn thinks(model: &str, effort: Effort, change: impl FnOnce(&mut Request)) -> (Value, Encoded) {
    let reasoning = Reasoning { effort: Some(effort), ..Reasoning::default() };
    let mut request = Request { reasoning: Some(reasoning), ..request(vec![said(Role::User, "?")]) };
    request.model = model.to_owned();
    change(&mut request);
    let encoded = encode_request(&request);
    (json(&encoded.body), encoded)
}

fn tool(name: &str) -> Tool {
    let body = ToolBody::Function { name: name.into(), description: None, parameters: None, strict: None };
    Tool { body, cache: None, extras: Extras::default() }
}

#[test]
fn older_models_think_within_a_budget() {
    let (body, encoded) = thinks("claude-haiku-4-5", Effort::High, |_| {});
    assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": 4096}));
    assert_eq!(told(&encoded), [("reasoning_effort", Weight::Hint)]);
    let (body, _) = thinks("claude-haiku-4-5", Effort::High, |request| request.max_output = Some(2000));
    assert_eq!(body["thinking"]["budget_tokens"], 1999, "less than the limit");
    let (body, _) = thinks("claude-haiku-4-5", Effort::High, |request| request.max_output = Some(500));
    assert_eq!(body["thinking"], Value::Null, "the limit leaves none");
}

#[test]
fn newer_models_think_as_much_as_the_effort_says_and_take_no_sampling() {
    let (body, encoded) = thinks("claude-opus-4-7", Effort::Max, |request| {
        request.sampling = Sampling { temperature: number("0.5"), ..Sampling::default() };
    });
    let shown = json!({"type": "adaptive", "display": "summarized"});
    assert_eq!(body["thinking"], shown, "these show no thoughts unless asked to");
    assert_eq!(body["output_config"], json!({"effort": "max"}));
    assert_eq!(body["temperature"], Value::Null);
    assert_eq!(told(&encoded), [("temperature", Weight::Hint)]);
}

#[test]
fn no_thinking_is_asked_for_where_the_api_would_refuse_it() {
    let forced = |request: &mut Request| {
        request.tools = vec![tool("f")];
        request.tool_choice = Some(ToolChoice::Required);
    };
    let (body, _) = thinks("claude-haiku-4-5", Effort::Low, forced);
    assert_eq!((&body["thinking"], &body["tool_choice"]), (&Value::Null, &json!({"type": "any"})));
    let (body, _) = thinks("claude-opus-4-6", Effort::Low, forced);
    assert_eq!((&body["thinking"], &body["output_config"]), (&Value::Null, &json!({"effort": "low"})));
    let (body, _) =
        thinks("claude-haiku-4-5", Effort::Low, |request| request.turns.push(said(Role::Assistant, "So")));
    assert_eq!(body["thinking"], Value::Null, "a begun answer");
}

#[test]
fn a_loop_of_tools_goes_on_to_think_only_if_its_thoughts_are_there() {
    let looping = |said_before: Vec<_>| -> Vec<Turn> {
        let mut parts = said_before;
        parts.push(call("a", "f", "{}"));
        vec![said(Role::User, "?"), turn(Role::Assistant, parts), turn(Role::Tool, vec![result("a", "1")])]
    };
    let (body, _) = thinks("claude-haiku-4-5", Effort::Low, |request| request.turns = looping(Vec::new()));
    assert_eq!(body["thinking"], Value::Null);
    let own = thought("t", Some((Dialect::Anthropic, "sig")));
    let (body, _) = thinks("claude-haiku-4-5", Effort::Low, |request| request.turns = looping(vec![own]));
    assert_eq!(body["thinking"]["type"], "enabled");
}

#[test]
fn what_anthropic_lacks_is_told_by_its_weight() {
    let mut asked = request(vec![said(Role::User, "?")]);
    asked.sampling = Sampling {
        temperature: number("1.7"),
        seed: number("7"),
        frequency_penalty: number("0.1"),
        n: Some(2),
        stop: vec!["END".into(), " \n".into()],
        ..Sampling::default()
    };
    asked.format = Some(Format::Json);
    asked.metadata = number(r#"{"team":"a"}"#);
    asked.extras.fields = vec![
        ("logit_bias".into(), number("{}").unwrap()),
        ("modalities".into(), number(r#"["audio"]"#).unwrap()),
    ];
    let encoded = encode_request(&asked);
    let body = json(&encoded.body);
    assert_eq!((&body["temperature"], &body["stop_sequences"]), (&json!(1), &json!(["END"])));
    let asked = body["system"][0]["text"].as_str().unwrap();
    assert!(asked.contains("JSON object"), "any JSON is asked for in words");
    assert_eq!(
        told(&encoded),
        [
            ("logit_bias", Weight::Hint),
            ("modalities[]", Weight::Meaning),
            ("temperature", Weight::Hint),
            ("stop", Weight::Hint),
            ("n", Weight::Meaning),
            ("seed", Weight::Hint),
            ("frequency_penalty", Weight::Hint),
            ("response_format.type", Weight::Hint),
            ("metadata.team", Weight::Hint),
        ]
    );
}

#[test]
fn tools_and_schemas_of_others_get_the_shape_of_this_dialect() {
    let mut asked = request(vec![said(Role::User, "?")]);
    let schema = number(r#"{"type":"object"}"#).unwrap();
    asked.tools = vec![
        tool("f"),
        Tool { body: ToolBody::WebSearch(Search::default()), cache: None, extras: Extras::default() },
    ];
    asked.parallel_tools = Some(false);
    asked.user = Some("u".into());
    asked.format = Some(Format::Schema {
        name: Some("s".into()),
        description: None,
        schema,
        strict: Some(true),
        extras: Extras::default(),
    });
    let encoded = encode_request(&asked);
    let body = json(&encoded.body);
    assert_eq!(
        body["tools"],
        json!([
            {"name": "f", "input_schema": {"type": "object", "properties": {}}},
            {"type": "web_search_20250305", "name": "web_search"},
        ])
    );
    assert_eq!(body["tool_choice"], json!({"type": "auto", "disable_parallel_tool_use": true}));
    assert_eq!(
        body["output_config"],
        json!({"format": {"type": "json_schema", "schema": {"type": "object"}}})
    );
    assert_eq!(body["metadata"], json!({"user_id": "u"}));
    assert_eq!(told(&encoded), [("response_format.name", Weight::Hint)]);
}

#[test]
fn a_choice_without_tools_is_not_sent() {
    let mut asked = request(vec![said(Role::User, "?")]);
    asked.tool_choice = Some(ToolChoice::Auto);
    asked.parallel_tools = Some(false);
    assert_eq!(json(&encode_request(&asked).body)["tool_choice"], Value::Null);
}

#[test]
fn tools_that_the_choice_does_not_allow_are_left_out() {
    let mut asked = request(vec![said(Role::User, "?")]);
    asked.tools = vec![tool("f"), tool("g")];
    asked.tool_choice = Some(ToolChoice::Allowed { required: true, names: vec!["g".into(), "h".into()] });
    let encoded = encode_request(&asked);
    let body = json(&encoded.body);
    assert_eq!(body["tools"][0]["name"], "g");
    assert_eq!((body["tools"].as_array().unwrap().len(), &body["tool_choice"]), (1, &json!({"type": "any"})));
    assert_eq!(
        told(&encoded),
        [
            ("tools[0].name", Weight::Hint),
            ("tools[0].description", Weight::Hint),
            ("tool_choice.allowed_tools.tools[1].name", Weight::Hint),
        ]
    );
}

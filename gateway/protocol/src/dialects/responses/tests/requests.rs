use catalogue::Dialect;

use super::super::{decode_request, encode_request};
use super::json;
use crate::hub::{
    Body, CacheHint, Effort, Extras, Media, MediaKind, Part, Reasoning, Request, Role, Sampling, Seal,
    Search, Source, Tool, ToolBody, Turn,
};
use crate::json::RawJson;
use crate::loss::Weight;

fn from(dialect: Dialect) -> Request {
    Request { model: "m".into(), extras: Extras::new(dialect, Vec::new()), ..Request::default() }
}

fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts, extras: Extras::default() }
}

fn call(id: &str, seal: Option<Seal>) -> Part {
    Part::new(Body::ToolCall { id: id.into(), name: "f".into(), arguments: String::new(), seal })
}

fn result(call: &str, parts: Vec<Part>) -> Part {
    Part::new(Body::ToolResult { call: call.into(), name: Some("f".into()), parts, failed: true })
}

fn losses(request: &Request) -> Vec<(String, Weight)> {
    encode_request(request).losses.all().iter().map(|loss| (loss.field.clone(), loss.weight)).collect()
}

#[test]
fn only_an_input_of_another_kind_is_refused() {
    assert_eq!(decode_request(r#"{"model":"m","input":7}"#).unwrap_err().field, "input");
    assert!(decode_request("[]").is_err());
    for odd in
        [r#"{"input":[7,{"type":"message"},{"role":"x","content":"y"}]}"#, r#"{"tools":[1],"text":3}"#, "{}"]
    {
        let encoded = encode_request(&decode_request(odd).unwrap());
        assert_eq!(json(&encoded.body), json(odd), "{odd}");
    }
}

#[test]
fn a_step_with_text_and_calls_is_several_items() {
    let mut request = from(Dialect::Anthropic);
    request.turns = vec![
        turn(Role::User, vec![Part::text("hi")]),
        turn(Role::Assistant, vec![Part::text("a"), Part::text("b"), call("c1", None), call("c2", None)]),
        turn(
            Role::Tool,
            vec![result("c1", vec![Part::text("1")]), result("c2", vec![]), Part::text("go on")],
        ),
    ];
    let encoded = encode_request(&request);
    let input = &json(&encoded.body)["input"];
    assert_eq!(
        *input,
        json(
            r#"[{"type":"message","role":"user","content":"hi"},
            {"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"},{"type":"output_text","text":"b"}]},
            {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
            {"type":"function_call","call_id":"c2","name":"f","arguments":"{}"},
            {"type":"function_call_output","call_id":"c1","output":"1"},
            {"type":"function_call_output","call_id":"c2","output":""},
            {"type":"message","role":"user","content":"go on"}]"#
        )
    );
    assert_eq!(encoded.losses.all().len(), 2, "that the tools failed: {:?}", encoded.losses);
}

#[test]
fn calls_without_ids_are_matched_by_name_and_order() {
    let mut request = from(Dialect::Gemini);
    request.turns = vec![
        turn(Role::Assistant, vec![call("", None), call("", None)]),
        turn(Role::User, vec![result("", vec![]), result("", vec![])]),
    ];
    let body = json(&encode_request(&request).body);
    let ids: Vec<_> = body["input"].as_array().unwrap().iter().map(|item| item["call_id"].clone()).collect();
    assert_eq!((&ids[0], &ids[1]), (&ids[2], &ids[3]));
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn thoughts_go_back_only_with_our_own_seal() {
    let think = |text: &str, dialect: Option<Dialect>| {
        let seal = dialect.map(|dialect| Seal { dialect, bytes: "s".into() });
        Part::new(Body::Thinking { text: text.into(), seal })
    };
    let mut request = from(Dialect::Anthropic);
    let thoughts = vec![
        think("a", None),
        think("b", Some(Dialect::OpenaiResponses)),
        think("c", Some(Dialect::Anthropic)),
    ];
    request.turns = vec![turn(Role::Assistant, thoughts), turn(Role::User, vec![Part::text("on")])];
    let encoded = encode_request(&request);
    let body = json(&encoded.body);
    assert_eq!(
        body["input"][0],
        json(
            r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"s"}"#
        )
    );
    assert_eq!(body["input"][1]["role"], "user");
    assert_eq!(body["include"], json(r#"["reasoning.encrypted_content"]"#));
    let fields: Vec<_> = encoded.losses.all().iter().map(|loss| loss.field.as_str()).collect();
    assert_eq!(fields, ["messages[0].content[2].thinking", "messages[0].content[2].signature"]);
}

#[test]
fn a_signature_of_a_call_comes_back_into_the_call() {
    let body = r#"{"input":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"fairlead:gemini:call:abc"},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}"#;
    let request = decode_request(body).unwrap();
    assert_eq!(request.turns.len(), 1);
    let Body::ToolCall { seal, .. } = &request.turns[0].parts[0].body else { panic!("a call") };
    assert_eq!(*seal, Some(Seal { dialect: Dialect::Gemini, bytes: "abc".into() }));
}

#[test]
fn other_dialects_get_their_own_defaults() {
    let mut request = from(Dialect::OpenaiChat);
    let function = ToolBody::Function { name: "f".into(), description: None, parameters: None, strict: None };
    request.tools = vec![
        Tool { body: function, cache: None, extras: Extras::default() },
        Tool { body: ToolBody::WebSearch(Search::default()), cache: None, extras: Extras::default() },
    ];
    request.sampling.logprobs = Some(3);
    let body = json(&encode_request(&request).body);
    assert_eq!(body["store"], false, "nobody asked to keep it");
    assert_eq!(body["tools"][0]["strict"], false, "optional fields stay optional");
    assert_eq!(body["tools"][1], json(r#"{"type":"web_search"}"#));
    assert_eq!(body["include"], json(r#"["message.output_text.logprobs"]"#));
}

#[test]
fn what_has_no_place_is_told() {
    let mut request = from(Dialect::Gemini);
    request.sampling = Sampling {
        stop: vec!["x".into()],
        n: Some(2),
        seed: RawJson::parse("1"),
        top_k: RawJson::parse("2"),
        ..Sampling::default()
    };
    assert_eq!(
        losses(&request),
        [
            ("generationConfig.stopSequences".to_owned(), Weight::Meaning),
            ("generationConfig.candidateCount".to_owned(), Weight::Meaning),
            ("generationConfig.topK".to_owned(), Weight::Hint),
            ("generationConfig.seed".to_owned(), Weight::Hint),
        ]
    );
    let mut request = from(Dialect::Anthropic);
    let mut marked = Part::text("hi");
    marked.cache = Some(CacheHint { ttl: Some("1h".into()) });
    request.turns = vec![turn(Role::User, vec![marked]), turn(Role::Assistant, vec![Part::text("{")])];
    let told = losses(&request);
    assert_eq!(told[0], ("messages[0].content[0].cache_control.ttl".to_owned(), Weight::Hint));
    assert_eq!(told[1], ("messages[1].content".to_owned(), Weight::Meaning), "a prefill");
}

#[test]
fn media_are_written_or_told() {
    let media =
        |kind, source| Part::new(Body::Media(Media { kind, source, name: Some("n".into()), detail: None }));
    let inline = |mime: &str| Source::Inline { mime: mime.into(), data: "QQ==".into() };
    let mut request = from(Dialect::Anthropic);
    let foreign = Source::File { dialect: Dialect::Anthropic, id: "file_1".into() };
    request.turns = vec![turn(
        Role::User,
        vec![
            media(MediaKind::Document, inline("application/pdf")),
            media(MediaKind::Audio, inline("audio/mpeg")),
            media(MediaKind::Document, Source::Text("words".into())),
            media(MediaKind::Image, foreign),
            media(MediaKind::Video, inline("video/mp4")),
        ],
    )];
    let encoded = encode_request(&request);
    assert_eq!(
        json(&encoded.body)["input"][0]["content"],
        json(
            r#"[{"type":"input_file","file_data":"data:application/pdf;base64,QQ==","filename":"n"},
            {"type":"input_audio","input_audio":{"data":"QQ==","format":"mp3"}},
            {"type":"input_text","text":"words"}]"#
        )
    );
    let meaning = encoded.losses.all().iter().filter(|loss| loss.weight == Weight::Meaning);
    let fields: Vec<_> = meaning.map(|loss| loss.field.as_str()).collect();
    assert_eq!(fields, ["messages[0].content[3].source.file_id", "messages[0].content[4].source.data"]);
}

#[test]
fn a_budget_of_thought_becomes_a_step() {
    for (budget, effort) in [(0, "none"), (1024, "low"), (10_000, "medium"), (32_000, "high")] {
        let mut request = from(Dialect::Anthropic);
        request.reasoning = Some(Reasoning { budget: Some(budget), ..Reasoning::default() });
        assert_eq!(json(&encode_request(&request).body)["reasoning"]["effort"], effort);
        assert_eq!(losses(&request), [("thinking.budget_tokens".to_owned(), Weight::Hint)]);
    }
    let mut request = from(Dialect::Anthropic);
    request.reasoning = Some(Reasoning { effort: Some(Effort::Max), ..Reasoning::default() });
    assert_eq!(json(&encode_request(&request).body)["reasoning"]["effort"], "xhigh");
}

#[test]
fn what_chat_calls_the_same_is_carried() {
    let mut request = from(Dialect::OpenaiChat);
    let field = |name: &str, json: &str| (name.to_owned(), RawJson::parse(json).unwrap());
    request.extras.fields = vec![field("safety_identifier", r#""u""#), field("logit_bias", r#"{"7":-100}"#)];
    request.verbosity = Some("low".into());
    let body = json(&encode_request(&request).body);
    assert_eq!((&body["text"]["verbosity"], &body["safety_identifier"]), (&"low".into(), &"u".into()));
    assert_eq!(losses(&request), [("logit_bias.7".to_owned(), Weight::Hint)]);
}

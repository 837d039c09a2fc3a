//! Requests: the forms of a prompt, and what a conversation becomes.

use catalogue::Dialect;
use serde_json::{Value, json as value};

use super::super::{decode_request, encode_request};
use super::json;
use crate::dialects::{self, chat};
use crate::hub::{Body, Request, Role};
use crate::loss::{Losses, OnLoss, Weight};

fn told(losses: &Losses) -> Vec<(&str, Weight)> {
    losses.all().iter().map(|loss| (loss.field.as_str(), loss.weight)).collect()
}

fn said(request: &Request) -> Vec<&str> {
    let parts = request.turns.iter().flat_map(|turn| {
        assert_eq!(turn.role, Role::User);
        &turn.parts
    });
    parts.map(|part| if let Body::Text(text) = &part.body { text.as_str() } else { "no text" }).collect()
}

/// What a provider of chat gets of a completion.
fn to_chat(body: &Value) -> (Value, Losses) {
    let encoded = chat::encode_request(&decode_request(&body.to_string()).unwrap());
    (json(&encoded.body), encoded.losses)
}

/// What a provider of completions gets of a chat.
fn from_chat(body: &Value) -> (Value, Losses) {
    let encoded = encode_request(&chat::decode_request(&body.to_string()).unwrap());
    (json(&encoded.body), encoded.losses)
}

#[test]
fn a_prompt_is_a_text_or_a_list_and_nothing_else() {
    for body in [value!({}), value!({"prompt": null}), value!({"prompt": 7}), value!({"prompt": {}})] {
        let error = decode_request(&body.to_string()).unwrap_err();
        assert_eq!(error.field, "prompt", "{body}");
    }
    assert!(decode_request("[]").is_err());
    let read = |prompt: Value| decode_request(&value!({ "prompt": prompt }).to_string()).unwrap();
    assert_eq!(said(&read(value!("a"))), ["a"]);
    assert_eq!(said(&read(value!(["a"]))), ["a"]);
    assert_eq!(said(&read(value!(["a", "b"]))), ["a", "b"], "whoever reads the request reads all of it");
    for tokens in [value!([1, 2]), value!([[1, 2], [3]]), value!([]), value!(["a", [1]])] {
        assert!(read(tokens.clone()).turns.is_empty(), "{tokens}");
    }
}

#[test]
fn one_prompt_in_a_list_is_one_question_to_every_language() {
    let request = decode_request(r#"{"model":"m","prompt":["Ahoy?"],"max_tokens":5}"#).unwrap();
    for to in Dialect::ALL {
        let encoded = dialects::encode_request(to, &request);
        assert_eq!(told(&encoded.losses), [], "{}", to.name());
        assert!(encoded.body.contains("Ahoy?"), "{}: {}", to.name(), encoded.body);
    }
}

#[test]
fn several_prompts_and_token_ids_are_refused_by_their_place_in_every_other_language() {
    for (prompt, field) in
        [(value!(["a", "b", "c"]), "prompt[1]"), (value!([5, 6]), "prompt"), (value!([[5]]), "prompt")]
    {
        let request = decode_request(&value!({ "prompt": prompt }).to_string()).unwrap();
        for to in Dialect::ALL.into_iter().filter(|to| *to != Dialect::OpenaiCompletions) {
            let losses = dialects::encode_request(to, &request).losses;
            let refused = losses.refused(OnLoss::Report).expect("a refusal");
            assert!(refused.field.starts_with(field), "{}: {refused:?}", to.name());
        }
    }
}

#[test]
fn what_changes_the_answer_is_refused_and_what_tunes_it_is_told() {
    let (_, losses) = to_chat(&value!({
        "prompt": "a", "suffix": "z", "echo": true, "best_of": 3, "tools": [{"type": "function"}],
        "response_format": {"type": "json_object"}, "min_p": 0.1,
    }));
    let expected = [
        ("suffix", Weight::Meaning),
        ("echo", Weight::Meaning),
        ("best_of", Weight::Hint),
        ("tools.type", Weight::Meaning),
        ("response_format.type", Weight::Meaning),
        ("min_p", Weight::Hint),
    ];
    let told = told(&losses);
    assert_eq!(told.len(), expected.len(), "{told:?}");
    assert!(expected.iter().all(|loss| told.contains(loss)), "{told:?}");
}

#[test]
fn what_says_nothing_is_lost_nowhere() {
    let request = decode_request(
        &value!({
            "prompt": "a", "suffix": "", "echo": false, "best_of": 1, "logit_bias": {}, "stop": [], "n": 1,
            "stream_options": {"include_usage": false}, "tools": [],
        })
        .to_string(),
    );
    let nulls = decode_request(
        &value!({
            "prompt": "a", "suffix": null, "echo": null, "best_of": null, "logit_bias": null, "stop": null, "n": null,
            "stream_options": null, "tools": null, "response_format": null, "logprobs": null, "seed": null,
        })
        .to_string(),
    );
    for request in [request.unwrap(), nulls.unwrap()] {
        for to in Dialect::ALL {
            assert_eq!(told(&dialects::encode_request(to, &request).losses), [], "{}", to.name());
        }
    }
}

#[test]
fn settings_reach_a_chat() {
    let (chat, losses) = to_chat(&value!({
        "model": "m", "prompt": "a", "max_tokens": 5, "temperature": 0.5, "seed": 3, "stop": "x",
        "logit_bias": {"7": -100}, "logprobs": 2, "n": 2, "user": "u", "presence_penalty": 1,
    }));
    assert_eq!(losses, Losses::default());
    let expected = value!({
        "model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}],
        "max_tokens": 5, "temperature": 0.5, "seed": 3, "stop": ["x"], "logit_bias": {"7": -100},
        "logprobs": true, "top_logprobs": 2, "n": 2, "user": "u", "presence_penalty": 1,
    });
    let content = chat["messages"][0]["content"].clone();
    assert!(content == "a" || content == expected["messages"][0]["content"], "{content}");
    for (name, asked) in expected.as_object().unwrap().iter().filter(|(name, _)| *name != "messages") {
        assert_eq!(&chat[name], asked, "{name}");
    }
}

#[test]
fn a_system_prompt_and_a_question_are_one_text_with_room_for_an_answer() {
    let (body, losses) = from_chat(&value!({"model": "m", "stream": true, "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Where?"}, {"type": "text", "text": "When?"}]},
    ]}));
    assert_eq!(
        body,
        value!({"model": "m", "prompt": "Be brief.\n\nWhere?\nWhen?", "max_tokens": 1024, "stream": true})
    );
    assert_eq!(told(&losses), [("messages[0].role", Weight::Hint)]);
}

#[test]
fn a_conversation_is_refused_turn_by_turn_but_sent_whole_to_those_who_insist() {
    let (body, losses) = from_chat(&value!({"messages": [
        {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"},
    ]}));
    assert_eq!(body["prompt"], "a\n\nb\n\nc");
    assert_eq!(told(&losses), [("messages[1]", Weight::Meaning), ("messages[2]", Weight::Meaning)]);
}

#[test]
fn what_is_no_text_is_refused_in_the_clients_words() {
    let image = value!({"type": "image_url", "image_url": {"url": "https://x.example/a.png"}});
    let (_, losses) = from_chat(&value!({
        "messages": [{"role": "user", "name": "n", "content": [{"type": "text", "text": "a"}, image]}],
        "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto",
        "response_format": {"type": "json_object"}, "reasoning_effort": "low",
    }));
    assert_eq!(
        told(&losses),
        [
            ("messages[0].name", Weight::Hint),
            ("messages[0].content[1]", Weight::Meaning),
            ("tools[0]", Weight::Meaning),
            ("tool_choice", Weight::Hint),
            ("response_format", Weight::Meaning),
            ("reasoning_effort", Weight::Hint),
        ]
    );
    let body = r#"{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"a"}]}]}"#;
    let gemini = dialects::gemini::decode_request(body).unwrap();
    assert_eq!(told(&encode_request(&gemini).losses), [("systemInstruction", Weight::Hint)]);
}

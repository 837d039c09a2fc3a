//! What a translation cannot carry is told or refused, as the deployment says.

use catalogue::Dialect;
use config::OnLoss;
use serde_json::{Value, json};

use crate::cells::{before, exchange, speaks};
use crate::harness::{Gateway, logged, model};
use crate::speakers::{ALL, speaker};
use crate::upstream::Upstream;

/// A hint that only OpenAI's languages have.
fn with_hint() -> Value {
    let mut ask = (ALL[0].ask)(false);
    ask["logit_bias"] = json!({"50256": -100});
    ask["x_unknown é"] = json!(1);
    ask
}

/// Something that only Anthropic has, and that an answer hangs on.
fn with_meaning() -> Value {
    let mut ask = (speaker(Dialect::Anthropic).ask)(false);
    ask["tools"].as_array_mut().expect("a list").push(json!({"type": "bash_20250124", "name": "bash"}));
    ask
}

#[tokio::test]
async fn a_lost_hint_is_named_in_a_header_and_counted_in_the_log() {
    let anthropic = speaker(Dialect::Anthropic);
    let pair = before(Dialect::Anthropic).await;
    let answer = (anthropic.answer)().to_string();
    let outcome = exchange(&pair, "/v1/chat/completions", &with_hint(), ("200 OK", &answer)).await;
    assert_eq!(outcome.status, 200, "{}", outcome.text);
    let told = outcome.headers["x-fairlead-losses"].to_str().expect("ASCII").to_owned();
    assert!(told.split(',').any(|field| field.starts_with("logit_bias")), "{told}");
    assert!(told.contains("x_unknown??"), "{told}");
    let line = logged(outcome.headers["x-fairlead-request-id"].to_str().expect("text")).await;
    assert_eq!(line["losses"].as_u64(), Some(told.split(',').count() as u64), "{line}");
}

#[tokio::test]
async fn a_relay_loses_nothing_and_says_nothing() {
    let pair = before(Dialect::OpenaiChat).await;
    let answer = (ALL[0].answer)().to_string();
    let outcome = exchange(&pair, "/v1/chat/completions", &with_hint(), ("200 OK", &answer)).await;
    assert!(!outcome.headers.contains_key("x-fairlead-losses"));
}

/// The client's answer where the only deployment speaks chat and has this policy.
async fn refused(ask: &Value, path: &str, on_loss: OnLoss, provider: Dialect) -> (u16, Value) {
    let mut any = model("any", &[crate::harness::NOBODY]);
    speaks(&mut any, &[provider]);
    any.deployments[0].on_loss = on_loss;
    let gateway = Gateway::start(vec![any]).await;
    let answer = gateway.post(path).body(ask.to_string()).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn what_changes_meaning_is_refused_with_the_field_and_the_way_out() {
    let (status, body) = refused(&with_meaning(), "/v1/messages", OnLoss::Report, Dialect::OpenaiChat).await;
    assert_eq!((status, &body["error"]["type"]), (400, &json!("invalid_request_error")), "{body}");
    let why = body["error"]["message"].as_str().expect("a message");
    for sign in ["ai/d0", "openai-chat", "tools[1]", "onLoss: Ignore"] {
        assert!(why.contains(sign), "{why}");
    }
}

#[tokio::test]
async fn what_only_a_completion_can_ask_is_refused_by_the_name_that_its_client_knows() {
    for (field, ask) in [
        ("prompt[1]", json!({"prompt": ["a", "b"]})),
        ("prompt", json!({"prompt": [5661, 374]})),
        ("suffix", json!({"prompt": "a", "suffix": "b"})),
        ("echo", json!({"prompt": "a", "echo": true})),
    ] {
        for provider in ALL.into_iter().filter(|provider| provider.converses) {
            let mut ask = ask.clone();
            ask["model"] = json!("any");
            let (status, body) = refused(&ask, "/v1/completions", OnLoss::Report, provider.dialect).await;
            assert_eq!((status, &body["error"]["code"]), (400, &json!("unsupported_parameter")), "{body}");
            let param = body["error"]["param"].as_str().expect("the field");
            assert!(param.starts_with(field), "{}: {param}", provider.dialect.name());
        }
    }
    let (status, body) =
        refused(&json!({"model": "any"}), "/v1/completions", OnLoss::Ignore, Dialect::OpenaiChat).await;
    assert_eq!((status, &body["error"]["param"]), (400, &json!("prompt")), "{body}");
}

#[tokio::test]
async fn a_thread_that_no_one_would_keep_is_refused_as_anthropics_sdks_understand_it() {
    let mut ask = (speaker(Dialect::Anthropic).ask)(false);
    ask["thread"] = json!({"type": "create"});
    let (status, body) = refused(&ask, "/v1/messages", OnLoss::Report, Dialect::Gemini).await;
    let details = json!({"error_code": "thread_unsupported_request", "unsupported": ["thread"]});
    assert_eq!((status, &body["error"]["details"]), (400, &details), "{body}");
    let mut chat = (ALL[0].ask)(false);
    chat["thread"] = json!(1);
    let (status, body) = refused(&chat, "/v1/chat/completions", OnLoss::Report, Dialect::Gemini).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("thread_unsupported_request")), "{body}");
}

#[tokio::test]
async fn reject_refuses_hints_too_and_ignore_refuses_nothing() {
    let chat = "/v1/chat/completions";
    let (status, body) = refused(&with_hint(), chat, OnLoss::Reject, Dialect::Anthropic).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("unsupported_parameter")), "{body}");
    assert!(body["error"]["param"].is_string(), "{body}");
    // Nobody is there, but it was sent: that is no refusal.
    let (status, body) = refused(&with_meaning(), "/v1/messages", OnLoss::Ignore, Dialect::OpenaiChat).await;
    assert_eq!(status, 502, "{body}");
}

#[tokio::test]
async fn a_deployment_that_cannot_carry_it_makes_way_for_one_that_can() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let mut any = model("any", &[&first.url(), &second.url()]);
    speaks(&mut any, &[Dialect::OpenaiChat]);
    if let config::Upstream::Http(http) = &mut any.deployments[1].upstream {
        http.dialects = vec![Dialect::OpenaiChat, Dialect::Anthropic];
    }
    let gateway = Gateway::start(vec![any]).await;
    let answer = (speaker(Dialect::Anthropic).answer)().to_string();
    let ask = gateway.post("/v1/messages").body(with_meaning().to_string()).send();
    let (answered, seen) = tokio::join!(ask, second.answer("200 OK", "", &answer));
    let answered = answered.expect("an answer");
    assert_eq!(
        (answered.status().as_u16(), &answered.headers()["x-litellm-model-id"]),
        (200, &"ai/d1".parse().unwrap())
    );
    assert!(seen.head.starts_with("post /v1/messages "), "{}", seen.head);
    assert_eq!(answered.text().await.expect("text"), answer);
}

#[tokio::test]
async fn what_cannot_be_understood_is_relayed_but_not_translated() {
    let ask = json!({"model": "any", "messages": 7});
    let (status, body) = refused(&ask, "/v1/messages", OnLoss::Ignore, Dialect::OpenaiChat).await;
    assert_eq!((status, &body["error"]["type"]), (400, &json!("invalid_request_error")), "{body}");
    assert!(body["error"]["message"].as_str().is_some_and(|why| why.contains("messages")), "{body}");
    let (status, body) = refused(&ask, "/v1/messages", OnLoss::Ignore, Dialect::Anthropic).await;
    assert_eq!(status, 502, "it was sent: {body}");
}

//! What a provider's model takes otherwise than its language says, where a request is translated, and that a relay
//! stays as the client wrote it.

use catalogue::{Catalogue, Dialect};
use serde_json::{Value, json};

use crate::cells::{exchange, speaks};
use crate::harness::{Gateway, NOBODY, model};
use crate::speakers::{ALL, speaker};
use crate::upstream::Upstream;

/// A model `any` that is `name` at `provider`.
fn at(provider: &str, name: &str, url: &str, dialect: Dialect) -> config::Model {
    let mut any = model("any", &[url]);
    speaks(&mut any, &[dialect]);
    let deployment = &mut any.deployments[0];
    deployment.upstream_model = name.to_owned();
    deployment.quirks = Catalogue::builtin().quirks(provider, name);
    any
}

async fn before(provider: &str, name: &str, dialect: Dialect) -> (Gateway, Upstream) {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![at(provider, name, &upstream.url(), dialect)]).await;
    (gateway, upstream)
}

#[tokio::test]
async fn a_reasoning_model_is_asked_as_it_wants_and_the_client_is_told() {
    let (pair, chat) = (before("openai", "o4-mini", Dialect::OpenaiChat).await, speaker(Dialect::OpenaiChat));
    let mut ask = (speaker(Dialect::Anthropic).ask)(false);
    ask["temperature"] = json!(0.2);
    let answer = (chat.answer)().to_string();
    let outcome = exchange(&pair, "/v1/messages", &ask, ("200 OK", &answer)).await;
    assert_eq!(outcome.status, 200, "{}", outcome.text);
    let sent: Value = serde_json::from_slice(&outcome.body).expect("JSON");
    assert_eq!((&sent["max_completion_tokens"], sent.get("temperature")), (&json!(100), None), "{sent}");
    let told = outcome.headers["x-fairlead-losses"].to_str().expect("ASCII");
    assert!(told.split(',').any(|field| field == "temperature"), "{told}");
}

#[tokio::test]
async fn a_relay_keeps_the_clients_own_spelling() {
    let pair = before("openai", "o4-mini", Dialect::OpenaiChat).await;
    let ask = json!({"model": "any", "messages": [], "max_tokens": 5, "temperature": 0.2});
    let answer = (ALL[0].answer)().to_string();
    let outcome = exchange(&pair, "/v1/chat/completions", &ask, ("200 OK", &answer)).await;
    let text = String::from_utf8(outcome.body).expect("text");
    assert_eq!(text, ask.to_string().replace("\"any\"", "\"o4-mini\""));
}

#[tokio::test]
async fn who_refuses_to_be_asked_for_usage_is_not_asked() {
    let pair = before("mistral", "mistral-small-latest", Dialect::OpenaiChat).await;
    let stream = (ALL[0].stream)();
    let ask = r#"{"model":"any","stream":true,"messages":[]}"#;
    let (answered, seen) = tokio::join!(pair.0.chat(ask).send(), pair.1.answer("200 OK", "", &stream));
    assert_eq!(String::from_utf8(seen.body).expect("text"), ask.replace("any", "mistral-small-latest"));
    assert_eq!(answered.expect("an answer").text().await.expect("a stream"), stream);
}

#[tokio::test]
async fn what_one_model_refuses_goes_to_the_next_whole() {
    let upstream = Upstream::start().await;
    let mut any = at("openai", "gpt-5", NOBODY, Dialect::OpenaiChat);
    let mut second = at("openai", "gpt-4o", &upstream.url(), Dialect::OpenaiChat).deployments.remove(0);
    (second.id.name, second.priority) = ("second".into(), 1);
    any.deployments.push(second);
    let gateway = Gateway::start(vec![any]).await;
    let mut ask = (speaker(Dialect::Anthropic).ask)(false);
    ask["temperature"] = json!(0.2);
    ask["stop_sequences"] = json!(["X"]);
    let answer = (ALL[0].answer)().to_string();
    // The first refuses `stop`, which changes meaning: it is not even asked.
    let request = gateway.post("/v1/messages").body(ask.to_string()).send();
    let (answered, seen) = tokio::join!(request, upstream.answer("200 OK", "", &answer));
    let answered = answered.expect("an answer");
    assert_eq!(answered.status(), 200);
    assert!(!answered.headers().contains_key("x-fairlead-losses"));
    let sent: Value = serde_json::from_slice(&seen.body).expect("JSON");
    assert_eq!((&sent["temperature"], &sent["stop"]), (&json!(0.2), &json!(["X"])), "{sent}");
}

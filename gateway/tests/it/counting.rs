//! Token counts: an estimate made here, and marked as one.

use serde_json::{Value, json};

use crate::harness::{Gateway, NOBODY, model};
use crate::speakers::{ALL, QUESTION};

async fn counted(gateway: &Gateway, path: &str, body: Value) -> Value {
    let answer = gateway.post(path).body(body.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["x-fairlead-estimate"], "true");
    answer.json().await.expect("JSON")
}

#[tokio::test]
async fn no_provider_is_asked() {
    let gateway = Gateway::start(vec![model("any", &[NOBODY])]).await;
    let [.., anthropic, gemini] = ALL;
    for path in ["/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens"] {
        let mut ask = (anthropic.ask)(false);
        ask.as_object_mut().expect("an object").remove("max_tokens");
        let answer = counted(&gateway, path, ask).await;
        assert!((15..80).contains(&answer["input_tokens"].as_u64().expect("a count")), "{answer}");
    }
    let path = "/v1beta/models/any:countTokens";
    let plain = counted(&gateway, path, (gemini.ask)(false)).await;
    let wrapped = counted(&gateway, path, json!({"generateContentRequest": (gemini.ask)(false)})).await;
    assert!((15..80).contains(&plain["totalTokens"].as_u64().expect("a count")), "{plain}");
    assert_eq!(plain, wrapped);
    let short = counted(&gateway, path, json!({"contents": [{"parts": [{"text": QUESTION}]}]})).await;
    assert_eq!(short, json!({"totalTokens": 8}), "four words and the turn");
}

#[tokio::test]
async fn what_cannot_be_counted_is_refused_in_the_clients_language() {
    let gateway = Gateway::start(vec![model("any", &[NOBODY])]).await;
    let [.., anthropic, gemini] = ALL;
    for (speaker, path, body, status) in [
        (anthropic, "/v1/messages/count_tokens", r#"{"model":"nope","messages":[]}"#, 404),
        (anthropic, "/v1/messages/count_tokens", r#"{"model":"any","messages":7}"#, 400),
        (gemini, "/v1beta/models/nope:countTokens", "{}", 404),
        (gemini, "/v1beta/models/any:countTokens", r#"{"contents":7}"#, 400),
        (gemini, "/v1beta/models/any:countTokens", "[]", 400),
        (gemini, "/v1beta/models/any:predict", "{}", 404),
        (gemini, "/v1beta/models/any", "{}", 404),
    ] {
        let answer = gateway.post(path).body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{path} {body}");
        let body: Value = answer.json().await.expect("JSON");
        assert!((speaker.error)(&body).is_some(), "{body}");
    }
}

//! Token counts where no provider tells: an estimate made here, and marked as one.

use catalogue::Dialect;
use serde_json::{Value, json};

use crate::cells::{before, exchange};
use crate::harness::{Gateway, NOBODY, logged, model};
use crate::speakers::{ALL, QUESTION, speaker};

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

const ASK: &str = r#"{"model":"any","stream":true,"messages":[{"role":"user","content":"Say something of ten tokens or so"}]}"#;

fn chunk(text: &str) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

fn stream_without_usage() -> String {
    let words: String = (0..20).map(|_| chunk("word ")).collect();
    let end =
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    words + end
}

/// The access log's estimate of a call.
async fn estimate(headers: &reqwest::header::HeaderMap) -> (u64, u64) {
    let line = logged(headers["x-fairlead-request-id"].to_str().expect("text")).await;
    assert_eq!(line["estimate"], true, "{line}");
    let count = |name: &str| line[name].as_u64().unwrap_or_else(|| panic!("no {name}: {line}"));
    (count("input_tokens"), count("output_tokens"))
}

#[tokio::test]
async fn a_stream_that_tells_no_usage_is_estimated() {
    let pair = before(Dialect::OpenaiChat).await;
    let ask: Value = serde_json::from_str(ASK).expect("JSON");
    let relayed = exchange(&pair, "/v1/chat/completions", &ask, ("200 OK", &stream_without_usage())).await;
    let (input, output) = estimate(&relayed.headers).await;
    assert!((10..16).contains(&input) && (20..25).contains(&output), "{input} {output}");
    let mut ask = (speaker(Dialect::Anthropic).ask)(true);
    ask["model"] = json!("any");
    let translated = exchange(&pair, "/v1/messages", &ask, ("200 OK", &stream_without_usage())).await;
    let (_, output) = estimate(&translated.headers).await;
    assert_eq!(output, 25, "a fourth of a hundred bytes");
}

#[tokio::test]
async fn a_whole_answer_that_tells_no_usage_is_counted_and_marked() {
    let pair = before(Dialect::OpenaiChat).await;
    let answer = json!({"id": "c", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello world, how are you today?"},
         "finish_reason": "stop"}]});
    let ask =
        json!({"model": "any", "messages": [{"role": "user", "content": "Hello world, how are you today?"}]});
    let outcome = exchange(&pair, "/v1/chat/completions", &ask, ("200 OK", &answer.to_string())).await;
    assert_eq!(outcome.headers["x-fairlead-estimate"], "true");
    assert_eq!(estimate(&outcome.headers).await, (4 + 8, 8));
    assert_eq!(outcome.text, answer.to_string(), "what is relayed keeps its bytes");
}

#[tokio::test]
async fn a_client_that_hangs_up_is_billed_what_it_has_heard() {
    let (gateway, upstream) = before(Dialect::OpenaiChat).await;
    let ask = gateway.chat(ASK).send();
    let (answer, mut exchange) = tokio::join!(ask, async {
        let mut exchange = upstream.next().await;
        exchange.begin_stream().await;
        exchange.send(chunk("word ").repeat(7).as_bytes()).await;
        exchange
    });
    let mut answer = answer.expect("an answer");
    let headers = answer.headers().clone();
    let mut heard = 0;
    while heard < 7 * chunk("word ").len() {
        heard += answer.chunk().await.expect("bytes").expect("more").len();
    }
    drop(answer);
    exchange.closed().await;
    assert_eq!(estimate(&headers).await.1, 7);
}

//! What is too large is told by the setting that allows more, and no more of it is held.

use serde_json::Value;

use crate::harness::{Gateway, LIMITS, model};
use crate::upstream::Upstream;

const STREAM: &str =
    r#"{"model":"fast","stream":true,"stream_options":{"include_usage":true},"messages":[]}"#;

fn event(bytes: u64) -> String {
    let text = "x".repeat(usize::try_from(bytes).expect("fits"));
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

const LAST: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

async fn started() -> (Gateway, Upstream) {
    let upstream = Upstream::start().await;
    (Gateway::start(vec![model("fast", &[&upstream.url()])]).await, upstream)
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_and_one_below_is_not() {
    let (gateway, upstream) = started().await;
    for (bytes, status) in [(LIMITS.answer_bytes, 502), (LIMITS.answer_bytes - 1000, 200)] {
        let text = "x".repeat(usize::try_from(bytes).expect("fits"));
        let body = format!(
            r#"{{"choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}]}}"#
        );
        // The gateway hangs up before the end of what is too long, so the rest cannot be written.
        let play = async {
            let mut exchange = upstream.next().await;
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            exchange.send(head.as_bytes()).await;
            exchange.try_send(body.as_bytes()).await;
        };
        let (answer, ()) = tokio::join!(gateway.chat(r#"{"model":"fast"}"#).send(), play);
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), status);
        let told: Value = answer.json().await.expect("JSON");
        let message = told["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(status == 502, message.contains("131072 bytes; limits.maxAnswerBytes"), "{message}");
    }
}

#[tokio::test]
async fn a_stream_may_be_longer_than_an_event_and_an_answer() {
    let (gateway, upstream) = started().await;
    let stream = [event(LIMITS.stream_event_bytes - 200).repeat(2), LAST.to_owned()].concat();
    assert!(stream.len() as u64 > LIMITS.answer_bytes);
    let (answer, _) = tokio::join!(gateway.chat(STREAM).send(), upstream.answer("200 OK", "", &stream));
    assert_eq!(answer.expect("an answer").text().await.expect("a stream"), stream);
}

#[tokio::test]
async fn an_event_over_the_limit_breaks_the_stream_off_with_an_error() {
    let (gateway, upstream) = started().await;
    let play = async {
        let mut exchange = upstream.next().await;
        exchange.begin_stream().await;
        exchange.send(event(1).as_bytes()).await;
        exchange.try_send(event(LIMITS.stream_event_bytes).as_bytes()).await;
    };
    let (answer, ()) = tokio::join!(gateway.chat(STREAM).send(), play);
    let text = answer.expect("an answer").text().await.expect("a clean end");
    let rest = text.strip_prefix(&event(1)).expect("what came before");
    assert!(rest.contains("98304 bytes; limits.maxStreamEventBytes") && !rest.contains("[DONE]"), "{rest}");
}

#[tokio::test]
async fn where_the_first_event_is_too_large_another_deployment_is_asked() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let gateway = Gateway::start(vec![model("fast", &[&first.url(), &second.url()])]).await;
    let play = async {
        let mut exchange = first.next().await;
        exchange.begin_stream().await;
        exchange.try_send(event(LIMITS.stream_event_bytes).as_bytes()).await;
    };
    let (answer, (), _) = tokio::join!(gateway.chat(STREAM).send(), play, second.answer("200 OK", "", LAST));
    assert_eq!(answer.expect("an answer").text().await.expect("a stream"), LAST);
}

//! Another deployment answers where one cannot, as long as the client has got nothing.

use crate::harness::{Gateway, NOBODY, logged, model};
use crate::upstream::Upstream;

const GOOD: &str = r#"{"choices":[]}"#;

#[tokio::test]
async fn each_kind_of_passing_fault_leads_to_the_next_deployment() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let gateway = Gateway::start(vec![model("fast", &[&first.url(), &second.url()])]).await;
    for (status, body) in [("500 Oh", "{}"), ("429 Slow", "{}"), ("503 No", "<html>"), ("200 OK", "garbage")]
    {
        let ask = gateway.chat(r#"{"model":"fast"}"#).send();
        let (answer, _, _) =
            tokio::join!(ask, first.answer(status, "", body), second.answer("200 OK", "", GOOD));
        let answer = answer.expect("an answer");
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-litellm-model-id"]),
            (200, &"ai/d1".parse().unwrap())
        );
        let line = logged(answer.headers()["x-fairlead-request-id"].to_str().expect("text")).await;
        assert_eq!(
            (line["attempts"].as_u64(), line["deployment"].as_str()),
            (Some(2), Some("ai/d1")),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_refused_connection_and_a_stream_that_is_none_lead_to_the_next_too() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let gateway = Gateway::start(vec![model("fast", &[NOBODY, &first.url(), &second.url()])]).await;
    let stream = "data: {\"choices\":[]}\n\ndata: [DONE]\n\n";
    let ask = gateway.chat(r#"{"model":"fast","stream":true}"#).send();
    let (answer, _, _) =
        tokio::join!(ask, first.answer("200 OK", "", "<html>\n\n"), second.answer("200 OK", "", stream));
    assert_eq!(answer.expect("an answer").text().await.expect("a stream"), stream);
}

#[tokio::test]
async fn a_fault_of_the_request_is_told_at_once() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let gateway = Gateway::start(vec![model("fast", &[&first.url(), &second.url()])]).await;
    let error = r#"{"error":{"message":"no such parameter"}}"#;
    let ask = gateway.chat(r#"{"model":"fast"}"#).send();
    let (answer, _) = tokio::join!(ask, first.answer("400 Bad", "", error));
    assert_eq!(answer.expect("an answer").status(), 400);
}

#[tokio::test]
async fn when_all_fail_the_last_fault_is_the_verdict() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let gateway = Gateway::start(vec![model("fast", &[&first.url(), &second.url()])]).await;
    let ask = gateway.chat(r#"{"model":"fast"}"#).send();
    let (answer, _, _) = tokio::join!(
        ask,
        first.answer("500 Oh", "", "{}"),
        second.answer("429 Slow", "retry-after: 3\r\n", r#"{"error":{"message":"later"}}"#)
    );
    let answer = answer.expect("an answer");
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"3".parse().unwrap()));
    let report: serde_json::Value =
        gateway.get("/health").send().await.expect("a report").json().await.expect("JSON");
    assert_eq!(report["unhealthy_count"], 2, "{report}");
    assert_eq!(report["unhealthy_endpoints"][1]["last_fault"], "rate_limited");
}

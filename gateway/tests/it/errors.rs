//! Each way to fail has a status, a code, and OpenAI's envelope.

use std::sync::Arc;

use gateway::Feed;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::harness::{Gateway, KEY, NOBODY, client, delivery, logged, mock, model, within};
use crate::upstream::Upstream;

async fn told(request: reqwest::RequestBuilder) -> (u16, String, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let body: Value = answer.json().await.expect("JSON");
    assert!(body["error"]["message"].is_string() && body["error"]["type"].is_string(), "{body}");
    (status, body["error"]["code"].as_str().unwrap_or_default().to_owned(), body)
}

#[tokio::test]
async fn a_caller_without_the_key_is_told_what_is_wrong_with_it() {
    let gateway = Gateway::start(vec![mock("m")]).await;
    let ask = || client().post(format!("{}/chat/completions", gateway.url)).body(r#"{"model":"m"}"#);
    for (request, code) in [
        (ask(), "invalid_api_key"),
        (ask().bearer_auth("sk-wrong"), "invalid_api_key"),
        (ask().header("authorization", KEY), "invalid_api_key"),
        (ask().header("x-api-key", "sk-wrong"), "invalid_api_key"),
    ] {
        let (status, found, _) = told(request).await;
        assert_eq!((status, found.as_str()), (401, code));
    }
    for header in ["x-api-key", "api-key"] {
        assert_eq!(ask().header(header, KEY).send().await.expect("an answer").status(), 200, "{header}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_told_why() {
    let gateway = Gateway::start(vec![mock("m")]).await;
    for (body, status, code) in [
        (r#"{"model":"#, 400, "invalid_json"),
        ("[]", 400, "invalid_json"),
        ("", 400, "invalid_json"),
        (r#"{"messages":[]}"#, 400, "missing_required_parameter"),
        (r#"{"model":1}"#, 400, "invalid_type"),
        (r#"{"model":"m","stream":"yes"}"#, 400, "invalid_type"),
        (r#"{"model":"m","n":1,"n":2}"#, 400, "duplicate_key"),
        (r#"{"model":"m","model":"m"}"#, 400, "duplicate_key"),
        (r#"{"model":"nope"}"#, 404, "model_not_found"),
    ] {
        let (found, name, error) = told(gateway.chat(body)).await;
        assert_eq!((found, name.as_str()), (status, code), "{body}");
        if code == "model_not_found" {
            let message = error["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains("'nope'") && message.contains("/v1/models"), "{message}");
            assert_eq!(error["error"]["param"], "model");
        }
    }
    assert_eq!(told(gateway.get("/v1/chat/completions")).await.0, 405);
    assert_eq!(told(gateway.get("/v1/nothing")).await.0, 404);
    let page = gateway.get("/metrics").send().await.expect("a page").text().await.expect("text");
    assert!(!page.contains("nope"), "a client must not make labels: {page}");
}

#[tokio::test]
async fn a_refusal_is_in_the_access_log_with_its_status_and_reason() {
    let gateway = Gateway::start(vec![mock("m")]).await;
    let answer = gateway.chat(r#"{"model":"nope"}"#).send().await.expect("an answer");
    let line = logged(answer.headers()["x-fairlead-request-id"].to_str().expect("text")).await;
    assert_eq!((line["status"].as_u64(), line["outcome"].as_str()), (Some(404), Some("refused")), "{line}");
    assert_eq!((line["fault"].as_str(), line["model"].as_str()), (Some("model_not_found"), None), "{line}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_its_length_is_told_or_not() {
    let gateway = Gateway::start(vec![mock("m")]).await;
    let (status, code, _) = told(gateway.chat("x".repeat((64 << 10) + 1))).await;
    assert_eq!((status, code.as_str()), (413, "request_too_large"));
    let mut socket = TcpStream::connect(gateway.address).await.expect("connects");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    for _ in 0..3 {
        socket.write_all(chunk.as_bytes()).await.expect("sent");
    }
    // The end of the body never comes: the answer must come before it.
    let mut answer = [0; 12];
    within("a refusal", socket.read_exact(&mut answer)).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_gateway_without_config_is_not_ready_and_says_so() {
    let gateway = Gateway::empty(watch::Sender::new(Feed::default())).await;
    let (status, code, _) = told(gateway.chat(r#"{"model":"m"}"#)).await;
    assert_eq!((status, code.as_str()), (503, "not_ready"));
    let ready = || async { gateway.get("/health/readiness").send().await.expect("an answer").status() };
    assert_eq!(ready().await, 503);
    assert_eq!(gateway.get("/health/liveness").send().await.expect("an answer").status(), 200);
    gateway
        .feed
        .send_replace(Feed { delivery: Some(Arc::new(delivery("r1", vec![mock("m")]))), problem: None });
    gateway.wait_for("r1").await;
    assert_eq!(ready().await, 200);
}

/// What the client gets for what the upstream says.
async fn relayed(
    status: &str,
    headers: &str,
    body: &str,
) -> (reqwest::StatusCode, reqwest::header::HeaderMap, String) {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![model("fast", &[&upstream.url()])]).await;
    let ask = gateway.chat(r#"{"model":"fast"}"#).send();
    let (answer, _) = tokio::join!(ask, upstream.answer(status, headers, body));
    let answer = answer.expect("an answer");
    let (status, head) = (answer.status(), answer.headers().clone());
    (status, head, answer.text().await.expect("text"))
}

#[tokio::test]
async fn a_providers_own_errors_are_relayed_but_for_those_about_our_key() {
    let limited = r#"{ "error":{"message":"slow down","code":"x"} }"#;
    let headers = "retry-after: 7\r\nx-ratelimit-limit-requests: 3\r\ncontent-type: application/json\r\n";
    let (status, head, body) = relayed("429 Too Many Requests", headers, limited).await;
    assert_eq!((status.as_u16(), body.as_str()), (429, limited));
    assert_eq!(
        (&head["retry-after"], &head["x-ratelimit-limit-requests"]),
        (&"7".parse().unwrap(), &"3".parse().unwrap())
    );
    let (status, _, body) = relayed("400 Bad Request", "", limited).await;
    assert_eq!((status.as_u16(), body.as_str()), (400, limited));
    let (status, _, body) = relayed("503 Unavailable", "content-type: text/html\r\n", "<html>").await;
    assert!(status == 503 && body.contains("upstream_failed"), "{status} {body}");
    for refusal in ["401 Unauthorized", "403 Forbidden"] {
        let (status, _, body) = relayed(refusal, "", r#"{"error":{"message":"bad key sk-ups*"}}"#).await;
        assert!(
            status == 502 && body.contains("upstream_authentication") && body.contains("ai/d0"),
            "{status} {body}"
        );
        assert!(!body.contains("sk-ups"), "{body}");
    }
    let (status, _, body) = relayed("302 Found", "location: http://127.0.0.1:1/\r\n", "{}").await;
    assert!(status == 502 && body.contains("upstream_failed"), "{status} {body}");
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_bad_gateway() {
    for body in ["<html>", "", "{\"choices\":[", "[1]"] {
        let (status, _, text) = relayed("200 OK", "", body).await;
        assert!(status == 502 && text.contains("upstream_invalid_response"), "{body}: {status} {text}");
    }
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![model("fast", &[&upstream.url()])]).await;
    let cut = async {
        upstream.next().await.send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"choices\":[]").await
    };
    let ((status, code, _), ()) = tokio::join!(told(gateway.chat(r#"{"model":"fast"}"#)), cut);
    assert_eq!((status, code.as_str()), (502, "upstream_invalid_response"));
}

#[tokio::test]
async fn nobody_there_and_nobody_in_time_are_told_apart() {
    let upstream = Upstream::start().await;
    let mut slow = model("slow", &[&upstream.url()]);
    slow.deployments[0].timeouts.first_byte_ms = 50;
    slow.deployments[0].timeouts.request_ms = 50;
    let gateway = Gateway::start(vec![model("gone", &[NOBODY]), slow]).await;
    let (status, code, _) = told(gateway.chat(r#"{"model":"gone"}"#)).await;
    assert_eq!((status, code.as_str()), (502, "upstream_unreachable"));
    for body in [r#"{"model":"slow"}"#, r#"{"model":"slow","stream":true}"#] {
        let ((status, code, _), _held) = tokio::join!(told(gateway.chat(body)), upstream.next());
        assert_eq!((status, code.as_str()), (504, "upstream_timeout"));
    }
}

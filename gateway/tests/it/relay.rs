//! The same language on both sides means the same bytes.

use crate::harness::{Gateway, KEY, UPSTREAM_KEY, client, logged, mock, model};
use crate::upstream::Upstream;

const BODY: &str = r#"{ "messages":[{"role":"user","content":[{"type":"text","text":"PROMPT-é漢"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}],
  "model" : "fast" ,"temperature":1.50e0,"tools":[{"type":"function","function":{"name":"f","parameters":{"b":1,"a":2}}}],"x_unknown":{"k":[1,2.0]} }"#;

const ANSWER: &str = r#"{ "choices" : [{"index":0,"message":{"role":"assistant","content":"ANSWER-TEXT"},"finish_reason":"stop"}],
 "usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":2}}, "x_new" : 1.0 }"#;

#[tokio::test]
async fn only_the_model_is_changed_on_the_way_and_nothing_on_the_way_back() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![model("fast", &[&upstream.url()])]).await;
    let headers = "content-type: application/json; charset=utf-8\r\nx-request-id: theirs\r\nx-ratelimit-remaining-requests: 5\r\nset-cookie: a=b\r\n";
    let request = gateway.chat(BODY).header("x-api-key", "sk-other").header("cookie", "c=d").send();
    let (answer, seen) = tokio::join!(request, upstream.answer("200 OK", headers, ANSWER));
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200);
    let head = answer.headers().clone();
    assert_eq!(answer.bytes().await.expect("a body"), ANSWER);
    assert_eq!(String::from_utf8(seen.body).expect("text"), BODY.replace("\"fast\"", "\"up-model\""));
    assert!(seen.head.starts_with("post /v1/chat/completions http/1.1\r\n"), "{}", seen.head);
    assert!(seen.head.contains(&format!("authorization: bearer {UPSTREAM_KEY}\r\n")), "{}", seen.head);
    assert!(
        seen.head.contains("x-team: blue\r\n") && seen.head.contains("user-agent: fairlead/"),
        "{}",
        seen.head
    );
    assert!(!seen.head.contains("sk-other") && !seen.head.contains("cookie"), "{}", seen.head);
    assert_eq!(head["content-type"], "application/json; charset=utf-8");
    assert_eq!(head["x-request-id"], "theirs");
    assert_eq!(head["x-ratelimit-remaining-requests"], "5");
    assert_eq!(head["x-litellm-model-id"], "ai/d0");
    assert_eq!(head["x-litellm-call-id"], head["x-fairlead-request-id"]);
    assert!(!head.contains_key("set-cookie"));
}

#[tokio::test]
async fn the_access_log_has_numbers_and_names_but_neither_text_nor_keys() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![model("fast", &[&upstream.url()])]).await;
    let (answer, _) = tokio::join!(gateway.chat(BODY).send(), upstream.answer("200 OK", "", ANSWER));
    let answer = answer.expect("an answer");
    let line = logged(answer.headers()["x-fairlead-request-id"].to_str().expect("text")).await;
    assert_eq!((line["model"].as_str(), line["deployment"].as_str()), (Some("fast"), Some("ai/d0")));
    assert_eq!((line["status"].as_u64(), line["outcome"].as_str()), (Some(200), Some("answered")));
    assert_eq!(line["bytes_in"].as_u64(), Some(BODY.len() as u64));
    assert_eq!((line["input_tokens"].as_u64(), line["cached_tokens"].as_u64()), (Some(5), Some(2)));
    let all = crate::harness::access_log();
    for secret in [KEY, UPSTREAM_KEY, "PROMPT-é漢", "ANSWER-TEXT"] {
        assert!(!all.contains(secret), "the log has {secret}");
    }
    let page = client()
        .get(format!("{}/metrics", gateway.admin))
        .send()
        .await
        .expect("a page")
        .text()
        .await
        .expect("text");
    let sign =
        r#"fairlead_requests_total{model="fast",deployment="ai/d0",status="2xx",outcome="answered"} 1"#;
    assert!(page.contains(sign), "{page}");
    assert!(
        page.contains(r#"fairlead_tokens_total{model="fast",deployment="ai/d0",kind="cached"} 2"#),
        "{page}"
    );
    assert!(
        page.contains("fairlead_requests_in_flight 0")
            && page.contains(r#"fairlead_config{revision="r1"} 1"#),
        "{page}"
    );
}

#[tokio::test]
async fn the_mock_answers_in_the_process_under_each_of_its_names() {
    let gateway = Gateway::start(vec![mock("m")]).await;
    for name in ["m", "alias/m"] {
        let answer =
            gateway.chat(format!(r#"{{"model":"{name}","messages":[]}}"#)).send().await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], "application/json");
        let answer: serde_json::Value = answer.json().await.expect("JSON");
        let text = answer["choices"][0]["message"]["content"].as_str().expect("text");
        assert!(text.starts_with("Hello from the mock provider of Fairlead: "), "{text}");
        assert_eq!(answer["usage"]["total_tokens"], 33);
    }
}

//! What would become of a request, and that nobody is asked.

use config::{Fallbacks, Model};
use serde_json::{Value, json};

use super::shaky::{Shaky, Way};
use super::{QUICK, ask, even, gateway};
use crate::harness::{Gateway, KEY, client};

async fn simulated(gateway: &Gateway, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/internal/simulate?path={path}", gateway.admin);
    let answer = client().post(url).bearer_auth(KEY).body(body.to_string()).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn it_tells_the_order_the_cost_and_who_is_left_alone() {
    let (bad, good) =
        (Shaky::start(Way::Status(429, "retry-after: 30\r\n", "{}")).await, Shaky::start(Way::Good).await);
    let fallbacks = Fallbacks { on_error: vec!["other".into()], ..Fallbacks::default() };
    let mut model = even("m", &[&bad.url, &good.url]);
    model.deployments[1].upstream_model = "gpt-4o".into();
    let gateway = gateway(QUICK, vec![Model { fallbacks, ..model }, even("other", &[&good.url])]).await;
    while bad.calls() == 0 {
        assert!(ask(&gateway, "m", false).await.is_good());
    }
    let calls = (bad.calls(), good.calls());
    let body = json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]});
    let (status, told) = simulated(&gateway, "/v1/chat/completions", body.clone()).await;
    assert_eq!(status, 200, "{told}");
    let ids: Vec<_> = told["deployments"].as_array().expect("a list").iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["ai/m-1", "ai/m-0"], "{told}");
    assert!(told["deployments"][1]["left_alone_seconds"].as_f64().is_some_and(|left| left > 20.0), "{told}");
    assert!(told["deployments"][0]["cost_usd"].is_string(), "{told}");
    assert_eq!(
        (&told["model"], &told["key"], &told["output_tokens"]),
        (&json!("m"), &json!("master"), &json!(100))
    );
    assert_eq!(told["fallbacks"], json!(["other"]));
    assert_eq!((bad.calls(), good.calls()), calls, "nobody is asked");
    let (status, told) = simulated(&gateway, "/v1/messages", body).await;
    assert_eq!(status, 200, "{told}");
}

#[tokio::test]
async fn what_is_no_request_is_told_as_a_client_would_be() {
    let gateway = gateway(QUICK, vec![crate::harness::mock("m")]).await;
    let (status, told) = simulated(&gateway, "/v1/chat/completions", json!({"model": "none"})).await;
    assert_eq!((status, &told["error"]["code"]), (404, &json!("model_not_found")));
    let (status, told) = simulated(&gateway, "/v1/images", json!({"model": "m"})).await;
    assert_eq!((status, &told["error"]["param"]), (400, &json!("path")), "{told}");
}

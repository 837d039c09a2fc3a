//! Listings and health reports.

use serde_json::{Value, json};

use crate::harness::{Gateway, NOBODY, client, mock, model};

async fn json(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn models_are_listed_in_order_and_found_by_ids_with_slashes() {
    let gateway = Gateway::start(vec![mock("z"), model("org/a", &[NOBODY])]).await;
    for path in ["/v1/models", "/models"] {
        let (status, list) = json(gateway.get(path)).await;
        let ids: Vec<_> =
            list["data"].as_array().expect("a list").iter().map(|one| one["id"].clone()).collect();
        assert_eq!((status, ids), (200, vec![json!("alias/z"), json!("org/a"), json!("z")]));
        assert_eq!(list["object"], "list");
        let (status, one) = json(gateway.get(&format!("{path}/org/a"))).await;
        assert_eq!((status, &one["id"], &one["owned_by"]), (200, &json!("org/a"), &json!("openai")));
        assert_eq!(json(gateway.get(&format!("{path}/org%2Fa"))).await.1["id"], "org/a");
        assert_eq!(json(gateway.get(&format!("{path}/nope"))).await.0, 404);
        assert_eq!(json(client().get(format!("{}{path}", gateway.url))).await.0, 401);
    }
}

#[tokio::test]
async fn health_tells_strangers_little_and_the_master_key_everything_but_secrets() {
    let gateway = Gateway::start(vec![mock("m"), model("gone", &[NOBODY])]).await;
    let plain = |path: &str| client().get(format!("{}{path}", gateway.url));
    assert_eq!(json(plain("/health")).await, (200, json!({"status": "healthy"})));
    assert_eq!(json(plain("/health").bearer_auth("sk-wrong")).await.0, 401);
    assert_eq!(json(plain("/health/liveliness")).await, (200, json!("I'm alive!")));
    let (status, ready) = json(plain("/health/readiness")).await;
    assert_eq!((status, &ready["status"], &ready["revision"]), (200, &json!("healthy"), &json!("r1")));
    assert_eq!(plain("/metrics").send().await.expect("an answer").status(), 401);
    for _ in 0..2 {
        assert_eq!(json(gateway.chat(r#"{"model":"gone"}"#)).await.0, 502);
    }
    assert_eq!(json(gateway.chat(r#"{"model":"m"}"#)).await.0, 200);
    let (_, report) = json(gateway.get("/health")).await;
    assert_eq!((&report["healthy_count"], &report["unhealthy_count"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(report["healthy_endpoints"][0]["last_outcome"], "answered");
    let bad = &report["unhealthy_endpoints"][0];
    assert_eq!((&bad["consecutive_failures"], &bad["last_fault"]), (&json!(2), &json!("unreachable")));
    assert!(!report.to_string().contains("sk-"), "{report}");
}

//! Listings and health reports.

use serde_json::{Value, json};

use crate::harness::{Gateway, KEY, NOBODY, client, mock, model};

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
async fn the_listing_is_in_the_language_of_the_sdk_that_asks() {
    let gateway = Gateway::start(vec![mock("z"), model("org/a", &[NOBODY])]).await;
    let bare = |path: &str| client().get(format!("{}{path}", gateway.url));
    // Google's SDK asks at `/v1`, others at `/v1beta`, some with the key in the query.
    for request in [
        bare("/v1/models?pageSize=50").header("x-goog-api-key", KEY),
        bare(&format!("/v1beta/models?key={KEY}")),
        gateway.get("/v1beta/models"),
    ] {
        let (status, list) = json(request).await;
        let names: Vec<_> =
            list["models"].as_array().expect("a list").iter().map(|one| one["name"].clone()).collect();
        assert_eq!(
            (status, names),
            (200, vec![json!("models/alias/z"), json!("models/org/a"), json!("models/z")])
        );
        assert!(list["models"][0]["supportedGenerationMethods"].to_string().contains("\"generateContent\""));
    }
    let (status, one) = json(bare("/v1/models/org/a").header("x-goog-api-key", KEY)).await;
    assert_eq!((status, &one["name"]), (200, &json!("models/org/a")));
    let (status, none) = json(bare("/v1beta/models/nope").header("x-goog-api-key", KEY)).await;
    assert_eq!((status, &none["error"]["status"]), (404, &json!("NOT_FOUND")));
    let (status, none) = json(bare("/v1beta/models").header("x-goog-api-key", "sk-no")).await;
    assert_eq!((status, &none["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
    let claude = |path: &str| gateway.get(path).header("anthropic-version", "2026-10-21");
    let (status, list) = json(claude("/v1/models")).await;
    assert_eq!((status, &list["has_more"], &list["last_id"]), (200, &json!(false), &json!("z")), "{list}");
    assert_eq!((&list["data"][1]["type"], &list["data"][1]["id"]), (&json!("model"), &json!("org/a")));
    assert_eq!(json(claude("/v1/models/org/a")).await.1["display_name"], "org/a");
    assert_eq!(json(claude("/v1/models/nope")).await.1["error"]["type"], "not_found_error");
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

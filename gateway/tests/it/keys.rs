//! Each SDK's way of showing the key.

use serde_json::json;

use crate::harness::{Gateway, KEY, access_log, client, mock};
use crate::speakers::ALL;

#[tokio::test]
async fn each_header_of_each_sdk_opens_each_surface() {
    let gateway = Gateway::start(vec![mock("any")]).await;
    for speaker in ALL {
        let ask = || {
            client()
                .post(format!("{}{}", gateway.url, (speaker.path)(false)))
                .body((speaker.ask)(false).to_string())
        };
        for (header, value) in [
            ("authorization", format!("Bearer {KEY}")),
            ("x-api-key", KEY.to_owned()),
            ("api-key", KEY.to_owned()),
            ("x-goog-api-key", KEY.to_owned()),
            ("x-litellm-api-key", KEY.to_owned()),
            ("x-litellm-api-key", format!("Bearer {KEY}")),
        ] {
            let answer = ask().header(header, value).send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{} with {header}", speaker.dialect.name());
            assert_eq!(answer.headers()["x-litellm-model-id"], "ai/mock");
        }
        let refused = ask().header("x-api-key", "sk-wrong").send().await.expect("an answer");
        assert_eq!(refused.status(), 401);
        let body: serde_json::Value = refused.json().await.expect("JSON");
        assert!((speaker.error)(&body).is_some_and(|why| why.contains("not valid")), "{body}");
    }
}

#[tokio::test]
async fn litellms_header_goes_before_another_purpose_of_authorization() {
    let gateway = Gateway::start(vec![mock("any")]).await;
    let ask = client()
        .post(format!("{}/v1/chat/completions", gateway.url))
        .body(r#"{"model":"any","messages":[]}"#);
    let answer = ask.bearer_auth("oauth-of-theirs").header("x-litellm-api-key", KEY).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_key_in_the_query_opens_geminis_paths_only_and_is_never_logged() {
    let gateway = Gateway::start(vec![mock("any")]).await;
    let post = |path: &str, body: serde_json::Value| {
        client().post(format!("{}{path}?key={KEY}&alt=sse", gateway.url)).body(body.to_string()).send()
    };
    let question = json!({"contents": [{"parts": [{"text": "Hi"}]}]});
    let open = post("/v1beta/models/any:generateContent", question.clone()).await.expect("an answer");
    assert_eq!(open.status(), 200);
    let open = post("/v1beta/models/any:streamGenerateContent", question).await.expect("an answer");
    assert_eq!(open.status(), 200);
    let shut =
        post("/v1/chat/completions", json!({"model": "any", "messages": []})).await.expect("an answer");
    assert_eq!(shut.status(), 401);
    assert!(!access_log().contains(KEY));
}

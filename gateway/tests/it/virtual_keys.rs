//! Virtual keys: who is let in, for what, and what the others are told.

use std::time::{SystemTime, UNIX_EPOCH};

use config::{Access, Delivery, Key, KeyHash, KeyLimits, ObjectName};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::harness::{Gateway, KEY, access_log, client, delivery, logged, mock};
use crate::speakers::ALL;

/// A key of team `red`, which opens everything.
fn key(name: &str, material: &str) -> Key {
    Key {
        id: ObjectName { namespace: "ai".into(), name: name.into() },
        uid: "u".into(),
        hashes: vec![KeyHash::of(material.as_bytes())],
        display_name: None,
        team: Some("red".into()),
        user: None,
        models: Access::default(),
        expires_at: None,
        suspended: false,
        limits: KeyLimits::default(),
        budgets: Vec::new(),
        metadata: std::collections::BTreeMap::new(),
    }
}

fn only(allow: &[&str], deny: &[&str]) -> Access {
    let owned = |patterns: &[&str]| patterns.iter().map(|one| (*one).to_owned()).collect();
    Access { allow: owned(allow), deny: owned(deny) }
}

fn with_keys(revision: &str, keys: Vec<Key>) -> Delivery {
    let mut delivery = delivery(revision, vec![mock("any"), mock("other")]);
    delivery.config.keys = keys;
    delivery
}

async fn serving(keys: Vec<Key>) -> Gateway {
    let gateway = Gateway::start(Vec::new()).await;
    gateway.deliver(with_keys("r2", keys));
    gateway.wait_for("r2").await;
    gateway
}

#[expect(clippy::disallowed_methods, reason = "the gateway has the system's clock too")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

async fn told(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

impl Gateway {
    fn chat_as(&self, key: &str, model: &str) -> RequestBuilder {
        let body = json!({"model": model, "messages": []}).to_string();
        client().post(format!("{}/v1/chat/completions", self.url)).bearer_auth(key).body(body)
    }

    fn get_as(&self, key: &str, path: &str) -> RequestBuilder {
        client().get(format!("{}{path}", self.url)).bearer_auth(key)
    }
}

#[tokio::test]
async fn a_key_opens_every_surface_in_every_header_and_the_log_names_it() {
    let mut one = key("wide", "sk-vk-wide");
    (one.display_name, one.user) = (Some("The wide one".into()), Some("ann".into()));
    let gateway = serving(vec![one]).await;
    for speaker in ALL {
        for header in ["x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key"] {
            let url = format!("{}{}", gateway.url, (speaker.path)(false));
            let ask = client().post(url).body((speaker.ask)(false).to_string());
            let answer = ask.header(header, "sk-vk-wide").send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{} with {header}", speaker.dialect.name());
        }
    }
    let line = logged("\"key\":\"ai/wide\"").await;
    assert_eq!((&line["team"], &line["user"]), (&json!("red"), &json!("ann")), "{line}");
    assert_eq!(line["key_name"], "The wide one");
    assert_eq!(
        told(gateway.chat(r#"{"model":"any","messages":[]}"#)).await.0,
        200,
        "the master key still does"
    );
    assert_eq!(logged("\"key\":\"master\"").await["team"], Value::Null);
    assert!(!access_log().contains("sk-vk-wide"));
    assert!(!access_log().contains(&KeyHash::of(b"sk-vk-wide").sha256), "nor what it is compared with");
}

#[tokio::test]
async fn who_is_refused_is_told_why_and_what_to_do() {
    let past = Some(now() - 1);
    let expired = Key { expires_at: past, ..key("expired", "sk-vk-expired") };
    let suspended = Key { suspended: true, ..key("suspended", "sk-vk-suspended") };
    let hashes = vec![KeyHash { until: past, ..KeyHash::of(b"sk-vk-old") }, KeyHash::of(b"sk-vk-new")];
    let rotated = Key { hashes, ..key("rotated", "") };
    let gateway = serving(vec![expired, suspended, rotated]).await;
    for (presented, code, kind, hint) in [
        ("sk-vk-nobodys", "invalid_api_key", "authentication_error", "not valid"),
        ("sk-vk-expired", "expired_key", "expired_key", "expiresAt"),
        ("sk-vk-old", "expired_key", "expired_key", "Secret"),
        ("sk-vk-suspended", "key_suspended", "authentication_error", "spec.suspend"),
    ] {
        let (status, body) = told(gateway.chat_as(presented, "any")).await;
        let error = &body["error"];
        assert_eq!((status, &error["code"], &error["type"]), (401, &json!(code), &json!(kind)), "{body}");
        assert!(error["message"].as_str().is_some_and(|why| why.contains(hint)), "{body}");
        assert!(!body.to_string().contains(presented), "{body}");
    }
    assert_eq!(told(gateway.chat_as("sk-vk-new", "any")).await.0, 200);
}

#[tokio::test]
async fn a_key_ends_by_the_clock_with_no_new_config() {
    let soon = Key { expires_at: Some(now() + 2), ..key("soon", "sk-vk-soon") };
    let gateway = serving(vec![soon]).await;
    assert_eq!(told(gateway.chat_as("sk-vk-soon", "any")).await.0, 200);
    crate::harness::until("the key to expire", || async {
        told(gateway.chat_as("sk-vk-soon", "any")).await.0 == 401
    })
    .await;
}

#[tokio::test]
async fn a_model_that_a_key_may_not_ask_is_refused_in_the_clients_language() {
    let narrow = Key { models: only(&["any"], &[]), ..key("narrow", "sk-vk-narrow") };
    let barred = Key { models: only(&[], &["alias/any"]), ..key("barred", "sk-vk-barred") };
    let gateway = serving(vec![barred, narrow]).await;
    assert_eq!(told(gateway.chat_as("sk-vk-narrow", "any")).await.0, 200);
    assert_eq!(told(gateway.chat_as("sk-vk-narrow", "alias/any")).await.0, 200, "it is the same model");
    let (status, body) = told(gateway.chat_as("sk-vk-narrow", "alias/other")).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("key_model_access_denied")), "{body}");
    assert_eq!(body["error"]["param"], "model");
    let (status, body) = told(gateway.chat_as("sk-vk-narrow", "nonsense")).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("model_not_found")), "{body}");
    for speaker in ALL {
        let url = format!("{}{}", gateway.url, (speaker.path)(false));
        let ask = client().post(url).bearer_auth("sk-vk-barred").body((speaker.ask)(false).to_string());
        let (status, body) = told(ask).await;
        assert_eq!(status, 403, "{}: {body}", speaker.dialect.name());
        let why = (speaker.error)(&body).expect("an error of its language");
        assert!(why.contains("ai/barred may not use the model 'any'"), "{why}");
    }
    let messages = client().post(format!("{}/v1/messages", gateway.url)).header("x-api-key", "sk-vk-barred");
    let (_, body) = told(messages.body(r#"{"model":"any","max_tokens":1,"messages":[]}"#)).await;
    assert_eq!(body["error"]["type"], "permission_error", "{body}");
}

#[tokio::test]
async fn a_listing_has_what_the_caller_may_ask() {
    let narrow = Key { models: only(&["other"], &[]), ..key("narrow", "sk-vk-lists") };
    let gateway = serving(vec![narrow, key("wide", "sk-vk-lists-all")]).await;
    let ids = |list: &Value| -> Vec<String> {
        let all = list["data"].as_array().or_else(|| list["models"].as_array()).expect("a list");
        let id = |one: &Value| one["id"].as_str().or_else(|| one["name"].as_str()).expect("an id").to_owned();
        all.iter().map(id).collect()
    };
    let list = async |key: &str, path: &str| ids(&told(gateway.get_as(key, path)).await.1);
    assert_eq!(list("sk-vk-lists", "/v1/models").await, ["alias/other", "other"]);
    assert_eq!(list("sk-vk-lists", "/v1beta/models").await, ["models/alias/other", "models/other"]);
    assert_eq!(list("sk-vk-lists-all", "/v1/models").await, list(KEY, "/v1/models").await);
    let claude = gateway.get_as("sk-vk-lists", "/v1/models").header("anthropic-version", "2026-10-21");
    assert_eq!(ids(&told(claude).await.1), ["alias/other", "other"]);
    assert_eq!(told(gateway.get_as("sk-vk-lists", "/v1/models/other")).await.0, 200);
    assert_eq!(told(gateway.get_as("sk-vk-lists", "/v1/models/any")).await.0, 404);
}

#[tokio::test]
async fn what_tells_of_everybody_is_for_the_master_key() {
    let gateway = serving(vec![key("wide", "sk-vk-nosy")]).await;
    for path in ["/health", "/metrics"] {
        let (status, body) = told(gateway.get_as("sk-vk-nosy", path)).await;
        assert_eq!((status, &body["error"]["code"]), (403, &json!("master_key_required")), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_key_that_leaves_the_config_is_refused_from_then_on() {
    let gateway = serving(vec![key("gone", "sk-vk-gone")]).await;
    assert_eq!(told(gateway.chat_as("sk-vk-gone", "any")).await.0, 200);
    gateway.deliver(with_keys("r3", Vec::new()));
    gateway.wait_for("r3").await;
    assert_eq!(told(gateway.chat_as("sk-vk-gone", "any")).await.0, 401);
}

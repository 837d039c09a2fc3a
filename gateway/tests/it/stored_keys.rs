//! Keys of the store: who is let in, for what, on every pod and while the database is away.

mod limits;
mod outage;
mod pods;

use config::KeyHash;
use gateway::{Accounts, Feed, RedisAt, Store};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use store::accounts::{Account, FormerHash, Key, KeyType, Team, User, Written};
use tokio::sync::watch;

use crate::harness::{Gateway, Lasting, access_log, client, delivery, logged, mock};
use crate::speakers::ALL;

/// A key that opens everything, with the secret `sk-stored-<id>`.
fn key(id: &str) -> Key {
    Key {
        id: id.into(),
        hash: KeyHash::of(secret(id).as_bytes()).sha256,
        shown: format!("sk-...{id}"),
        ..Key::default()
    }
}

fn secret(id: &str) -> String {
    format!("sk-stored-{id}")
}

async fn put<A: Account>(accounts: &Accounts, account: &A) {
    let written = accounts.put(account).await.expect("a database");
    assert!(matches!(written, Written::Done(_)), "{}", account.id());
}

/// Changes what is there.
async fn change<A: Account>(accounts: &Accounts, id: &str, change: impl FnOnce(&mut A)) {
    let found = accounts.store().account_get::<A>(id).await.expect("a database");
    let mut account = found.expect("an account");
    change(&mut account);
    put(accounts, &account).await;
}

/// A pod of the models `any` and `other`.
async fn pod(store: &Store, redis: Option<RedisAt>) -> Gateway {
    serving(delivery("r1", vec![mock("any"), mock("other")]), store, redis).await
}

async fn serving(delivery: config::Delivery, store: &Store, redis: Option<RedisAt>) -> Gateway {
    let feed = Feed { delivery: Some(std::sync::Arc::new(delivery)), problem: None };
    let lasting = Lasting { store: Some(store.clone()), redis, ..Lasting::default() };
    let gateway = Gateway::lasting(watch::Sender::new(feed), lasting).await;
    gateway.wait_for("r1").await;
    gateway
}

/// One that shares nothing.
async fn alone() -> (Gateway, Accounts, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).await.expect("a store");
    let gateway = pod(&store, None).await;
    let accounts = gateway.accounts.clone().expect("accounts");
    (gateway, accounts, folder)
}

fn chat(gateway: &Gateway, key: &str, model: &str) -> RequestBuilder {
    let body = json!({"model": model, "messages": []}).to_string();
    client().post(format!("{}/v1/chat/completions", gateway.url)).bearer_auth(key).body(body)
}

async fn told(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn status(gateway: &Gateway, id: &str) -> u16 {
    told(chat(gateway, &secret(id), "any")).await.0
}

#[tokio::test]
async fn a_key_of_the_store_opens_every_surface_and_the_log_names_it_by_its_id() {
    let (gateway, accounts, _folder) = alone().await;
    let named = |name: &str| Some(name.to_owned());
    put(&accounts, &Key { alias: named("bot"), team_id: named("red"), user_id: named("ann"), ..key("wide") })
        .await;
    for speaker in ALL {
        let url = format!("{}{}", gateway.url, (speaker.path)(false));
        let ask =
            client().post(url).header("x-api-key", secret("wide")).body((speaker.ask)(false).to_string());
        assert_eq!(ask.send().await.expect("an answer").status(), 200, "{}", speaker.dialect.name());
    }
    let line = logged("\"key\":\"key:wide\"").await;
    assert_eq!(
        (&line["key_name"], &line["team"], &line["user"]),
        (&json!("bot"), &json!("red"), &json!("ann"))
    );
    assert!(!access_log().contains(&secret("wide")));
}

#[tokio::test]
async fn who_is_refused_is_told_why() {
    let (gateway, accounts, _folder) = alone().await;
    let named = |name: &str| Some(name.to_owned());
    put(&accounts, &Key { expires_us: Some(1), ..key("expired") }).await;
    put(&accounts, &Key { blocked: true, ..key("blocked") }).await;
    put(&accounts, &Team { id: "red".into(), blocked: true, ..Team::default() }).await;
    put(&accounts, &Key { team_id: named("red"), ..key("of-red") }).await;
    put(&accounts, &User { id: "ann".into(), blocked: true, ..User::default() }).await;
    put(&accounts, &Key { user_id: named("ann"), ..key("of-ann") }).await;
    let former = Some(FormerHash { hash: key("former").hash, until_us: 1 });
    put(&accounts, &Key { former, ..key("rotated") }).await;
    for (id, code, hint) in [
        ("nobodys", "invalid_api_key", "not valid"),
        ("expired", "expired_key", "has expired"),
        ("former", "expired_key", "sk-...rotated"),
        ("blocked", "key_blocked", "sk-...blocked is blocked"),
        ("of-red", "key_blocked", "the team of"),
        ("of-ann", "key_blocked", "the user of"),
    ] {
        let (status, body) = told(chat(&gateway, &secret(id), "any")).await;
        assert_eq!((status, &body["error"]["code"]), (401, &json!(code)), "{id}: {body}");
        assert!(body["error"]["message"].as_str().is_some_and(|why| why.contains(hint)), "{body}");
    }
    assert_eq!(status(&gateway, "rotated").await, 200);
    assert_eq!(told(chat(&gateway, "no-key", "any")).await.0, 401);
}

#[tokio::test]
async fn models_and_paths_are_those_that_the_key_and_its_team_may() {
    let (gateway, accounts, _folder) = alone().await;
    put(&accounts, &Key { models: vec!["o*".into()], ..key("narrow") }).await;
    let (status, body) = told(chat(&gateway, &secret("narrow"), "any")).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("key_model_access_denied")), "{body}");
    assert_eq!(told(chat(&gateway, &secret("narrow"), "other")).await.0, 200);
    let list = client().get(format!("{}/v1/models", gateway.url)).bearer_auth(secret("narrow"));
    let (_, list) = told(list).await;
    let ids: Vec<_> = list["data"].as_array().expect("a list").iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [json!("alias/other"), json!("other")]);
    put(&accounts, &Team { id: "red".into(), models: vec!["other".into()], ..Team::default() }).await;
    put(&accounts, &Key { team_id: Some("red".into()), ..key("of-red") }).await;
    let (status, body) = told(chat(&gateway, &secret("of-red"), "any")).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("team_model_access_denied")), "{body}");
    put(&accounts, &Key { key_type: KeyType::ReadOnly, ..key("reader") }).await;
    let (status, body) = told(chat(&gateway, &secret("reader"), "any")).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("route_denied")), "{body}");
    let list = client().get(format!("{}/v1/models", gateway.url)).bearer_auth(secret("reader"));
    assert_eq!(told(list).await.0, 200);
    put(&accounts, &Key { routes: vec!["/v1/messages".into()], ..key("claude") }).await;
    assert_eq!(told(chat(&gateway, &secret("claude"), "any")).await.0, 403);
    let messages =
        client().post(format!("{}/v1/messages", gateway.url)).header("x-api-key", secret("claude"));
    let (status, body) = told(messages.body(r#"{"model":"any","max_tokens":1,"messages":[]}"#)).await;
    assert_eq!(status, 200, "{body}");
    let kept = client().get(format!("{}/v1/responses/resp_1", gateway.url)).bearer_auth(secret("claude"));
    assert_eq!(told(kept).await.1["error"]["code"], "route_denied");
    for path in ["/health", "/metrics"] {
        let nosy = client().get(format!("{}{path}", gateway.url)).bearer_auth(secret("narrow"));
        assert_eq!(told(nosy).await.1["error"]["code"], "master_key_required", "{path}");
    }
}

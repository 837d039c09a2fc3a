//! While the database is away, what is known serves on, and what is not known is not called wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway::Store;
use store::accounts::Customer;
use tokio::time::Instant;

use super::{chat, key, pod, put, secret, status, told};
use crate::accounting::database::Database;
use crate::harness::{client, until};
use crate::speakers::ALL;

#[tokio::test]
async fn known_keys_serve_on_and_others_are_told_to_come_back() {
    let database = Database::make().await;
    database.store().await;
    let store = Store::connect(&database.url).expect("a URL");
    let gateway = pod(&store, None).await;
    let accounts = gateway.accounts.clone().expect("accounts");
    for id in ["known", "unknown"] {
        put(&accounts, &key(id)).await;
    }
    assert_eq!(status(&gateway, "known").await, 200);
    database.shut();
    for _ in 0..3 {
        assert_eq!(status(&gateway, "known").await, 200);
    }
    let answer = chat(&gateway, &secret("unknown"), "any").send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers().get("retry-after").is_some()), (503, true));
    let body: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(body["error"]["code"], "keys_unavailable", "{body}");
    for speaker in ALL {
        let url = format!("{}{}", gateway.url, (speaker.path)(false));
        let ask = client().post(url).bearer_auth(secret("unknown")).body((speaker.ask)(false).to_string());
        let (status, body) = told(ask).await;
        assert_eq!(status, 503, "{}: {body}", speaker.dialect.name());
        assert!((speaker.error)(&body).is_some_and(|why| why.contains("does not answer")), "{body}");
    }
    let master = gateway.chat(r#"{"model":"any","messages":[]}"#);
    assert_eq!(told(master).await.0, 200, "the master key is in the config");
    database.open();
    until("the database to be back", || async { status(&gateway, "unknown").await == 200 }).await;
    assert_eq!(status(&gateway, "nobodys").await, 401);
}

#[tokio::test]
async fn an_outage_slows_nobody_down() {
    let database = Database::make().await;
    database.store().await;
    let gateway = pod(&Store::connect(&database.url).expect("a URL"), None).await;
    let accounts = gateway.accounts.clone().expect("accounts");
    put(&accounts, &key("known")).await;
    put(&accounts, &Customer { id: "carl".into(), ..Customer::default() }).await;
    let names = AtomicUsize::new(0);
    let ask = async |id: &str| {
        let begun = Instant::now();
        let customer = format!("customer-{}", names.fetch_add(1, Ordering::Relaxed));
        let ask = chat(&gateway, &secret(id), "any").header("x-litellm-customer-id", customer);
        (told(ask).await.0, begun.elapsed() < Duration::from_millis(500))
    };
    assert_eq!(ask("known").await.0, 200);
    database.shut();
    until("a new customer of a known key not to wait", || async { ask("known").await == (200, true) }).await;
    until("an unknown key not to wait", || async { ask("unknown").await == (503, true) }).await;
}

#[tokio::test]
async fn a_pod_that_starts_meanwhile_calls_no_key_wrong() {
    let database = Database::make().await;
    let store = database.store().await;
    store.account_put(&key("good")).await.expect("a database");
    database.shut();
    let gateway = pod(&Store::connect(&database.url).expect("a URL"), None).await;
    assert_eq!(status(&gateway, "good").await, 503);
    database.open();
    until("the key to be known", || async { status(&gateway, "good").await == 200 }).await;
}

//! What is changed on one pod holds on every other within a second.

use std::time::Duration;

use gateway::Store;
use store::accounts::{Key, Team};
use tokio::time::Instant;

use super::{alone, change, key, pod, put, secret, status, told};
use crate::accounting::database::Database;
use crate::budgets::redis;
use crate::harness::{Gateway, client, until};

/// Where nobody is.
fn redis_away() -> Option<gateway::RedisAt> {
    redis().map(|at| gateway::RedisAt { url: config::Secret::new(b"redis://127.0.0.1:1".to_vec()), ..at })
}

#[tokio::test]
async fn a_revoked_key_is_refused_on_every_pod_within_a_second() {
    revoked(redis()).await;
}

#[tokio::test]
async fn a_revoked_key_is_refused_on_every_pod_within_a_second_without_redis() {
    revoked(None).await;
}

#[tokio::test]
async fn a_revoked_key_is_refused_on_every_pod_within_a_second_while_redis_is_away() {
    revoked(redis_away()).await;
}

async fn revoked(redis: Option<gateway::RedisAt>) {
    let database = Database::make().await;
    let store = database.store().await;
    let (a, b) = (pod(&store, redis.clone()).await, pod(&store, redis).await);
    let accounts = a.accounts.clone().expect("accounts");
    let mut took = Vec::new();
    for id in ["k1", "k2", "k3", "k4", "k5"] {
        put(&accounts, &key(id)).await;
        assert_eq!((status(&a, id).await, status(&b, id).await), (200, 200));
        assert!(accounts.delete::<Key>(id).await.expect("a database"));
        let gone = Instant::now();
        assert_eq!(status(&a, id).await, 401, "at once where it was revoked");
        until("the other pod to refuse it", || async { status(&b, id).await == 401 }).await;
        took.push(gone.elapsed());
    }
    took.sort();
    // The machine of the tests has much else to do.
    assert!(took[2] < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_key_that_was_asked_for_before_it_was_there_works_within_a_second() {
    let database = Database::make().await;
    let store = database.store().await;
    let (a, b) = (pod(&store, redis()).await, pod(&store, redis()).await);
    assert_eq!(status(&b, "new").await, 401);
    let made = Instant::now();
    put(&a.accounts.clone().expect("accounts"), &key("new")).await;
    until("the other pod to let it in", || async { status(&b, "new").await == 200 }).await;
    assert!(
        made.elapsed() < Duration::from_secs(3),
        "{:?}: not when it is forgotten by itself",
        made.elapsed()
    );
}

#[tokio::test]
async fn what_happens_to_a_team_happens_to_its_keys_on_every_pod() {
    let database = Database::make().await;
    let store = database.store().await;
    let (a, b) = (pod(&store, redis()).await, pod(&store, None).await);
    let accounts = a.accounts.clone().expect("accounts");
    put(&accounts, &Key { team_id: Some("red".into()), ..key("of-red") }).await;
    assert_eq!(status(&b, "of-red").await, 200, "the team is not there yet");
    put(&accounts, &Team { id: "red".into(), blocked: true, ..Team::default() }).await;
    until("the key to be blocked", || async { status(&b, "of-red").await == 401 }).await;
    change::<Team>(&accounts, "red", |team| team.blocked = false).await;
    until("the key to be let in", || async { status(&b, "of-red").await == 200 }).await;
    change::<Team>(&accounts, "red", |team| team.models = vec!["other".into()]).await;
    until("the model to be denied", || async { status(&b, "of-red").await == 403 }).await;
}

#[tokio::test]
async fn a_pod_without_the_database_hears_of_a_revocation_through_redis() {
    let database = Database::make().await;
    let (near, far) = (database.store().await, Store::connect(&database.url).expect("a URL"));
    let redis = redis();
    let (a, b) = (pod(&near, redis.clone()).await, pod(&far, redis).await);
    let accounts = a.accounts.clone().expect("accounts");
    for id in ["revoked", "other"] {
        put(&accounts, &key(id)).await;
        until("the other pod to know the key", || async { status(&b, id).await == 200 }).await;
    }
    database.shut();
    assert!(accounts.delete::<Key>("revoked").await.expect("a database"));
    until("the other pod to doubt the key", || async { status(&b, "revoked").await == 503 }).await;
    assert_eq!(status(&b, "other").await, 200);
    database.open();
    until("the other pod to refuse the key", || async { status(&b, "revoked").await == 401 }).await;
}

#[tokio::test]
async fn what_another_program_writes_is_found_by_looking() {
    let database = Database::make().await;
    let store = database.store().await;
    found_by_looking(&pod(&store, redis()).await, &store).await;
}

#[tokio::test]
async fn what_nobody_was_told_of_is_found_by_looking_in_a_file_too() {
    let (pod, accounts, _folder) = alone().await;
    found_by_looking(&pod, accounts.store()).await;
}

async fn found_by_looking(pod: &Gateway, store: &Store) {
    store.account_put(&key("k")).await.expect("a database");
    assert_eq!(status(pod, "k").await, 200);
    store.account_delete::<Key>("k").await.expect("a database");
    until("the key to be refused", || async { status(pod, "k").await == 401 }).await;
}

#[tokio::test]
async fn a_flood_of_unknown_keys_does_not_keep_known_ones_out() {
    let database = Database::make().await;
    let store = database.store().await;
    let pod = pod(&store, None).await;
    put(&pod.accounts.clone().expect("accounts"), &key("known")).await;
    assert_eq!(status(&pod, "known").await, 200);
    let flood = futures::future::join_all((0..300).map(|number| {
        let url = format!("{}/v1/models", pod.url);
        told(client().get(url).bearer_auth(secret(&format!("made-up-{number}"))))
    }));
    let known = async {
        for _ in 0..20 {
            assert_eq!(status(&pod, "known").await, 200);
        }
    };
    let (told, ()) = tokio::join!(flood, known);
    assert!(told.iter().all(|(status, _)| matches!(status, 401 | 503)), "{told:?}");
    assert!(told.iter().any(|(status, _)| *status == 401), "{told:?}");
}

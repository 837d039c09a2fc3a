//! The database goes away and comes back: calls go on, their records wait, and each is counted once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gateway::SpoolOptions;
use tempfile::TempDir;
use tokio::sync::watch;

use super::database::Database;
use super::provider::{COST_NANO, Provider};
use super::{agree, records, requests, spooled, total};
use crate::harness::{Gateway, Lasting, delivery, model, until};

const PLAIN: &str = r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#;

/// A gateway on `database`, with at most `bytes` in its spool.
async fn start(provider: &Provider, database: &Database, spool: &TempDir, bytes: u64) -> Gateway {
    let mut model = model("m", &[&provider.url]);
    model.deployments[0].upstream_model = "gpt-4o".into();
    let feed = gateway::Feed { delivery: Some(Arc::new(delivery("r1", vec![model]))), problem: None };
    let store = gateway::Store::connect(&database.url).expect("a URL");
    let spool = SpoolOptions { folder: spool.path().to_owned(), bytes, syncs: true };
    let lasting = Lasting { store: Some(store), spool: Some(spool), ..Lasting::default() };
    let gateway = Gateway::lasting(watch::Sender::new(feed), lasting).await;
    gateway.wait_for("r1").await;
    gateway
}

async fn ask(gateway: &Gateway) -> reqwest::Response {
    gateway.chat(PLAIN).send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn records_wait_while_the_database_is_away_and_count_once_when_it_is_back() {
    let (provider, database) = (Provider::start().await, Database::make().await);
    let (spool, store) = (TempDir::new().expect("a folder"), database.store().await);
    let gateway = start(&provider, &database, &spool, 1 << 20).await;
    assert_eq!(ask(&gateway).await.status(), 200);
    requests(&store, 1).await;
    for round in 0..3 {
        database.shut();
        for _ in 0..10 {
            assert_eq!(ask(&gateway).await.status(), 200, "a database that is away refuses nobody");
        }
        assert_eq!(records(&store).await.len(), 1 + round * 10);
        // It is back, but its first answers are lost on their way: what was written is sent again.
        database.lost.store(2, Ordering::Relaxed);
        database.open();
        requests(&store, 1 + (round + 1) * 10).await;
    }
    agree(&store).await;
    assert_eq!(total(&store).await.cost_nano, 31 * COST_NANO);
    assert_eq!(provider.asked(), 31);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_refuses_and_drops_nothing() {
    let (provider, database) = (Provider::start().await, Database::make().await);
    let (spool, store) = (TempDir::new().expect("a folder"), database.store().await);
    let gateway = start(&provider, &database, &spool, 20_000).await;
    database.shut();
    let mut served = 0;
    let refused = loop {
        let answer = ask(&gateway).await;
        if answer.status() != 200 {
            break answer;
        }
        served += 1;
        assert!(served < 100, "20,000 bytes are not that many");
    };
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    let told: serde_json::Value = refused.json().await.expect("JSON");
    assert_eq!(told["error"]["code"], "accounting_unavailable", "{told}");
    assert_eq!(provider.asked(), served, "nobody was asked for what could not be accounted for");
    let closed = spooled(spool.path()).lines().filter(|line| line.contains(" c {")).count();
    assert_eq!(closed, served);
    database.open();
    requests(&store, served).await;
    until("a place", || async { ask(&gateway).await.status() == 200 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_that_the_database_refuses_holds_up_no_other() {
    let (provider, database) = (Provider::start().await, Database::make().await);
    let (spool, store) = (TempDir::new().expect("a folder"), database.store().await);
    let gateway = start(&provider, &database, &spool, 1 << 20).await;
    database.shut();
    let mut ids = Vec::new();
    for _ in 0..7 {
        let answer = ask(&gateway).await;
        ids.push(answer.headers()["x-fairlead-request-id"].to_str().expect("text").to_owned());
    }
    database.refuse(&ids[3]);
    database.open();
    requests(&store, 6).await;
    let log = spool.path().join("refused.log");
    until("the refused record", || async { log.exists() }).await;
    let kept = std::fs::read_to_string(log).expect("a file");
    assert!(kept.contains(&ids[3]) && kept.lines().count() == 1, "{kept}");
    agree(&store).await;
}

//! What budgets have counted outlives the process, and a Redis that loses its data.

use std::process::Command;
use std::sync::Arc;

use config::{FailureMode, Unit};
use gateway::{SpoolOptions, Store};
use tempfile::TempDir;
use tokio::sync::watch;

use super::database::Database;
use super::records::{PLAIN, Setting, answer};
use super::requests;
use crate::budgets::{budget, limit, redis};
use crate::harness::{Gateway, Lasting, delivery, mock, until, within};
use crate::upstream::Upstream;

/// Two requests in a year.
fn two(config: &mut config::Config) {
    config.budgets = vec![budget("two", vec![limit("requests", Unit::Requests, 2)])];
}

async fn asked(setting: &Setting, upstream: &Upstream) -> u16 {
    let body = answer();
    let ask = setting.gateway.chat(PLAIN).send();
    tokio::pin!(ask);
    // Nobody is asked for what is refused.
    let status = tokio::select! {
        refused = &mut ask => refused.expect("an answer").status(),
        _ = upstream.answer("200 OK", "", &body) => ask.await.expect("an answer").status(),
    };
    status.as_u16()
}

#[tokio::test]
async fn a_process_goes_on_from_what_the_one_before_has_counted() {
    let upstream = Upstream::start().await;
    let mut setting = Setting::with(&[&upstream.url()], two).await;
    assert_eq!(asked(&setting, &upstream).await, 200);
    for left in [1, 0] {
        setting.gateway.shutdown.cancel();
        within("the end", setting.gateway.tasks.join_next()).await.expect("a task").expect("no panic");
        setting = Setting::within(setting.folder, &[&upstream.url()], two).await;
        assert_eq!(asked(&setting, &upstream).await == 200, left > 0);
    }
}

/// Of a gateway with its counters in Redis.
async fn shared(database: &Database, spool: &TempDir, redis: gateway::RedisAt) -> Gateway {
    let mut delivery = delivery("r1", vec![mock("m")]);
    two(&mut delivery.config);
    delivery.config.budgets[0].failure_mode = FailureMode::FailClosed;
    let feed = gateway::Feed { delivery: Some(Arc::new(delivery)), problem: None };
    let store = Store::connect(&database.url).expect("a URL");
    let spool = SpoolOptions { folder: spool.path().to_owned(), bytes: 1 << 20, syncs: false };
    let lasting =
        Lasting { store: Some(store), spool: Some(spool), redis: Some(redis), ..Lasting::default() };
    let gateway = Gateway::lasting(watch::Sender::new(feed), lasting).await;
    gateway.wait_for("r1").await;
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_has_lost_its_data_refuses_what_it_has_refused() {
    let (database, spool) = (Database::make().await, TempDir::new().expect("a folder"));
    let (store, redis) = (database.store().await, redis().expect("a Redis"));
    let gateway = shared(&database, &spool, redis.clone()).await;
    let ask = async || gateway.chat(PLAIN).send().await.expect("an answer").status().as_u16();
    until("counters that stand", || async { ask().await != 503 }).await;
    assert_eq!((ask().await, ask().await), (200, 429));
    requests(&store, 2).await;
    let forget =
        "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end return 'done'";
    let url = String::from_utf8(redis.url.expose().to_vec()).expect("text");
    for _ in 0..3 {
        let pattern = format!("{{fairlead:{}}}*", redis.space);
        let done = Command::new("redis-cli").args(["-u", &url, "EVAL", forget, "0", &pattern]).output();
        assert_eq!(done.expect("redis-cli runs").stdout, b"done\n");
        until("counters that stand again", || async {
            let status = ask().await;
            assert!(status == 503 || status == 429, "{status}");
            status == 429
        })
        .await;
    }
}

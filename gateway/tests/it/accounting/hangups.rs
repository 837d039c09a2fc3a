//! Clients that hang up before an answer begins. What their providers make is billed, whether anybody waits for it or not.

use super::records::{PLAIN, STREAM, Setting, answer};
use super::{agree, records, requests};
use crate::hangup::{say, send, unattended};
use crate::harness::within;
use crate::upstream::Upstream;

#[tokio::test]
async fn a_whole_answer_that_nobody_waits_for_is_made_and_billed() {
    let upstream = Upstream::start().await;
    let setting = Setting::of(&[&upstream.url()]).await;
    let socket = send(&setting.gateway, PLAIN).await;
    let mut exchange = upstream.next().await;
    drop(socket);
    unattended(&setting.gateway, 1).await;
    say(&mut exchange, "200 OK", &answer()).await;
    let record = requests(&setting.store, 1).await.remove(0);
    assert_eq!((record.outcome.as_str(), record.status), ("client_closed", None));
    assert_eq!((record.cost_nano, record.is_estimate, record.output), (Some(3_000_000), false, 100));
    unattended(&setting.gateway, 0).await;
    agree(&setting.store).await;
}

#[tokio::test]
async fn who_has_gone_gets_no_second_try() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let setting = Setting::of(&[&first.url(), &second.url()]).await;
    let socket = send(&setting.gateway, PLAIN).await;
    let mut exchange = first.next().await;
    drop(socket);
    unattended(&setting.gateway, 1).await;
    say(&mut exchange, "500 Oh", "{}").await;
    let record = requests(&setting.store, 1).await.remove(0);
    assert_eq!((record.outcome.as_str(), record.attempts, record.cost_nano), ("client_closed", 1, None));
    assert_eq!(records(&setting.store).await.len(), 2, "the attempt has failed");
}

#[tokio::test]
async fn a_stream_that_nobody_waits_for_is_billed_for_its_question() {
    let upstream = Upstream::start().await;
    let setting = Setting::of(&[&upstream.url()]).await;
    let socket = send(&setting.gateway, STREAM).await;
    let mut exchange = upstream.next().await;
    drop(socket);
    exchange.closed().await;
    let record = requests(&setting.store, 1).await.remove(0);
    assert_eq!((record.outcome.as_str(), record.is_estimate, record.output), ("client_closed", true, 0));
    let asked = i64::try_from(STREAM.len() / 4).expect("short");
    assert_eq!((record.fresh_input, record.cost_nano), (asked, Some(asked * 2500)));
}

#[tokio::test]
async fn the_end_of_the_process_waits_for_answers_that_nobody_waits_for() {
    let upstream = Upstream::start().await;
    let mut setting = Setting::of(&[&upstream.url()]).await;
    let socket = send(&setting.gateway, PLAIN).await;
    let mut exchange = upstream.next().await;
    drop(socket);
    unattended(&setting.gateway, 1).await;
    setting.gateway.shutdown.cancel();
    say(&mut exchange, "200 OK", &answer()).await;
    within("the end", setting.gateway.tasks.join_next()).await.expect("a task").expect("no panic");
    let found = records(&setting.store).await;
    assert_eq!(found.iter().map(|one| one.cost_nano).collect::<Vec<_>>(), [Some(3_000_000)]);
}

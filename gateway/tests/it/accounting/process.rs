//! The real binary, killed in the middle of its work and started again.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use futures::future::join_all;
use store::SpendRecord;
use tempfile::TempDir;

use super::database::Database;
use super::provider::{COST_NANO, Provider};
use super::{agree, requests, spooled};
use crate::directory::publish;
use crate::harness::{model, until};
use crate::process::Process;

const PLAIN: &str = r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#;
const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
const HELD: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hold"}]}"#;

fn start(place: &Path, database: &str) -> Process {
    Process::start(place, &[("FAIRLEAD_DATABASE_URL", database)])
}

/// A folder with a config for `provider`.
fn place(provider: &Provider) -> TempDir {
    let place = TempDir::new().expect("a folder");
    std::fs::create_dir(place.path().join("config")).expect("a folder");
    let mut model = model("m", &[&provider.url]);
    model.deployments[0].upstream_model = "gpt-4o".into();
    publish(&place.path().join("config"), 1, vec![model], "");
    place
}

/// Asks for whole answers and streams, some at a time.
async fn work(process: &Process, count: usize) {
    let calls = (0..count).map(|number| async move {
        let body = if number % 2 == 0 { PLAIN } else { STREAM };
        let answer = process.ask(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.expect("whole");
        assert!(number % 2 == 0 || text.ends_with("data: [DONE]\n\n"), "{text}");
    });
    join_all(calls).await;
}

/// Begins streams that do not end, and reads the first chunk of each.
async fn hold(process: &Process, count: usize) -> Vec<impl Sized + use<>> {
    let calls = (0..count).map(|_| async {
        let answer = process.ask(HELD).send().await.expect("an answer");
        let mut stream = Box::pin(answer.bytes_stream());
        stream.next().await.expect("a chunk").expect("a chunk");
        stream
    });
    join_all(calls).await
}

fn outcomes(records: &[SpendRecord], outcome: &str) -> Vec<SpendRecord> {
    records.iter().filter(|one| one.outcome == outcome).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_streams_nothing_is_lost_and_nothing_twice() {
    let (provider, database) = (Provider::start().await, Database::make().await);
    let (place, store) = (place(&provider), database.store().await);
    let (lives, worked, held) = (3, 40, 10);
    for _ in 0..lives {
        let process = start(place.path(), &database.url);
        let streams = hold(&process, held).await;
        work(&process, worked).await;
        // One commit of each life is done without its gateway knowing.
        database.lost.store(1, Ordering::Relaxed);
        process.kill();
        drop(streams);
    }
    assert_eq!(provider.asked(), lives * (worked + held));
    let last = start(place.path(), &database.url);
    let found = requests(&store, provider.asked()).await;
    let answered = outcomes(&found, "answered");
    assert_eq!(answered.len(), lives * worked);
    assert!(answered.iter().all(|one| one.cost_nano == Some(COST_NANO) && !one.is_estimate), "{answered:#?}");
    let killed = outcomes(&found, "killed");
    assert_eq!(killed.len(), lives * held, "streams that ran are known");
    assert!(killed.iter().all(|one| one.is_estimate && one.cost_nano > Some(0)), "{killed:#?}");
    agree(&store).await;
    last.end();
    let left: Vec<_> = std::fs::read_dir(place.path().join("spool")).expect("a spool").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_stream_is_billed_for_what_it_had_said() {
    let (provider, database) = (Provider::start().await, Database::make().await);
    let (place, store) = (place(&provider), database.store().await);
    database.shut();
    let process = start(place.path(), &database.url);
    let mut streams = hold(&process, 1).await;
    let stream = streams.pop().expect("one");
    // It says more after a while, and the spool hears of it.
    let spool = place.path().join("spool");
    until("a word on the stream", || async {
        provider.nudge();
        spooled(&spool).lines().filter(|line| line.contains("\"outcome\":\"killed\"")).count() > 1
    })
    .await;
    process.kill();
    drop(stream);
    database.open();
    let last = start(place.path(), &database.url);
    let found = requests(&store, 1).await.remove(0);
    assert!(found.is_estimate && found.output >= 5 && found.fresh_input > 0, "{found:?}");
    assert_eq!(found.cost_nano, Some(found.fresh_input * 2500 + found.output * 10_000));
    last.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shipped_at_the_end_waits_for_the_next_life() {
    let (provider, database) = (Provider::start().await, Database::make().await);
    let (place, store) = (place(&provider), database.store().await);
    database.shut();
    let process = start(place.path(), &database.url);
    work(&process, 6).await;
    process.end();
    assert!(super::records(&store).await.is_empty());
    database.open();
    let process = start(place.path(), &database.url);
    work(&process, 6).await;
    process.end();
    assert_eq!(super::records(&store).await.len(), 12, "all of it is there when the process has ended");
    agree(&store).await;
}

#[test]
fn a_spool_that_cannot_be_used_ends_the_process_with_a_reason() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairlead-gateway"));
    command.env_clear().env("FAIRLEAD_DATABASE_URL", "postgres://u:s3cret@127.0.0.1:1/d");
    command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--spool-dir", "/proc/no"]);
    let output = command.output().expect("runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("/proc/no") && told.contains("FAIRLEAD_SPOOL_DIR"), "{told}");
}

//! The mounted directory, as the kubelet changes it: a new folder, and the symlink `..data` renamed to it.

use std::path::Path;
use std::time::Duration;

use config::{Bundle, Delivery, Model};
use gateway::Feed;
use gateway::boot::watch_directory;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::harness::{Gateway, client, delivery, mock, model};
use crate::upstream::Upstream;

/// Writes `models` as version `number` and swaps to it. `without` is left out. Gives the revision.
pub(crate) fn publish(mount: &Path, number: u32, models: Vec<Model>, without: &str) -> String {
    mount_delivery(mount, number, delivery("", models), without)
}

/// The same of anything.
pub(crate) fn mount_delivery(mount: &Path, number: u32, delivery: Delivery, without: &str) -> String {
    let Delivery { config, credentials, .. } = delivery;
    let bundle = Bundle::pack(&config).expect("small");
    let folder = mount.join(format!("..v{number}"));
    std::fs::create_dir(&folder).expect("a folder");
    let mut files: Vec<(String, Vec<u8>)> = bundle.shards.into_iter().collect();
    files.push((config::INDEX_FILE.to_owned(), bundle.index));
    files.extend(credentials.into_iter().map(|(file, secret)| (file, secret.expose().to_vec())));
    for (file, bytes) in
        files.into_iter().filter(|(file, _)| without.is_empty() || !file.starts_with(without))
    {
        std::fs::write(folder.join(&file), bytes).expect("written");
        std::os::unix::fs::symlink(format!("..data/{file}"), mount.join(&file)).ok();
    }
    std::os::unix::fs::symlink(&folder, mount.join("..data_tmp")).expect("a link");
    std::fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("a swap");
    bundle.revision
}

async fn started(mount: &Path) -> Gateway {
    let (feed, follow) = watch_directory(mount.to_owned(), CancellationToken::new());
    let mut gateway = Gateway::on(watch::Sender::new(Feed::default()), feed, Duration::ZERO).await;
    gateway.tasks.spawn(follow);
    gateway
}

#[tokio::test]
async fn a_swap_is_served_while_an_old_stream_ends_on_the_old_config() {
    let (mount, upstream) = (TempDir::new().expect("a folder"), Upstream::start().await);
    let first = publish(mount.path(), 1, vec![model("old", &[&upstream.url()])], "");
    let gateway = started(mount.path()).await;
    assert_eq!(gateway.wait_for(&first).await["problem"], Value::Null);
    let ask = gateway.chat(r#"{"model":"old","stream":true}"#).send();
    let (answer, mut exchange) = tokio::join!(ask, async {
        let mut exchange = upstream.next().await;
        exchange.begin_stream().await;
        exchange.send(b"data: {\"choices\":[]}\n\n").await;
        exchange
    });
    let second = publish(mount.path(), 2, vec![mock("new")], "");
    gateway.wait_for(&second).await;
    assert_eq!(gateway.chat(r#"{"model":"new"}"#).send().await.expect("an answer").status(), 200);
    assert_eq!(gateway.chat(r#"{"model":"old"}"#).send().await.expect("an answer").status(), 404);
    exchange.send(b"data: [DONE]\n\n").await;
    drop(exchange);
    let text = answer.expect("an answer").text().await.expect("a stream");
    assert_eq!(text, "data: {\"choices\":[]}\n\ndata: [DONE]\n\n");
}

#[tokio::test]
async fn what_is_incomplete_or_of_another_version_leaves_the_last_good_one_and_says_why() {
    let mount = TempDir::new().expect("a folder");
    let gateway = started(mount.path()).await;
    let status = async || -> Value {
        let answer =
            client().get(format!("{}/internal/config", gateway.admin)).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    };
    crate::harness::until("the reason", || async {
        status().await["problem"].as_str().is_some_and(|why| why.contains("index.json does not exist"))
    })
    .await;
    let first = publish(mount.path(), 1, vec![mock("m")], "");
    gateway.wait_for(&first).await;
    publish(mount.path(), 2, vec![mock("n")], "shard-");
    crate::harness::until("what is missing", || async {
        status().await["problem"].as_str().is_some_and(|why| why.contains("missing"))
    })
    .await;
    let waits = status().await;
    assert_eq!((waits["revision"].as_str(), &waits["rejected"]), (Some(first.as_str()), &Value::Null));
    assert_eq!(gateway.chat(r#"{"model":"m"}"#).send().await.expect("an answer").status(), 200);
    assert_eq!(gateway.get("/health/readiness").send().await.expect("an answer").status(), 200);
    let index = mount.path().join("..v2").join(config::INDEX_FILE);
    std::fs::write(&index, br#"{"version":99}"#).expect("written");
    let refused = gateway.wait_for(&config::short_digest(br#"{"version":99}"#)).await;
    assert!(refused["problem"].as_str().is_some_and(|why| why.contains("config version 99")), "{refused}");
    assert_eq!(refused["revision"].as_str(), Some(first.as_str()));
    let third = publish(mount.path(), 3, vec![mock("n")], "");
    assert_eq!(gateway.wait_for(&third).await["problem"], Value::Null);
}

#[tokio::test]
async fn waiting_for_a_revision_ends_when_it_comes_or_in_time() {
    let mount = TempDir::new().expect("a folder");
    let first = publish(mount.path(), 1, vec![mock("m")], "");
    let gateway = started(mount.path()).await;
    gateway.wait_for(&first).await;
    let url = format!("{}/internal/config?waitFor=0000000000000000&timeout=0", gateway.admin);
    let late: Value = client().get(url).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(late["revision"].as_str(), Some(first.as_str()));
    let next = Bundle::pack(&delivery("", vec![mock("n")]).config).expect("small").revision;
    let (waited, published) =
        tokio::join!(gateway.wait_for(&next), async { publish(mount.path(), 2, vec![mock("n")], "") });
    assert_eq!((waited["revision"].as_str(), published), (Some(next.as_str()), next.clone()));
}

//! Starting with good settings only, and stopping without cutting anyone off.

use std::process::{Command, Stdio};
use std::time::Duration;

use std::io::{BufRead, BufReader};

use gateway::boot::{Origin, standalone_master_key, standalone_store};
use gateway::{Feed, MasterKey};
use tokio::sync::watch;

use crate::harness::{Gateway, client, delivery, mock, model, until, within};
use crate::upstream::Upstream;

#[tokio::test]
async fn draining_fails_readiness_first_then_finishes_what_runs() {
    let upstream = Upstream::start().await;
    let feed = watch::Sender::new(Feed::default());
    let receiver = feed.subscribe();
    let mut gateway = Gateway::on(feed, receiver, Duration::from_secs(2)).await;
    gateway.deliver(delivery("r1", vec![model("fast", &[&upstream.url()]), mock("m")]));
    gateway.wait_for("r1").await;
    let ask = gateway.chat(r#"{"model":"fast","stream":true}"#).send();
    let (answer, mut exchange) = tokio::join!(ask, async {
        let mut exchange = upstream.next().await;
        exchange.begin_stream().await;
        exchange.send(b"data: {\"choices\":[]}\n\n").await;
        exchange
    });
    gateway.shutdown.cancel();
    until("readiness to fail", || async {
        client().get(format!("{}/health/readiness", gateway.admin)).send().await.expect("an answer").status()
            == 503
    })
    .await;
    let during = gateway.chat(r#"{"model":"m"}"#).send().await.expect("still accepting");
    assert_eq!(during.status(), 200);
    assert_eq!(during.headers()["connection"], "close", "the next request shall go to another pod");
    until("the port to close", || async { tokio::net::TcpStream::connect(gateway.address).await.is_err() })
        .await;
    exchange.send(b"data: [DONE]\n\n").await;
    drop(exchange);
    assert!(answer.expect("an answer").text().await.expect("a stream").ends_with("data: [DONE]\n\n"));
    within("the end", gateway.tasks.join_next()).await.expect("a task").expect("no panic");
}

#[tokio::test]
async fn a_standalone_gateway_makes_its_master_key_once() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let store = standalone_store(folder.path()).await.expect("a store");
    let (made, origin) = standalone_master_key(&store).await.expect("a key");
    assert_eq!(origin, Origin::Made);
    let text = std::str::from_utf8(made.expose()).expect("text");
    assert!(text.starts_with("sk-") && text.len() == 67, "256 bits in hex");
    MasterKey::new(&made).expect("it is strong");
    store.close().await;
    let store = standalone_store(folder.path()).await.expect("the same");
    let (kept, origin) = standalone_master_key(&store).await.expect("a key");
    assert_eq!((kept, origin), (made, Origin::Kept));
}

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairlead-gateway"));
    let folder = std::env::temp_dir().join("fairlead-it-nothing-here");
    command.env_clear().arg("--config-dir").arg(folder);
    command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    command
}

#[test]
fn a_weak_master_key_ends_the_process_with_a_reason() {
    for key in ["sk-1234", "changeme", "", "short"] {
        let output = binary().env("FAIRLEAD_MASTER_KEY", key).output().expect("runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{key}: {told}");
        assert!(told.contains("(FAIRLEAD_MASTER_KEY) is refused: it is"), "{told}");
        assert!(key.is_empty() || key == "short" || !told.contains(key), "{told}");
    }
}

#[test]
fn a_database_url_that_is_none_ends_the_process_and_is_not_shown() {
    let output = binary().env("FAIRLEAD_DATABASE_URL", "mysql://u:s3cret@h/d").output().expect("runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("FAIRLEAD_DATABASE_URL") && told.contains("postgres://"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
}

#[tokio::test]
async fn readiness_tells_of_the_database_and_does_not_hang_on_it() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let embedded = standalone_store(folder.path()).await.expect("a store");
    let away = gateway::Store::connect("postgres://u:s3cret@127.0.0.1:1/d").expect("a URL");
    for (store, word) in
        [(None, "Not connected"), (Some(embedded), "connected"), (Some(away), "disconnected")]
    {
        let gateway = Gateway::with_store(vec![mock("m")], store).await;
        until(word, || async {
            let ready =
                client().get(format!("{}/health/readiness", gateway.admin)).send().await.expect("one");
            assert_eq!(ready.status(), 200);
            ready.json::<serde_json::Value>().await.expect("JSON")["db"] == word
        })
        .await;
        assert_eq!(gateway.chat(r#"{"model":"m"}"#).send().await.expect("an answer").status(), 200);
    }
}

#[test]
fn sigterm_ends_the_process_in_peace() {
    let mut child = binary().args(["--drain-delay", "1ms"]).stdout(Stdio::piped()).spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let is_up = lines.by_ref().any(|line| line.expect("text").contains("\"message\":\"serving\""));
    assert!(is_up, "it never served");
    // The handler is in place once the first look at the folder has been told of.
    assert!(lines.by_ref().any(|line| line.expect("text").contains("no config yet")));
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    assert!(lines.any(|line| line.expect("text").contains("\"message\":\"stopped\"")));
    assert_eq!(child.wait().expect("ends").code(), Some(0));
}

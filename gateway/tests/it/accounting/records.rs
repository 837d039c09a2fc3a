//! What a record says, and when it is written: on a gateway with an embedded store.

use std::sync::Arc;

use gateway::boot::standalone_store;
use gateway::{SpoolOptions, Store};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{agree, records, requests, spooled};
use crate::harness::{Gateway, KEY, Lasting, NOBODY, delivery, model, within};
use crate::upstream::Upstream;

const USAGE: &str =
    r#""usage":{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":400}}"#;
pub(super) const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
pub(super) const PLAIN: &str = r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#;
const WORD: &[u8] = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";

/// A gateway with all that lasts in a folder.
pub(super) struct Setting {
    pub(super) gateway: Gateway,
    pub(super) store: Store,
    pub(super) folder: TempDir,
}

impl Setting {
    pub(super) async fn of(urls: &[&str]) -> Self {
        Self::with(urls, |_| {}).await
    }

    /// The same, with more in its config.
    pub(super) async fn with(urls: &[&str], more: impl FnOnce(&mut config::Config)) -> Self {
        Self::within(TempDir::new().expect("a folder"), urls, more).await
    }

    /// The same, in a folder that may have had one before.
    pub(super) async fn within(
        folder: TempDir,
        urls: &[&str],
        more: impl FnOnce(&mut config::Config),
    ) -> Self {
        let store = standalone_store(folder.path()).await.expect("a store");
        let spool = SpoolOptions { folder: folder.path().join("spool"), bytes: 1 << 20, syncs: false };
        let mut model = model("m", urls);
        for deployment in &mut model.deployments {
            deployment.upstream_model = "gpt-4o".into();
        }
        let mut delivery = delivery("r1", vec![model]);
        more(&mut delivery.config);
        let feed = gateway::Feed { delivery: Some(Arc::new(delivery)), problem: None };
        let lasting = Lasting { store: Some(store.clone()), spool: Some(spool), ..Lasting::default() };
        let gateway = Gateway::lasting(watch::Sender::new(feed), lasting).await;
        gateway.wait_for("r1").await;
        // The gateway closes its own handle when it ends.
        let store = Store::open(folder.path()).await.expect("the same");
        Self { gateway, store, folder }
    }

    fn is_closed(&self, id: &str) -> bool {
        let text = spooled(&self.folder.path().join("spool"));
        text.lines().any(|line| line.contains(" c {") && line.contains(id))
    }

    /// Whether it is in the spool, or further.
    async fn is_known(&self, id: &str) -> bool {
        self.is_closed(id) || !self.store.spend_by_request(id).await.expect("an answer").is_empty()
    }
}

pub(super) fn answer() -> String {
    format!(
        r#"{{"id":"c","choices":[{{"index":0,"message":{{"role":"assistant","content":"Hi"}},"finish_reason":"stop"}}],{USAGE}}}"#
    )
}

pub(super) fn id(answer: &reqwest::Response) -> String {
    answer.headers()["x-fairlead-request-id"].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_whole_answer_is_accounted_for_before_it_goes_out() {
    let upstream = Upstream::start().await;
    let setting = Setting::of(&[&upstream.url()]).await;
    let body = answer();
    let (told, _) = tokio::join!(setting.gateway.chat(PLAIN).send(), upstream.answer("200 OK", "", &body));
    let told = told.expect("an answer");
    assert!(setting.is_known(&id(&told)).await);
    let record = requests(&setting.store, 1).await.remove(0);
    assert_eq!(record.request_id, id(&told));
    assert_eq!((record.gateway.as_deref(), record.model.as_deref()), (Some("ai/it"), Some("m")));
    assert_eq!((record.task.as_str(), record.dialect.as_str()), ("answer", "openai-chat"));
    let served = (record.deployment.as_deref(), record.provider.as_deref(), record.upstream_model.as_deref());
    assert_eq!(served, (Some("ai/d0"), Some("openai"), Some("gpt-4o")));
    assert_eq!((record.status, record.outcome.as_str(), record.attempts), (Some(200), "answered", 1));
    assert_eq!((record.fresh_input, record.cached_input, record.output), (600, 400, 100));
    assert_eq!((record.cost_nano, record.is_estimate, record.is_stream), (Some(3_000_000), false, false));
    assert_eq!(record.bytes_in, i64::try_from(PLAIN.len()).expect("short"));
    assert!(record.started_us > 1_700_000_000_000_000 && record.duration_us > 0, "{record:?}");
    agree(&setting.store).await;
}

#[tokio::test]
async fn a_stream_is_accounted_for_before_its_last_event_goes_out() {
    let upstream = Upstream::start().await;
    let setting = Setting::of(&[&upstream.url()]).await;
    let ask = setting.gateway.chat(STREAM).send();
    let (told, mut exchange) = tokio::join!(ask, async {
        let mut exchange = upstream.next().await;
        exchange.begin_stream().await;
        exchange.send(WORD).await;
        exchange
    });
    let mut told = told.expect("an answer");
    let id = id(&told);
    exchange.send(format!("data: {{\"choices\":[],{USAGE}}}\n\ndata: [DONE]\n\n").as_bytes()).await;
    let mut seen = Vec::new();
    while !seen.ends_with(b"data: [DONE]\n\n") {
        seen.extend(within("a chunk", told.chunk()).await.expect("whole").expect("a chunk"));
    }
    // The provider has not ended yet, and still it is known that the answer is whole.
    let spool = spooled(&setting.folder.path().join("spool"));
    let last = spool.lines().rfind(|line| line.contains(&id)).expect("a line");
    let last: Value = serde_json::from_str(last.get(11..).expect("a record")).expect("JSON");
    assert_eq!((&last["outcome"], &last["cost_nano"]), (&"answered".into(), &3_000_000.into()));
    drop(exchange);
    assert_eq!(within("the end", told.chunk()).await.expect("whole"), None);
    assert!(setting.is_known(&id).await);
    let record = requests(&setting.store, 1).await.remove(0);
    assert_eq!(
        (record.cost_nano, record.is_stream, record.outcome.as_str()),
        (Some(3_000_000), true, "answered")
    );
}

#[tokio::test]
async fn each_attempt_that_failed_has_a_record_of_its_own() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let setting = Setting::of(&[NOBODY, &first.url(), &second.url()]).await;
    let body = answer();
    let ask = setting.gateway.chat(PLAIN).send();
    let (told, _, _) =
        tokio::join!(ask, first.answer("500 Oh", "", "{}"), second.answer("200 OK", "", &body));
    let id = id(&told.expect("an answer"));
    requests(&setting.store, 1).await;
    let all = setting.store.spend_by_request(&id).await.expect("records");
    let told: Vec<_> = all
        .iter()
        .map(|one| {
            (one.attempt, one.deployment.as_deref().unwrap_or(""), one.outcome.as_str(), one.cost_nano)
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, "ai/d2", "answered", Some(3_000_000)),
            (1, "ai/d0", "refused", None),
            (2, "ai/d1", "refused", None)
        ]
    );
    assert_eq!(all[1].fault.as_deref(), Some("unreachable"), "{:?}", all[1]);
    let total = super::total(&setting.store).await;
    assert_eq!((total.requests, total.failures, total.failed_attempts), (1, 0, 2));
}

#[tokio::test]
async fn who_hangs_up_is_billed_for_what_was_generated() {
    let upstream = Upstream::start().await;
    let setting = Setting::of(&[&upstream.url()]).await;
    let mut socket = TcpStream::connect(setting.gateway.address).await.expect("connects");
    let length = STREAM.len();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {length}\r\n\r\n{STREAM}"
    );
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut exchange = upstream.next().await;
    exchange.begin_stream().await;
    for _ in 0..7 {
        exchange.send(WORD).await;
    }
    let mut seen = Vec::new();
    within("seven words", async {
        while String::from_utf8_lossy(&seen).matches("delta").count() < 7 {
            assert!(socket.read_buf(&mut seen).await.expect("readable") > 0);
        }
    })
    .await;
    drop(socket);
    exchange.closed().await;
    let record = requests(&setting.store, 1).await.remove(0);
    assert_eq!((record.outcome.as_str(), record.is_estimate, record.output), ("client_closed", true, 7));
    assert_eq!(record.cost_nano, Some(record.fresh_input * 2500 + 7 * 10_000), "{record:?}");
}

#[tokio::test]
async fn a_refused_request_and_a_broken_stream_are_told_apart() {
    let upstream = Upstream::start().await;
    let setting = Setting::of(&[&upstream.url()]).await;
    let (told, _) = tokio::join!(setting.gateway.chat(PLAIN).send(), upstream.answer("400 No", "", "{}"));
    assert_eq!(told.expect("an answer").status(), 400);
    let (told, _) = tokio::join!(
        async {
            setting.gateway.chat(STREAM).send().await.expect("an answer").text().await.expect("a stream")
        },
        async {
            let mut exchange = upstream.next().await;
            exchange.begin_stream().await;
            exchange.send(WORD).await;
        }
    );
    assert!(told.contains("error"), "{told}");
    let all = requests(&setting.store, 2).await;
    let told: Vec<_> = all.iter().map(|one| (one.outcome.as_str(), one.status, one.output)).collect();
    assert_eq!(told, [("refused", Some(400), 0), ("stream_cut", Some(200), 1)]);
    assert_eq!(records(&setting.store).await.len(), 3, "the refused one had an attempt");
    let total = super::total(&setting.store).await;
    assert_eq!((total.requests, total.failures, total.failed_attempts), (2, 2, 1));
}

#[tokio::test]
async fn requests_that_ask_no_model_that_exists_leave_no_record() {
    let setting = Setting::of(&[NOBODY]).await;
    for (body, status) in [(r#"{"model":"nobody's"}"#, 404), ("{", 400)] {
        assert_eq!(setting.gateway.chat(body).send().await.expect("an answer").status(), status);
    }
    assert_eq!(setting.gateway.chat(PLAIN).send().await.expect("an answer").status(), 502);
    let record = requests(&setting.store, 1).await.remove(0);
    assert_eq!((record.outcome.as_str(), record.attempts), ("refused", 1));
}

#[tokio::test]
async fn all_is_shipped_when_the_gateway_has_ended() {
    let upstream = Upstream::start().await;
    let mut setting = Setting::of(&[&upstream.url()]).await;
    let body = answer();
    for _ in 0..5 {
        let (told, _) =
            tokio::join!(setting.gateway.chat(PLAIN).send(), upstream.answer("200 OK", "", &body));
        assert_eq!(told.expect("an answer").status(), 200);
    }
    setting.gateway.shutdown.cancel();
    within("the end", setting.gateway.tasks.join_next()).await.expect("a task").expect("no panic");
    assert_eq!(records(&setting.store).await.len(), 5);
    let left = std::fs::read_dir(setting.folder.path().join("spool")).expect("a spool").count();
    assert_eq!(left, 0);
}

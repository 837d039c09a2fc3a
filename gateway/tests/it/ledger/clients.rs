//! Clients that ask until the budget is full: for whole answers, for streams, and for streams that they hang up on.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt;
use reqwest::StatusCode;
use serde_json::json;
use tokio::task::JoinSet;

use super::provider::{MOST_OUTPUT, WORDS};

/// Who they are.
pub(crate) const CALLER: &str = "sk-budgets-crowd-0f9a8b7c6d5e";

/// A test that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(600);

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// What all clients know.
#[derive(Default)]
pub(crate) struct Crowd {
    /// Where gateways are; they change when one is killed.
    pub(crate) urls: Mutex<Vec<String>>,
    /// Nobody stops before that.
    pub(crate) may_end: AtomicBool,
    answered: AtomicU64,
    refused: AtomicU64,
    number: AtomicU64,
    /// What became of calls, and how often.
    told: Mutex<BTreeMap<&'static str, u64>>,
}

impl Crowd {
    /// Sends `clients` at a time until all are refused and nothing runs. How many were answered in full.
    pub(crate) async fn ask(self: &Arc<Self>, http: &reqwest::Client, clients: usize) -> u64 {
        let mut workers = JoinSet::new();
        for _ in 0..clients {
            let (crowd, http) = (Arc::clone(self), http.clone());
            workers.spawn(async move { crowd.work(&http).await });
        }
        while let Some(done) = workers.join_next().await {
            done.expect("no panic");
        }
        let told = self.told.lock().expect("unpoisoned");
        writeln!(std::io::stderr(), "{clients} clients: {told:?}").expect("told");
        self.answered.load(Ordering::Relaxed)
    }

    async fn work(&self, http: &reqwest::Client) {
        let deadline = Instant::now() + LONGEST;
        loop {
            assert!(Instant::now() < deadline, "the budget never fills up: {:?}", self.told.lock());
            let was_let_in = self.once(http).await;
            if self.is_full() {
                return;
            }
            if !was_let_in {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Refusals in a row that nobody interrupts.
    fn is_full(&self) -> bool {
        self.may_end.load(Ordering::Relaxed) && self.refused.load(Ordering::Relaxed) > 2000
    }

    /// Whether it was let in.
    async fn once(&self, http: &reqwest::Client) -> bool {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let kind = ["plain", "stream", "cut"][usize::try_from(number % 3).expect("small")];
        let url = {
            let urls = self.urls.lock().expect("unpoisoned");
            urls[usize::try_from(number).expect("small") % urls.len()].clone()
        };
        let body = json!({
            "model": "m", "user": format!("{kind}-{number:06}"), "stream": kind != "plain", "max_tokens": MOST_OUTPUT,
            "messages": [{"role": "user", "content": "Tell me about families, please, at some length and with love."}],
        });
        let sent =
            http.post(format!("{url}/v1/chat/completions")).bearer_auth(CALLER).json(&body).send().await;
        let Ok(answer) = sent else { return self.note("no gateway") };
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return self.note("refused");
            }
            // A pod whose counters or spool are away.
            StatusCode::SERVICE_UNAVAILABLE => return self.note("away"),
            other => panic!("{other}: {:?}", answer.text().await),
        }
        self.refused.store(0, Ordering::Relaxed);
        let is_whole = match kind {
            "cut" => hears_all_words(answer).await,
            _ => answer.text().await.is_ok(),
        };
        self.answered.fetch_add(u64::from(is_whole), Ordering::Relaxed);
        self.note("let in");
        true
    }

    fn note(&self, what: &'static str) -> bool {
        *self.told.lock().expect("unpoisoned").entry(what).or_default() += 1;
        false
    }
}

/// Reads until the last word that will come, and hangs up.
async fn hears_all_words(answer: reqwest::Response) -> bool {
    let mut stream = Box::pin(answer.bytes_stream());
    let mut text = Vec::new();
    while let Some(Ok(bytes)) = stream.next().await {
        text.extend_from_slice(&bytes);
        let words = text.windows(7).filter(|seven| *seven == b"content").count();
        if u64::try_from(words).expect("few") == WORDS {
            return true;
        }
    }
    false
}

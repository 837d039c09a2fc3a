//! A provider that keeps its own ledger: what each call was, and what it cost. Calls are told apart by their `user`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Nano-dollars for a token of the prompt, and of the answer: the rates of the model.
const INPUT: i64 = 2_500;
const OUTPUT: i64 = 10_000;

/// The longest answer, which the clients ask for: what is reserved is never less than what it costs.
pub(crate) const MOST_OUTPUT: u64 = 100;

/// Streams that are to be cut say so many words, and then nothing.
pub(crate) const WORDS: u64 = 5;

/// One call as the provider bills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) cost_nano: i64,
    /// How often it was asked.
    pub(crate) calls: u32,
}

#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<HashMap<String, Entry>>>);

/// Serves until it is dropped.
pub(crate) struct Provider {
    pub(crate) url: String,
    ledger: Ledger,
    _tasks: JoinSet<()>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let ledger = Ledger::default();
        let app = Router::new().route("/v1/chat/completions", post(answer)).with_state(ledger.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.expect("serves") });
        Self { url, ledger, _tasks: tasks }
    }

    /// All calls so far, by their users.
    pub(crate) fn entries(&self) -> HashMap<String, Entry> {
        self.ledger.0.lock().expect("unpoisoned").clone()
    }
}

async fn answer(State(ledger): State<Ledger>, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).expect("JSON");
    let user = asked["user"].as_str().expect("a user").to_owned();
    let kind = user.split('-').next().unwrap_or_default();
    // Fewer than a gateway reckons with, from the length of the body.
    let input = body.len() as u64 / 5;
    let output = match kind {
        "cut" => WORDS,
        _ => 20 + user.bytes().map(u64::from).sum::<u64>() % (MOST_OUTPUT - 20),
    };
    ledger.note(user.clone(), input, output);
    match kind {
        "cut" => events((1..=WORDS).map(|word| word_of(input, word)).collect(), End::Never),
        "stream" => {
            let mut all: Vec<_> = (0..4).map(|_| word()).collect();
            all.push(json!({"choices": [], "usage": usage(input, output)}).to_string());
            all.push("[DONE]".into());
            events(all, End::Once)
        }
        _ => {
            tokio::time::sleep(Duration::from_millis(3)).await;
            let choice = json!({"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"});
            axum::Json(json!({"id": "c", "choices": [choice], "usage": usage(input, output)})).into_response()
        }
    }
}

impl Ledger {
    fn note(&self, user: String, input: u64, output: u64) {
        let cost = |tokens: u64, rate| i64::try_from(tokens).expect("few") * rate;
        let cost_nano = cost(input, INPUT) + cost(output, OUTPUT);
        let mut all = self.0.lock().expect("unpoisoned");
        all.entry(user).or_insert(Entry { cost_nano, calls: 0 }).calls += 1;
    }
}

fn usage(input: u64, output: u64) -> Value {
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn word() -> String {
    json!({"choices": [{"index": 0, "delta": {"content": "a"}}]}).to_string()
}

/// A word of a provider that tells with each what was used so far.
fn word_of(input: u64, words: u64) -> String {
    json!({"choices": [{"index": 0, "delta": {"content": "a"}}], "usage": usage(input, words)}).to_string()
}

/// How a stream ends.
enum End {
    Once,
    /// Only when the other side leaves.
    Never,
}

fn events(all: Vec<String>, end: End) -> Response {
    let said = all.into_iter().map(|data| Ok::<_, std::io::Error>(Bytes::from(format!("data: {data}\n\n"))));
    let said = stream::iter(said);
    let body = match end {
        End::Once => Body::from_stream(said),
        End::Never => Body::from_stream(futures::StreamExt::chain(said, stream::pending())),
    };
    ([("content-type", "text/event-stream")], body).into_response()
}

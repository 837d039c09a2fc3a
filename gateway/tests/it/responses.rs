//! OpenAI's stored responses: `native.rs` where the provider keeps them, `kept.rs` where the gateway does, `lost.rs`
//! where nobody does any more, `thoughts.rs` what comes back to its author.

mod kept;
mod lost;
mod native;
mod thoughts;

use catalogue::Dialect;
use config::Model;
use gateway::Store;
use gateway::boot::standalone_store;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cells::speaks;
use crate::harness::{Gateway, model};
use crate::upstream::{Exchange, Upstream};

/// A model whose deployments speak `dialects`.
fn speaking(name: &str, urls: &[&str], dialects: &[Dialect]) -> Model {
    let mut made = model(name, urls);
    speaks(&mut made, dialects);
    made
}

/// A model of providers that keep responses themselves.
fn keeping(name: &str, urls: &[&str]) -> Model {
    let mut made = speaking(name, urls, &[Dialect::OpenaiResponses]);
    for deployment in &mut made.deployments {
        if let config::Upstream::Http(http) = &mut deployment.upstream {
            http.keeps_responses = true;
        }
    }
    made
}

/// A real SQLite database; the folder goes with it.
async fn store() -> (TempDir, Store) {
    let folder = TempDir::new().expect("a folder");
    let store = standalone_store(folder.path()).await.expect("a store");
    (folder, store)
}

/// Asks for a response; the provider answers with `answer`. Gives what both saw.
async fn ask(gateway: &Gateway, upstream: &Upstream, body: &Value, answer: &str) -> (Value, Exchange) {
    let sent = gateway.post("/v1/responses").body(body.to_string()).send();
    let (answered, seen) = tokio::join!(sent, upstream.answer("200 OK", "", answer));
    let answered = answered.expect("an answer");
    let (status, text) = (answered.status(), answered.text().await.expect("whole"));
    assert_eq!(status, 200, "{text}");
    (last(&text), seen)
}

/// The answer, or the response object of a stream's last frame.
fn last(text: &str) -> Value {
    if let Ok(whole) = serde_json::from_str(text) {
        return whole;
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().expect("a frame");
    let event: Value = serde_json::from_str(data).expect("JSON");
    event["response"].clone()
}

/// What the gateway answers itself.
async fn told(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

fn body_of(exchange: &Exchange) -> Value {
    serde_json::from_slice(&exchange.body).expect("JSON to the provider")
}

fn request_line(exchange: &Exchange) -> &str {
    exchange.head.lines().next().expect("a line").trim_end_matches(" http/1.1")
}

/// A response in the words of a provider.
fn response(id: &str) -> Value {
    json!({
        "id": id, "object": "response", "created_at": 1, "status": "completed", "model": "m",
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": "Sunny.", "annotations": []}]}],
        "usage": {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16},
    })
}

fn id_of(response: &Value) -> &str {
    response["id"].as_str().expect("an id")
}

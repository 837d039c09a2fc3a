//! A provider that keeps its own ledger: what it was asked, and how far it got.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What every whole answer uses, and what that costs at the rates of `gpt-4o`: 10 × 2.50 + 20 × 10 dollars a million.
pub(super) const USAGE: &str = r#""usage":{"prompt_tokens":10,"completion_tokens":20}"#;
pub(super) const COST_NANO: i64 = 225_000;

const WORD: &[u8] = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";

/// Serves until it is dropped.
pub(super) struct Provider {
    pub(super) url: String,
    /// What it was asked.
    ledger: Arc<Mutex<Vec<String>>>,
    /// Streams that are asked to `hold` never end, and say another word whenever this changes.
    words: watch::Sender<u64>,
    _tasks: JoinSet<()>,
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let ledger = Arc::default();
        let words = watch::Sender::new(0);
        let heard = words.subscribe();
        let mut tasks = JoinSet::new();
        let own = Arc::clone(&ledger);
        tasks.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                // A gateway that is killed takes its connections with it.
                let (ledger, words) = (Arc::clone(&own), heard.clone());
                calls.spawn(async move { drop(call(socket, ledger, words).await) });
            }
        });
        Self { url, ledger, words, _tasks: tasks }
    }

    /// Streams that wait say another word.
    pub(super) fn nudge(&self) {
        self.words.send_modify(|words| *words += 1);
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.ledger.lock().expect("unpoisoned").len()
    }
}

async fn call(
    mut socket: TcpStream,
    ledger: Arc<Mutex<Vec<String>>>,
    mut words: watch::Receiver<u64>,
) -> std::io::Result<()> {
    let body = read(&mut socket).await?;
    ledger.lock().expect("unpoisoned").push(body.clone());
    if !body.contains("\"stream\":true") {
        let answer = format!(
            r#"{{"id":"c","choices":[{{"index":0,"message":{{"role":"assistant","content":"Hi"}},"finish_reason":"stop"}}],{USAGE}}}"#
        );
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
        return socket.write_all(format!("{head}{answer}").as_bytes()).await;
    }
    socket
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        .await?;
    for _ in 0..5 {
        socket.write_all(WORD).await?;
    }
    while body.contains("hold") && words.changed().await.is_ok() {
        socket.write_all(WORD).await?;
    }
    let end = format!("data: {{\"choices\":[],{USAGE}}}\n\ndata: [DONE]\n\n");
    socket.write_all(end.as_bytes()).await
}

async fn read(socket: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
            return Ok(body.to_owned());
        }
    }
}

//! A provider that answers all requests in one way, which the test may change, and counts them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Good,
    /// The connection is reset before a byte of the answer.
    ResetAtOnce,
    /// The same after half of a whole answer, or before the first event of a stream is complete.
    ResetMidBody,
    /// The same after the first event of a stream.
    ResetMidStream,
    HangAtOnce,
    /// After the first event of a stream; of a whole answer, after half.
    HangMidStream,
    /// An error with this status and body; the header comes with it.
    Status(u16, &'static str, &'static str),
    /// HTML under status 200.
    Html,
    /// JSON that is cut, in an answer that is whole; of a stream, an event that is.
    Truncated,
    /// A few bytes at a time, but to the end.
    Drips,
}

/// Listens until it is dropped.
pub(super) struct Shaky {
    pub(super) url: String,
    way: Arc<Mutex<Way>>,
    calls: Arc<AtomicUsize>,
    bodies: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Shaky {
    pub(super) async fn start(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let (way, calls) = (Arc::new(Mutex::new(way)), Arc::new(AtomicUsize::new(0)));
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let (now, count, seen) = (Arc::clone(&way), Arc::clone(&calls), Arc::clone(&bodies));
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (mut socket, _) = listener.accept().await.expect("a connection");
                let (now, count, seen) = (Arc::clone(&now), Arc::clone(&count), Arc::clone(&seen));
                open.spawn(async move {
                    // The gateway may hang up at any time.
                    let Some(body) = request(&mut socket).await else { return };
                    count.fetch_add(1, Ordering::SeqCst);
                    let (way, stream) = (*now.lock().expect("unpoisoned"), body.contains("\"stream\":true"));
                    seen.lock().expect("unpoisoned").push(body);
                    answer(socket, way, stream).await.ok();
                });
            }
        });
        Self { url, way, calls, bodies, _tasks: tasks }
    }

    pub(super) fn set(&self, way: Way) {
        *self.way.lock().expect("unpoisoned") = way;
    }

    /// Requests so far.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The body of the last.
    pub(super) fn last(&self) -> String {
        self.bodies.lock().expect("unpoisoned").last().cloned().unwrap_or_default()
    }
}

async fn request(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let end = loop {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if bytes.first() == Some(&0x16) {
            // A TLS handshake: it speaks none, and says so as servers do.
            socket.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await.ok()?;
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).ok()?.to_ascii_lowercase();
    let length: usize = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    while body.len() < length {
        if socket.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8(body).ok()
}

const WHOLE: &str = r#"{"id":"x","object":"chat.completion","created":1,"model":"up-model","choices":[{"index":0,"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
const FIRST: &str = "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"up-model\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"fine\"},\"finish_reason\":null}]}\n\n";
const REST: &str = "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"up-model\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

async fn answer(mut socket: TcpStream, way: Way, stream: bool) -> std::io::Result<()> {
    let full = if stream { format!("{FIRST}{REST}") } else { WHOLE.to_owned() };
    let kind = if stream { "text/event-stream" } else { "application/json" };
    let half = if stream { FIRST.len() / 2 } else { WHOLE.len() / 2 };
    let begun = if stream { FIRST.len() } else { WHOLE.len() / 2 };
    match way {
        Way::Good => send(&mut socket, ("200 OK", kind, ""), &full, full.len()).await,
        Way::ResetAtOnce => socket.set_zero_linger(),
        Way::ResetMidBody => cut(socket, kind, &full, half).await,
        Way::ResetMidStream => cut(socket, kind, &full, begun).await,
        Way::HangAtOnce => hang(socket).await,
        Way::HangMidStream => {
            send(&mut socket, ("200 OK", kind, ""), &full, begun).await?;
            hang(socket).await
        }
        Way::Status(status, header, body) => {
            let (status, length) = (format!("{status} No"), body.len());
            send(&mut socket, (&status, "application/json", header), body, length).await
        }
        Way::Html => send(&mut socket, ("200 OK", "text/html", ""), "<html>fine</html>", 17).await,
        Way::Truncated => {
            let cut = if stream { "data: {\"choices\":[{\n\n" } else { WHOLE.split_at(WHOLE.len() / 2).0 };
            send(&mut socket, ("200 OK", kind, ""), cut, cut.len()).await
        }
        Way::Drips => {
            send(&mut socket, ("200 OK", kind, ""), &full, 0).await?;
            for piece in full.as_bytes().chunks(full.len() / 5 + 1) {
                sleep(Duration::from_millis(100)).await;
                socket.write_all(piece).await?;
            }
            Ok(())
        }
    }
}

/// Sends the first `sent` bytes of a `body`, all of which is announced. The head is its status, type and another header.
async fn send(
    socket: &mut TcpStream,
    (status, kind, header): (&str, &str, &str),
    body: &str,
    sent: usize,
) -> std::io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(&body.as_bytes()[..sent]).await?;
    socket.flush().await
}

async fn cut(mut socket: TcpStream, kind: &str, body: &str, sent: usize) -> std::io::Result<()> {
    send(&mut socket, ("200 OK", kind, ""), body, sent).await?;
    // A reset overtakes what was sent: it is to be there before.
    sleep(Duration::from_millis(50)).await;
    socket.set_zero_linger()
}

/// Until the gateway hangs up.
async fn hang(mut socket: TcpStream) -> std::io::Result<()> {
    let mut sink = [0; 64];
    while socket.read(&mut sink).await? > 0 {}
    Ok(())
}

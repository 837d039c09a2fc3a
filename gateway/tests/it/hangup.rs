//! A client that goes away takes its stream upstream with it, and is still accounted for. Whole answers go on without it:
//! `accounting/hangups.rs`.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Gateway, KEY, client, logged, model, until, within};
use crate::upstream::{Exchange, Upstream};

/// Asks, and leaves the answer to the caller.
pub(crate) async fn send(gateway: &Gateway, body: &str) -> TcpStream {
    let mut socket = TcpStream::connect(gateway.address).await.expect("connects");
    let length = body.len();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.expect("sent");
    socket
}

/// Answers whole, and closes.
pub(crate) async fn say(exchange: &mut Exchange, status: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    exchange.send(head.as_bytes()).await;
}

/// Until so many calls go on without their clients.
pub(crate) async fn unattended(gateway: &Gateway, count: usize) {
    let line = format!("fairlead_requests_unattended {count}\n");
    until("calls without clients", || async {
        let page = client().get(format!("{}/metrics", gateway.admin)).send().await.expect("an answer");
        page.text().await.expect("text").contains(&line)
    })
    .await;
}

#[tokio::test]
async fn hanging_up_before_a_stream_begins_cancels_the_upstream_call() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![model("hangup-early", &[&upstream.url()])]).await;
    let socket = send(&gateway, r#"{"model":"hangup-early","stream":true}"#).await;
    let mut exchange = upstream.next().await;
    drop(socket);
    exchange.closed().await;
    let line = logged("hangup-early").await;
    assert_eq!((line["outcome"].as_str(), line["status"].as_u64()), (Some("client_closed"), None), "{line}");
}

#[tokio::test]
async fn hanging_up_in_a_stream_cancels_the_upstream_call() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![model("hangup-stream", &[&upstream.url()])]).await;
    let mut socket = send(&gateway, r#"{"model":"hangup-stream","stream":true}"#).await;
    let mut exchange = upstream.next().await;
    exchange.begin_stream().await;
    exchange.send(b"data: {\"choices\":[]}\n\n").await;
    let mut seen = Vec::new();
    within("the first frame", async {
        while !String::from_utf8_lossy(&seen).contains("choices") {
            assert!(socket.read_buf(&mut seen).await.expect("readable") > 0);
        }
    })
    .await;
    drop(socket);
    exchange.closed().await;
    let line = logged("hangup-stream").await;
    assert_eq!(
        (line["outcome"].as_str(), line["status"].as_u64()),
        (Some("client_closed"), Some(200)),
        "{line}"
    );
}

//! A client that goes away takes its upstream call with it, and is still accounted for.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Gateway, KEY, logged, model, within};
use crate::upstream::Upstream;

async fn send(gateway: &Gateway, body: &str) -> TcpStream {
    let mut socket = TcpStream::connect(gateway.address).await.expect("connects");
    let length = body.len();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.expect("sent");
    socket
}

#[tokio::test]
async fn hanging_up_before_the_answer_cancels_the_upstream_call() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![model("hangup-plain", &[&upstream.url()])]).await;
    let socket = send(&gateway, r#"{"model":"hangup-plain"}"#).await;
    let mut exchange = upstream.next().await;
    drop(socket);
    exchange.closed().await;
    let line = logged("hangup-plain").await;
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

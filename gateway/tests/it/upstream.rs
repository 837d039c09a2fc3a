//! A provider that does what the test says, byte by byte.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::within;

/// Listens; answers nothing by itself.
pub(crate) struct Upstream(TcpListener);

/// A request that has come in whole, and the connection to answer it on.
pub(crate) struct Exchange {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    socket: TcpStream,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    /// At an address of its own, if that is free.
    pub(crate) async fn at(address: ([u8; 4], u16)) -> Option<Self> {
        TcpListener::bind(std::net::SocketAddr::from(address)).await.ok().map(Self)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.0.local_addr().expect("an address"))
    }

    /// The next request.
    pub(crate) async fn next(&self) -> Exchange {
        within("a request to the upstream", async {
            let (mut socket, _) = self.0.accept().await.expect("a connection");
            let mut bytes = Vec::new();
            let end = loop {
                assert!(socket.read_buf(&mut bytes).await.expect("readable") > 0, "no whole request came");
                if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                    break end + 4;
                }
            };
            let mut body = bytes.split_off(end);
            let head = String::from_utf8(bytes).expect("text").to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            // What fetches and deletes sends nothing.
            let length: usize = length.map_or(0, |length| length.parse().expect("a number"));
            while body.len() < length {
                assert!(socket.read_buf(&mut body).await.expect("readable") > 0, "the body was cut");
            }
            Exchange { head, body, socket }
        })
        .await
    }

    /// Answers the next request and closes.
    pub(crate) async fn answer(&self, status: &str, headers: &str, body: &str) -> Exchange {
        let mut exchange = self.next().await;
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
        exchange.send(head.as_bytes()).await;
        exchange.send(body.as_bytes()).await;
        exchange
    }
}

impl Exchange {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.expect("the gateway takes it");
        self.socket.flush().await.expect("sent");
    }

    /// Sends as much as the gateway takes before it hangs up.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.ok();
    }

    /// Begins a stream that ends when the connection does.
    pub(crate) async fn begin_stream(&mut self) {
        self.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n").await;
    }

    /// Begins a stream whose end is told.
    pub(crate) async fn begin_chunked(&mut self) {
        self.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
        )
        .await;
    }

    pub(crate) async fn chunk(&mut self, bytes: &[u8]) {
        let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
        framed.extend_from_slice(bytes);
        framed.extend_from_slice(b"\r\n");
        self.send(&framed).await;
    }

    /// Waits until the gateway has closed the connection.
    pub(crate) async fn closed(&mut self) {
        within("the gateway to hang up", async {
            let mut sink = [0; 1024];
            while !matches!(self.socket.read(&mut sink).await, Ok(0) | Err(_)) {}
        })
        .await;
    }
}

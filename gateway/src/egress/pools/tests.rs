//! When connections are shared, and when they end.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::egress::Dns;

fn way(settings: &config::Egress, connect: u64) -> Way {
    let egress = Arc::new(Egress::new(settings, Dns::default()).unwrap());
    Way { egress, connect: Duration::from_secs(connect) }
}

/// Reads a request of `socket` to its end.
async fn asked(socket: &mut TcpStream) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        assert!(socket.read_buf(&mut bytes).await.unwrap() > 0, "the connection has ended");
    }
}

async fn answer(socket: &mut TcpStream) {
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await.unwrap();
}

#[tokio::test]
async fn equal_settings_share_connections_until_their_pool_makes_way() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (clients, plain, now) = (Clients::default(), config::Egress::default(), Instant::now());
    let ask = async |after: Duration| {
        let line = clients.get_at(&way(&plain, 5), now + after).unwrap();
        line.call(|client| client.get(&url)).send().await.unwrap().text().await.unwrap()
    };
    let (_, mut first) = tokio::join!(ask(Duration::ZERO), async {
        let (mut socket, _) = listener.accept().await.unwrap();
        asked(&mut socket).await;
        answer(&mut socket).await;
        socket
    });
    // Of a config that was read anew, and a moment before the end.
    tokio::join!(ask(LIFE - Duration::from_secs(1)), async {
        asked(&mut first).await;
        answer(&mut first).await;
    });
    // It is asked a third time when its pool makes way, and answers after that.
    let old = clients.get_at(&way(&plain, 5), now).unwrap();
    let (late, _) = tokio::join!(
        async { old.call(|client| client.get(&url)).send().await.unwrap().text().await.unwrap() },
        async {
            asked(&mut first).await;
            tokio::join!(ask(LIFE), async {
                let (mut socket, _) = listener.accept().await.unwrap();
                asked(&mut socket).await;
                answer(&mut socket).await;
            });
            answer(&mut first).await;
        }
    );
    assert_eq!(late, "hi", "a request goes on though its pool has made way");
    drop(old);
    assert_eq!(first.read(&mut [0; 1]).await.unwrap(), 0, "the old connection ends with its pool");
}

#[tokio::test]
async fn a_line_that_is_full_has_another_beside_it_until_a_call_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (clients, way) = (Clients::default(), way(&config::Egress::default(), 5));
    let lines = || clients.lock().values().map(|pool| pool.lines.len()).sum::<usize>();
    let call = || clients.get(&way).unwrap().call(|client| client.get(&url));
    let mut calls: Vec<_> = (0..CALLS).map(|_| call()).collect();
    assert_eq!(lines(), 1);
    calls.push(call());
    assert_eq!(lines(), 2);
    // One of the first line's goes out and is answered; it counts until its answer is read.
    let one = calls.swap_remove(0);
    let (answered, _) = tokio::join!(one.send(), async {
        let (mut socket, _) = listener.accept().await.unwrap();
        asked(&mut socket).await;
        answer(&mut socket).await;
    });
    let busy = || clients.lock().values().map(|pool| pool.lines[0].calls()).sum::<usize>();
    assert_eq!(busy(), CALLS);
    assert_eq!(answered.unwrap().text().await.unwrap(), "hi");
    assert_eq!(busy(), CALLS - 1);
    calls.push(call());
    assert_eq!((busy(), lines()), (CALLS, 2), "the first with room is taken");
    calls.clear();
    assert_eq!(busy(), 0);
    let all = LINES * CALLS + CALLS;
    calls.extend((0..all).map(|_| call()));
    assert_eq!(lines(), LINES, "there are no more");
}

#[tokio::test]
async fn other_settings_have_another_pool_and_what_nobody_needs_is_dropped() {
    let (clients, plain) = (Clients::default(), config::Egress::default());
    let proxied = config::Egress { proxy: Some("http://proxy:3128".into()), ..plain.clone() };
    let ways = [way(&plain, 5), way(&plain, 6), way(&proxied, 5)];
    for way in &ways {
        clients.get(way).unwrap();
    }
    assert_eq!(clients.lock().len(), 3);
    clients.keep([ways[1].clone()]);
    assert_eq!(clients.lock().keys().copied().collect::<Vec<_>>(), [ways[1].name()]);
}

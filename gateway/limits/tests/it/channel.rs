//! What pods tell each other.

use std::time::Duration;

use limits::{Channel, Listener};
use tokio::time::timeout;

use crate::away::Server;
use crate::place::{CLUSTER, PATIENCE, SERVER};

fn space() -> String {
    format!("test/{:032x}", rand::random::<u128>())
}

async fn next(listener: &mut Listener) -> Option<String> {
    timeout(PATIENCE, listener.next()).await.unwrap()
}

async fn heard_by_all_of_the_space(url: &str) {
    let (mine, other) = (space(), space());
    let channel = |space: &str, topic| Channel::new(url, space, topic).unwrap();
    let mut a = channel(&mine, "t").listen().await.unwrap();
    let mut b = channel(&mine, "t").listen().await.unwrap();
    for (space, topic, text) in
        [(&other, "t", "no"), (&mine, "other", "no"), (&mine, "t", "one"), (&mine, "t", "2 ✓")]
    {
        channel(space, topic).say(text).await.unwrap();
    }
    for listener in [&mut a, &mut b] {
        assert_eq!(next(listener).await.as_deref(), Some("one"));
        assert_eq!(next(listener).await.as_deref(), Some("2 ✓"));
    }
}

#[tokio::test]
async fn what_is_said_is_heard_by_all_of_the_space_and_nobody_else() {
    heard_by_all_of_the_space(SERVER).await;
}

#[tokio::test]
async fn what_is_said_at_a_node_is_heard_in_all_of_the_cluster() {
    heard_by_all_of_the_space(CLUSTER).await;
}

#[tokio::test]
async fn a_listener_learns_that_its_line_is_broken_and_who_says_something_that_nobody_heard() {
    let server = Server::start();
    let url = server.url();
    // Whether it has started yet.
    let redis = limits::Redis::new(&url, "t", PATIENCE).unwrap();
    assert!(redis.wait(PATIENCE).await);
    let channel = Channel::new(&url.replace("//", "//:s3cret@"), "s", "t").unwrap();
    let error = channel.say("x").await.unwrap_err().to_string();
    assert!(error.contains("Redis at 127.0.0.1") && !error.contains("s3cret"), "{error}");
    let channel = Channel::new(&url, "s", "t").unwrap();
    let mut listener = channel.listen().await.unwrap();
    channel.say("x").await.unwrap();
    assert_eq!(next(&mut listener).await.as_deref(), Some("x"));
    drop(server);
    assert_eq!(next(&mut listener).await, None);
    assert!(channel.say("y").await.is_err() && channel.listen().await.is_err());
}

#[tokio::test]
async fn a_listener_does_not_trust_a_silence_for_ever() {
    let server = Server::start();
    let redis = limits::Redis::new(&server.url(), "t", PATIENCE).unwrap();
    assert!(redis.wait(PATIENCE).await);
    let mut listener = Channel::new(&server.url(), "s", "t").unwrap().listen().await.unwrap();
    server.signal("-STOP");
    assert_eq!(timeout(Duration::from_secs(30), listener.next()).await.unwrap(), None);
    server.signal("-CONT");
}

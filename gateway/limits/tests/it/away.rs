//! Redis that hangs, dies, comes back, or is no such thing: a server of the test's own, at the end of a real connection.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use limits::{Backend, Redis};

use crate::place::{PATIENCE, at};
use crate::setting::{ask, granted, level, noon, settle, usd};

/// As the gateway's own.
const SHORT: Duration = Duration::from_millis(50);

pub(crate) struct Server {
    port: u16,
    process: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { port, process: process(port) }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = process(self.port);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn process(port: u16) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("redis-server: {error}: run scripts/packages"))
}

/// Asks until it says that it is away; whatever it answers, it never takes long.
async fn fails_soon(redis: &Redis) -> String {
    for _ in 0..4 {
        let asked = Instant::now();
        let answer = redis.reserve(&ask(noon(0), &[(&usd(100), 1)])).await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?} in {:?}", answer, asked.elapsed());
        if !redis.answers() {
            return answer.unwrap_err().to_string();
        }
    }
    panic!("it still answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_is_left_alone_until_it_goes_on() {
    let server = Server::start();
    let redis = at(&server.url(), SHORT).await;
    let usd = usd(100);
    let before = ask(noon(0), &[(&usd, 60)]);
    granted(&redis, &before).await;
    server.signal("-STOP");
    let reason = fails_soon(&redis).await;
    assert!(reason.contains(&format!("127.0.0.1:{} does not answer in time", server.port)), "{reason}");
    let left_alone = redis.reserve(&before).await.unwrap_err().to_string();
    assert!(left_alone.contains("waiting for it to come back"), "{left_alone}");
    server.signal("-CONT");
    assert!(redis.wait(PATIENCE).await);
    settle(&redis, &before, 25, noon(1)).await;
    // What was asked while it hung may have been done: that is held until it expires.
    let (spent, reserved) = level(&redis, &usd, noon(1)).await;
    assert_eq!(spent, 25);
    assert!(reserved <= 4, "{reserved}");
    assert_eq!(level(&redis, &usd, noon(60)).await, (25, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_lost_its_data_counts_on() {
    let mut server = Server::start();
    let redis = at(&server.url(), PATIENCE).await;
    let usd = usd(100);
    let running = ask(noon(0), &[(&usd, 60)]);
    granted(&redis, &running).await;
    server.restart();
    // The connection ends with the server; whoever asks meets that once or twice.
    let deadline = Instant::now() + PATIENCE;
    while redis.settle(&limits::Settlement::new(&running, |_, _| 25), noon(1)).await.is_err() {
        assert!(Instant::now() < deadline, "it does not come back");
        redis.wait(Duration::from_millis(100)).await;
    }
    assert_eq!(
        level(&redis, &usd, noon(1)).await,
        (25, 0),
        "its script is sent again, and only what it cost counts"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_starts_late_is_found() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let redis = Redis::new(&format!("redis://127.0.0.1:{port}"), "late", PATIENCE).unwrap();
    assert!(!redis.wait(Duration::from_millis(300)).await);
    let refused = redis.reserve(&ask(noon(0), &[(&usd(1), 1)])).await.unwrap_err().to_string();
    assert!(refused.starts_with("limits cannot be checked: Redis at 127.0.0.1"), "{refused}");
    let server = Server { port, process: process(port) };
    assert!(redis.wait(PATIENCE).await, "at {}", server.port);
    granted(&redis, &ask(noon(0), &[(&usd(1), 1)])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_ours_is_not_taken_for_usage() {
    let server = Server::start();
    let redis = Redis::new(&server.url(), "theirs", PATIENCE).unwrap();
    assert!(redis.wait(PATIENCE).await);
    let usd = usd(100);
    granted(&redis, &ask(noon(0), &[(&usd, 1)])).await;
    let keys = server.cli(&["--scan", "--pattern", "*:c:*"]);
    server.cli(&["HSET", keys.trim(), "x", "y"]);
    let unreadable = redis.levels(&[usd], noon(0)).await.unwrap_err().to_string();
    assert!(unreadable.contains("a database of its own"), "{unreadable}");
}

//! Shares: a counter that is asked often and far from its limit costs few calls of Redis, and its limit holds all the same.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use limits::{
    Admission, Ask, Counter, Lease, Limiter, Redis, ReservationId, Timestamp, Unit, WhenAway, Window,
};

use crate::away::Server;
use crate::place::{PATIENCE, SERVER, at, redis};
use crate::setting::{TTL, counter};

fn ask(counters: &[(&Arc<Counter>, u64)]) -> Ask {
    let counters = counters.iter().map(|(counter, estimate)| (Arc::clone(counter), *estimate));
    Ask::new(ReservationId::new(Timestamp::now(), rand::random()), counters.collect(), TTL)
}

async fn admit(limiter: &Limiter, counters: &[(&Arc<Counter>, u64)]) -> Option<Lease> {
    match limiter.admit(ask(counters)).await {
        Admission::Admitted(lease) => Some(lease),
        Admission::Refused { .. } => None,
        away @ Admission::Unchecked { .. } => panic!("{away:?}"),
    }
}

/// What Redis knows.
async fn level(limiter: &Limiter, counter: &Arc<Counter>) -> (u64, u64) {
    let levels = limiter.levels(&[Arc::clone(counter)], Timestamp::now()).await.unwrap();
    (levels[0].spent, levels[0].reserved)
}

/// Asks until Redis knows that.
async fn comes_to(limiter: &Limiter, counter: &Arc<Counter>, expected: (u64, u64)) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = level(limiter, counter).await;
        if now == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{now:?} instead of {expected:?}");
        tokio::task::yield_now().await;
    }
}

/// Scripts that a server has run.
fn scripts(url: &str) -> u64 {
    let said = Command::new("redis-cli").args(["-u", url, "info", "commandstats"]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let calls = said.lines().filter(|line| line.starts_with("cmdstat_eval"));
    calls.filter_map(|line| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok()).sum()
}

fn hour() -> Window {
    Window::rolling(Duration::from_secs(3600)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn far_from_the_limit_most_requests_do_not_ask_redis() {
    let server = Server::start();
    let limiter = Limiter::shared(at(&server.url(), PATIENCE).await);
    let (usd, places, calls) = (
        counter("usd", Unit::NanoUsd, 1_000_000_000, hour()),
        counter("places", Unit::Concurrency, 10_000, Window::Forever),
        counter("calls", Unit::Requests, 1_000_000, hour()),
    );
    for _ in 0..5000 {
        let lease = admit(&limiter, &[(&usd, 10), (&places, 1), (&calls, 1)]).await.unwrap();
        let actual = |counter: &Counter, estimate| if counter.unit() == Unit::NanoUsd { 3 } else { estimate };
        lease.settle(actual, Timestamp::now());
    }
    assert!(limiter.settled(PATIENCE).await);
    comes_to(&limiter, &usd, (15_000, 0)).await;
    comes_to(&limiter, &places, (0, 0)).await;
    comes_to(&limiter, &calls, (5000, 0)).await;
    let scripts = scripts(&server.url());
    assert!(scripts < 1000, "{scripts} scripts for 5000 requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn near_the_limit_each_request_asks_once_for_all_of_its_counters() {
    let server = Server::start();
    let limiter = Limiter::shared(at(&server.url(), PATIENCE).await);
    let (usd, calls) =
        (counter("usd", Unit::NanoUsd, 2000, hour()), counter("calls", Unit::Requests, 1_000_000, hour()));
    // The first call also brings the script.
    let mut leases = Vec::from_iter(admit(&limiter, &[(&usd, 10), (&calls, 1)]).await);
    let before = scripts(&server.url());
    for _ in 0..100 {
        leases.extend(admit(&limiter, &[(&usd, 10), (&calls, 1)]).await);
    }
    let asked = scripts(&server.url()) - before;
    assert_eq!(asked, 100);
    assert_eq!(leases.len(), 101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_borrowed_counts_as_nothing_until_it_is_used_and_bears_no_name_of_a_request() {
    let limiter = Limiter::shared(redis().await);
    let calls = counter("calls", Unit::Requests, 1_000_000, hour());
    let (mut admitted, mut in_shares) = (0, 0);
    let deadline = Instant::now() + PATIENCE;
    while in_shares < 500 {
        let lease = admit(&limiter, &[(&calls, 1)]).await.unwrap();
        admitted += 1;
        in_shares += u32::from(lease.reservation().is_none());
        drop(lease);
        if admitted % 50 == 0 {
            let (spent, _) = level(&limiter, &calls).await;
            assert!(spent <= u64::from(admitted), "{spent} spent by {admitted} requests");
        }
        assert!(Instant::now() < deadline, "{in_shares} of {admitted} were in shares");
    }
    assert!(in_shares < admitted, "Redis knows the first ones");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_from_shares_is_known_while_redis_is_away() {
    const AMOUNT: u64 = 4000;
    let server = Server::start();
    let limiter = Limiter::shared(at(&server.url(), Duration::from_millis(50)).await);
    let calls = counter("calls", Unit::Requests, AMOUNT, hour());
    let calls = Arc::new(Counter::clone(&calls).with_when_away(WhenAway::Estimate));
    let mut admitted = 0;
    while admitted < AMOUNT / 2 {
        admitted += u64::from(admit(&limiter, &[(&calls, 1)]).await.is_some());
    }
    server.signal("-STOP");
    while admit(&limiter, &[(&calls, 1)]).await.is_some() {
        admitted += 1;
        assert!(admitted <= AMOUNT, "what shares had used was forgotten");
    }
    server.signal("-CONT");
    assert!(admitted > AMOUNT / 2, "nor is all refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_redis_did_not_answer_holds_nothing_for_long() {
    let server = Server::start();
    let limiter = Limiter::shared(at(&server.url(), Duration::from_millis(200)).await);
    let usd = counter("usd", Unit::NanoUsd, 100, hour());
    let usd = Arc::new(Counter::clone(&usd).with_when_away(WhenAway::FailClosed));
    drop(admit(&limiter, &[(&usd, 1)]).await);
    assert!(limiter.settled(PATIENCE).await);
    server.signal("-STOP");
    let asked = limiter.admit(ask(&[(&usd, 40)]));
    assert!(tokio::time::timeout(Duration::from_millis(20), asked).await.is_err(), "it waits for Redis");
    let unchecked = limiter.admit(ask(&[(&usd, 40)])).await;
    assert!(matches!(unchecked, Admission::Unchecked { .. }), "{unchecked:?}");
    server.signal("-CONT");
    assert!(limiter.wait(PATIENCE).await);
    assert!(limiter.settled(PATIENCE).await);
    assert_eq!(level(&limiter, &usd).await, (1, 0));
}

async fn pod(space: &str) -> Limiter {
    let redis = Redis::new(SERVER, space, PATIENCE).unwrap();
    assert!(redis.wait(PATIENCE).await, "no Redis at {SERVER}");
    Limiter::shared(redis)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_with_shares_let_in_no_more_than_the_amount_and_all_of_it() {
    const AMOUNT: u64 = 20_000;
    let space = format!("test/{:032x}", rand::random::<u128>());
    let pods = [pod(&space).await, pod(&space).await, pod(&space).await];
    let calls = counter("calls", Unit::Requests, AMOUNT, hour());
    let mut workers = tokio::task::JoinSet::new();
    for pod in &pods {
        for _ in 0..8 {
            let (pod, calls) = (pod.clone(), Arc::clone(&calls));
            workers.spawn(async move {
                let (mut admitted, deadline) = (0, Instant::now() + Duration::from_secs(30));
                loop {
                    match admit(&pod, &[(&calls, 1)]).await {
                        Some(lease) => {
                            admitted += 1;
                            drop(lease);
                        }
                        // Another pod's share may still come back.
                        None if level(&pod, &calls).await.0 >= AMOUNT => return admitted,
                        None => assert!(Instant::now() < deadline, "it never fills up"),
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
    }
    let mut admitted = 0;
    while let Some(one) = workers.join_next().await {
        admitted += one.unwrap();
    }
    for pod in &pods {
        assert!(pod.settled(PATIENCE).await);
    }
    let deadline = Instant::now() + PATIENCE;
    while let Some(lease) = admit(&pods[0], &[(&calls, 1)]).await {
        admitted += 1;
        drop(lease);
        assert!(Instant::now() < deadline);
    }
    assert_eq!(admitted, AMOUNT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_outlives_its_share_holds_its_estimate_until_it_ends() {
    let limiter = Limiter::shared(redis().await);
    let tokens = counter("tokens", Unit::Tokens, 100_000_000, hour());
    let mut leases = Vec::new();
    for _ in 0..200 {
        leases.extend(admit(&limiter, &[(&tokens, 10)]).await);
        tokio::task::yield_now().await;
    }
    assert_eq!(leases.len(), 200);
    comes_to(&limiter, &tokens, (0, 2000)).await;
    let half = leases.split_off(100);
    for lease in half {
        lease.settle(|_, _| 4, Timestamp::now());
    }
    leases.into_iter().for_each(drop);
    comes_to(&limiter, &tokens, (100 * 4 + 100 * 10, 0)).await;
}

//! The limiter: leases settle themselves, and each counter is passed or not while Redis is away as it says.

use std::sync::Arc;
use std::time::Duration;

use limits::{
    Admission, Ask, AtLimit, Counter, CounterKey, Lease, Limiter, ReservationId, Timestamp, Unit, WhenAway,
    Window,
};

use crate::away::Server;
use crate::place::{PATIENCE, at, redis};
use crate::setting::{TTL, counter, usd};

fn now_ask(counters: &[(&Arc<Counter>, u64)]) -> Ask {
    let counters = counters.iter().map(|(counter, estimate)| (Arc::clone(counter), *estimate));
    Ask::new(ReservationId::new(Timestamp::now(), rand::random()), counters.collect(), TTL)
}

async fn admitted(limiter: &Limiter, counters: &[(&Arc<Counter>, u64)]) -> Lease {
    match limiter.admit(now_ask(counters)).await {
        Admission::Admitted(lease) => lease,
        other => panic!("{other:?}"),
    }
}

async fn taken(limiter: &Limiter, counter: &Arc<Counter>) -> (u64, u64) {
    assert!(limiter.settled(PATIENCE).await);
    let levels = limiter.levels(&[Arc::clone(counter)], Timestamp::now()).await.unwrap();
    (levels[0].spent, levels[0].reserved)
}

async fn leases_settle_themselves(limiter: Limiter) {
    let (usd, places) = (
        counter("usd", Unit::NanoUsd, 100, Window::Forever),
        counter("places", Unit::Concurrency, 2, Window::Forever),
    );
    let lease = admitted(&limiter, &[(&usd, 60), (&places, 1)]).await;
    let levels: Vec<_> = lease.levels().map(|(counter, level)| (counter.unit(), level.reserved)).collect();
    assert_eq!(levels, [(Unit::NanoUsd, 60), (Unit::Concurrency, 1)]);
    let refused = limiter.admit(now_ask(&[(&places, 1), (&usd, 41)])).await;
    let Admission::Refused { counter, level, .. } = refused else { panic!("{refused:?}") };
    assert_eq!((counter.key(), level.reserved), (usd.key(), 60));
    lease.settle(
        |counter, estimate| if counter.unit() == Unit::NanoUsd { 25 } else { estimate },
        Timestamp::now(),
    );
    assert_eq!(taken(&limiter, &usd).await, (25, 0));
    assert_eq!(taken(&limiter, &places).await, (0, 0));
    drop(admitted(&limiter, &[(&usd, 10), (&places, 1)]).await);
    assert_eq!(taken(&limiter, &usd).await, (35, 0), "nobody knows better than the estimate");
    assert_eq!(taken(&limiter, &places).await, (0, 0));
    limiter.reset(&usd, Timestamp::now()).await.unwrap();
    assert_eq!(taken(&limiter, &usd).await, (0, 0));
}

#[tokio::test]
async fn leases_settle_themselves_in_one_process() {
    leases_settle_themselves(Limiter::local()).await;
}

#[tokio::test]
async fn leases_settle_themselves_in_redis() {
    leases_settle_themselves(Limiter::shared(redis().await)).await;
}

fn way(key: &str, when_away: WhenAway) -> Arc<Counter> {
    let counter = Counter::new(CounterKey::new(key), Unit::Tokens, 100, Window::Forever, AtLimit::Refuse);
    Arc::new(counter.with_when_away(when_away))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_hangs_each_counter_is_passed_as_it_says() {
    let server = Server::start();
    let limiter = Limiter::shared(at(&server.url(), Duration::from_millis(50)).await);
    let (open, closed) = (way("open", WhenAway::FailOpen), way("closed", WhenAway::FailClosed));
    let estimated = way("estimated", WhenAway::Estimate);
    // The machine may be busy; what counts is what comes after the hang.
    let running = admitted(&limiter, &[(&estimated, 40), (&closed, 1)]).await;
    server.signal("-STOP");
    let lease = admitted(&limiter, &[(&open, 1000), (&estimated, 50)]).await;
    assert_eq!(lease.levels().count(), 0, "nobody can tell");
    let unchecked = limiter.admit(now_ask(&[(&open, 1), (&closed, 1)])).await;
    let Admission::Unchecked { counter, away } = unchecked else { panic!("{unchecked:?}") };
    assert_eq!(counter.key(), closed.key());
    assert!(away.to_string().contains("does not answer"), "{away}");
    let refused = limiter.admit(now_ask(&[(&estimated, 11)])).await;
    let Admission::Refused { level, .. } = refused else { panic!("{refused:?}") };
    assert_eq!((level.spent, level.reserved), (40, 50), "what was seen last, and what was let through since");
    lease.settle(|_, estimate| estimate, Timestamp::now());
    running.settle(|_, _| 10, Timestamp::now());
    assert!(!limiter.settled(Duration::from_millis(300)).await, "Redis cannot know yet");
    assert_eq!(limiter.backlog(), (4, 0), "two that ended, and two refused ones that Redis may hold");
    server.signal("-CONT");
    assert!(limiter.settled(PATIENCE).await);
    let levels = limiter.levels(&[open, estimated], Timestamp::now()).await.unwrap();
    let levels: Vec<_> = levels.iter().map(|level| (level.spent, level.reserved)).collect();
    assert_eq!(levels, [(1000, 0), (60, 0)], "and then it knows all");
}

#[tokio::test]
async fn what_only_counts_is_passed_while_redis_is_away() {
    let redis = limits::Redis::new("redis://127.0.0.1:1", "nobody", PATIENCE).unwrap();
    let limiter = Limiter::shared(redis);
    let shadow = Counter::new(CounterKey::new("shadow"), Unit::Tokens, 1, Window::Forever, AtLimit::Count);
    let shadow = Arc::new(shadow.with_when_away(WhenAway::FailClosed));
    drop(admitted(&limiter, &[(&shadow, 5), (&usd(1), 5)]).await);
    assert!(!limiter.answers());
}

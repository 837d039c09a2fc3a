//! The same deployment again, and how often.

use std::time::{Duration, Instant};

use config::{Cooldown, Retries, Routing};

use super::shaky::{Shaky, Way};
use super::{QUICK, ask, even, gateway, in_order};

const FAILS: Way = Way::Status(500, "", r#"{"error":{"message":"no"}}"#);

/// Asks once, while the provider mends itself after so many calls.
async fn mended_after(calls: usize, attempts: u32) -> (super::Seen, usize) {
    let provider = Shaky::start(FAILS).await;
    let routing = Routing { retries: Retries { attempts, ..QUICK.retries }, ..QUICK };
    let gateway = gateway(routing, vec![even("m", &[&provider.url])]).await;
    let mend = async {
        while provider.calls() < calls {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        provider.set(Way::Good);
        std::future::pending::<()>().await;
    };
    let seen = tokio::select! {
        seen = ask(&gateway, "m", false) => seen,
        () = mend => unreachable!("it waits for ever"),
    };
    (seen, provider.calls())
}

#[tokio::test]
async fn one_that_fails_is_asked_again_as_often_as_it_may_be() {
    let (seen, calls) = mended_after(2, 2).await;
    assert!(seen.is_good(), "{seen:?}");
    assert_eq!((calls, seen.retries.as_deref(), seen.fallbacks.as_deref()), (3, Some("2"), Some("0")));
    let (seen, calls) = mended_after(3, 2).await;
    assert_eq!((seen.status, calls, seen.retries.as_deref()), (500, 3, Some("2")));
    let (seen, calls) = mended_after(1, 0).await;
    assert_eq!((seen.status, calls), (500, 1));
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_not_asked_again_there() {
    for way in [400, 401, 404, 413].map(|status| Way::Status(status, "", r#"{"error":{"message":"no"}}"#)) {
        let provider = Shaky::start(way).await;
        let gateway = gateway(QUICK, vec![even("m", &[&provider.url])]).await;
        let seen = ask(&gateway, "m", false).await;
        assert!(seen.status >= 400, "{seen:?}");
        assert_eq!(provider.calls(), 1, "{way:?}");
    }
    let (one, two) =
        (Shaky::start(Way::Status(400, "", "{}")).await, Shaky::start(Way::Status(400, "", "{}")).await);
    let three = Shaky::start(Way::Good).await;
    let gateway = gateway(QUICK, vec![in_order("m", &[&one.url, &two.url, &three.url])]).await;
    assert_eq!(ask(&gateway, "m", false).await.status, 400);
    assert_eq!((one.calls(), two.calls(), three.calls()), (1, 1, 0), "two who say so are believed");
}

#[tokio::test]
async fn a_provider_that_says_when_to_come_back_is_not_asked_before() {
    let provider = Shaky::start(Way::Status(429, "retry-after: 1\r\n", "{}")).await;
    let slow = Routing { retries: Retries { max_backoff_ms: 2000, ..QUICK.retries }, ..QUICK };
    let served = gateway(slow, vec![even("m", &[&provider.url])]).await;
    let began = Instant::now();
    let (seen, ()) = tokio::join!(ask(&served, "m", false), async {
        while provider.calls() < 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        provider.set(Way::Good);
    });
    assert!(seen.is_good() && began.elapsed() >= Duration::from_secs(1), "{seen:?} in {:?}", began.elapsed());
    provider.set(Way::Status(429, "retry-after: 3600\r\n", "{}"));
    let before = provider.calls();
    let seen = ask(&served, "m", false).await;
    assert_eq!((seen.status, provider.calls() - before), (429, 1), "nobody waits for an hour");
}

/// With everything down, providers see few calls more than there are requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_not_made_worse() {
    const REQUESTS: usize = 1000;
    let (one, two) = (Shaky::start(FAILS).await, Shaky::start(FAILS).await);
    let routing = Routing {
        cooldown: Cooldown { duration_ms: 60_000, ..QUICK.cooldown },
        retries: Retries { backoff_ms: 1, max_backoff_ms: 1, budget_percent: 10, ..QUICK.retries },
        ..QUICK
    };
    let gateway = gateway(routing, vec![even("m", &[&one.url, &two.url])]).await;
    let began = Instant::now();
    for _ in 0..REQUESTS {
        assert_eq!(ask(&gateway, "m", false).await.status, 500);
    }
    let most = REQUESTS + REQUESTS / 10 + 110 + 10 * (began.elapsed().as_secs() as usize + 1);
    let calls = one.calls() + two.calls();
    assert!(calls >= REQUESTS && calls <= most, "{calls} calls for {REQUESTS} requests, at most {most}");
}

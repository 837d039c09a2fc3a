//! Where a test's counters are: each place is new and has nothing in it. `scripts/services up` brings the servers.

use std::time::Duration;

use limits::{Local, Redis};

pub(crate) const SERVER: &str = "redis://127.0.0.1:54379";
pub(crate) const CLUSTER: &str = "redis://127.0.0.1:54381,redis://127.0.0.1:54382,redis://127.0.0.1:54383";

/// Enough for a machine that compiles at the same time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn local() -> Local {
    Local::new()
}

pub(crate) async fn redis() -> Redis {
    at(SERVER, PATIENCE).await
}

pub(crate) async fn cluster() -> Redis {
    at(CLUSTER, PATIENCE).await
}

pub(crate) async fn at(url: &str, patience: Duration) -> Redis {
    let redis = Redis::new(url, &format!("test/{:032x}", rand::random::<u128>()), patience).unwrap();
    assert!(redis.wait(PATIENCE).await, "no Redis at {url}: run scripts/services up");
    redis
}

/// A test on each backend for each function.
macro_rules! each {
    ($($rule:ident),* $(,)?) => {
        crate::place::each!(on local: $($rule),*);
        crate::place::each!(on redis: $($rule),*);
        crate::place::each!(on cluster: $($rule),*);
    };
    (on $place:ident: $($rule:ident),*) => {
        mod $place {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(crate::place::$place().await).await;
            })*
        }
    };
}
pub(crate) use each;

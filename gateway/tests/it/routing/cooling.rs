//! Deployments that are left alone, here and on other pods.

use std::time::{Duration, Instant};

use config::{Cooldown, Routing};

use super::shaky::{Shaky, Way};
use super::{QUICK, ask, delivery, even, gateway};
use crate::budgets::redis;
use crate::harness::{Gateway, until};

const LIMITED: Way = Way::Status(429, "retry-after: 30\r\n", r#"{"error":{"message":"later"}}"#);

#[tokio::test]
async fn the_last_one_is_asked_though_it_is_left_alone() {
    let (one, two) = (Shaky::start(LIMITED).await, Shaky::start(LIMITED).await);
    let gateway = gateway(QUICK, vec![even("m", &[&one.url, &two.url])]).await;
    assert_eq!(ask(&gateway, "m", false).await.status, 429);
    assert_eq!((one.calls(), two.calls()), (1, 1), "both are left alone now");
    one.set(Way::Good);
    two.set(Way::Good);
    assert!(ask(&gateway, "m", false).await.is_good());
}

#[tokio::test]
async fn one_call_tries_what_has_cooled() {
    let (bad, good) = (Shaky::start(Way::Status(500, "", "{}")).await, Shaky::start(Way::Good).await);
    let cooldown = Cooldown { failures: 1, duration_ms: 300, max_duration_ms: 600, ..QUICK.cooldown };
    let gateway = gateway(Routing { cooldown, ..QUICK }, vec![even("m", &[&bad.url, &good.url])]).await;
    while bad.calls() == 0 {
        assert!(ask(&gateway, "m", false).await.is_good());
    }
    let cooled = Instant::now();
    while cooled.elapsed() < Duration::from_millis(200) {
        assert!(ask(&gateway, "m", false).await.is_good());
    }
    assert_eq!(bad.calls(), 1, "it is left alone");
    bad.set(Way::Good);
    until("both to be asked again", || async {
        assert!(ask(&gateway, "m", false).await.is_good());
        bad.calls() > 3
    })
    .await;
    assert!(cooled.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn the_report_says_who_is_left_alone() {
    let (bad, good) = (Shaky::start(LIMITED).await, Shaky::start(Way::Good).await);
    let gateway = gateway(QUICK, vec![even("m", &[&bad.url, &good.url])]).await;
    while bad.calls() == 0 {
        assert!(ask(&gateway, "m", false).await.is_good());
    }
    let report: serde_json::Value =
        gateway.get("/health").send().await.expect("a report").json().await.expect("JSON");
    let bad = &report["unhealthy_endpoints"][0];
    assert_eq!(bad["model_id"], "ai/m-0", "{report}");
    assert!(bad["left_alone_seconds"].as_f64().is_some_and(|left| (25.0..=30.0).contains(&left)), "{report}");
}

/// The other pod has never asked it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_pod_leaves_alone_the_other_does_within_a_second() {
    let (bad, good) = (Shaky::start(LIMITED).await, Shaky::start(Way::Good).await);
    let (redis, models) = (redis(), vec![even("m", &[&bad.url, &good.url])]);
    let pod = || Gateway::counting_in(redis.clone(), delivery(QUICK, models.clone()));
    let (one, two) = (pod().await, pod().await);
    // Both listen once they have heard of each other.
    let left_alone = |report: &serde_json::Value| {
        report["healthy_endpoints"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(report["unhealthy_endpoints"].as_array().into_iter().flatten())
            .any(|one| one["model_id"] == "ai/m-0" && one["left_alone_seconds"].is_number())
    };
    while bad.calls() == 0 {
        assert!(ask(&one, "m", false).await.is_good());
    }
    let cooled = Instant::now();
    loop {
        let report: serde_json::Value =
            two.get("/health").send().await.expect("a report").json().await.expect("JSON");
        if left_alone(&report) {
            break;
        }
        assert!(cooled.elapsed() < Duration::from_secs(1), "{report}");
    }
    for _ in 0..40 {
        assert!(ask(&two, "m", false).await.is_good());
    }
    assert_eq!(bad.calls(), 1, "neither asks it again");
}

//! Orders are drawn with a seeded generator.

use std::time::Duration;

use config::ObjectName;
use protocol::fault::FaultClass;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::*;
use crate::snapshot::{Identity, Timeouts, Upstream};

fn deployment(name: &str, priority: u8, weight: u32) -> Arc<Deployment> {
    let second = Duration::from_secs(1);
    Arc::new(Deployment {
        identity: Identity {
            id: ObjectName { namespace: "a".into(), name: name.into() },
            uid: String::new(),
        },
        tag: protocol::response::Tag([0; 8]),
        label: name.to_owned(),
        provider: "mock".into(),
        upstream_model: "m".into(),
        upstream: Upstream::Mock,
        weight,
        priority,
        timeouts: Timeouts { connect: second, first_byte: second, stream_idle: second, request: second },
        on_loss: protocol::loss::OnLoss::Report,
        tariff: Arc::default(),
        amendment: None,
        quirks: Arc::default(),
    })
}

fn order(deployments: &[Arc<Deployment>], seed: u64) -> Vec<String> {
    let mut route = plan(deployments, &mut SmallRng::seed_from_u64(seed));
    std::iter::from_fn(|| route.next()).map(|one| one.label.clone()).collect()
}

#[test]
fn lower_priorities_come_first_and_each_deployment_once() {
    let all = [deployment("late", 9, 100), deployment("a", 1, 1), deployment("b", 1, 1)];
    for seed in 0..50 {
        let drawn = order(&all, seed);
        assert_eq!(drawn.len(), 3, "{drawn:?}");
        assert_eq!(drawn[2], "late", "{drawn:?}");
    }
}

#[test]
fn weights_are_shares_and_zero_is_a_last_resort() {
    let all = [deployment("idle", 0, 0), deployment("big", 0, 90), deployment("small", 0, 10)];
    let drawn: Vec<_> = (0..1000).map(|seed| order(&all, seed)).collect();
    let big = drawn.iter().filter(|order| order[0] == "big").count();
    assert!((850..950).contains(&big), "{big} of 1000 instead of about 900");
    assert!(drawn.iter().all(|order| order[2] == "idle"));
}

#[test]
fn a_fault_of_the_request_ends_the_search_and_the_last_of_the_others_is_the_verdict() {
    let one = deployment("one", 0, 1);
    let mut route = plan(&[Arc::clone(&one)], &mut rand::rng());
    let fault = |class| UpstreamFault::new(class, "no");
    assert!(route.record(&one, fault(FaultClass::InvalidRequest)).is_err());
    assert!(route.record(&one, fault(FaultClass::Timeout)).is_ok());
    assert!(route.record(&one, fault(FaultClass::Unreachable)).is_ok());
    let Fault::Upstream { fault, .. } = route.verdict() else { panic!("not the provider's fault") };
    assert_eq!(fault.class, FaultClass::Unreachable);
}

#[test]
fn what_a_deployment_cannot_take_is_told_only_if_none_was_asked() {
    let one = deployment("one", 0, 1);
    let all = [Arc::clone(&one)];
    let mut route = plan(&all, &mut rand::rng());
    route.pass(Fault::BodyCut);
    route.pass(Fault::KeyWrong);
    assert!(matches!(route.verdict(), Fault::BodyCut));
    let mut route = plan(&all, &mut rand::rng());
    route.pass(Fault::BodyCut);
    assert!(route.record(&one, UpstreamFault::new(FaultClass::Timeout, "no")).is_ok());
    assert!(matches!(route.verdict(), Fault::Upstream { .. }));
}

#[test]
fn health_survives_a_success_as_history_and_ignores_bad_requests() {
    let state = health::State::default();
    state.failed(FaultClass::TooLarge);
    assert_eq!(state.outcomes().consecutive_failures, 0);
    state.failed(FaultClass::Timeout);
    state.failed(FaultClass::Failed);
    assert_eq!(state.outcomes().consecutive_failures, 2);
    state.answered();
    let outcomes = state.outcomes();
    assert_eq!((outcomes.consecutive_failures, outcomes.last_fault), (0, Some(FaultClass::Failed)));
}

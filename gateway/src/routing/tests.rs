//! Orders are drawn with a seeded generator, and time stands still.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::price::{Entry, Meter, Price, Rate, Tier};
use config::{Cooldown, Fallbacks, ObjectName, Routing, SessionAffinity, Strategy as Way};
use proptest::prelude::*;
use protocol::fault::FaultClass;
use protocol::usage::Usage;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::*;
use crate::cost::{Bills, Tariff};
use crate::snapshot::{Identity, Timeouts, Upstream};

fn deployment(name: &str) -> Deployment {
    let second = Duration::from_secs(1);
    Deployment {
        identity: Identity {
            id: ObjectName { namespace: "a".into(), name: name.into() },
            uid: String::new(),
        },
        tag: protocol::response::Tag([0; 8]),
        label: name.to_owned(),
        provider: "mock".into(),
        upstream_model: "m".into(),
        upstream: Upstream::Mock,
        capacity: Vec::new(),
        abilities: crate::snapshot::Abilities::default(),
        timeouts: Timeouts { connect: second, first_byte: second, stream_idle: second, request: 60 * second },
        on_loss: protocol::loss::OnLoss::Report,
        tariff: Arc::default(),
        amendment: None,
        quirks: Arc::default(),
    }
}

/// Of these deployments, with their priorities and weights.
fn model(strategy: Way, all: &[(&str, u8, u32)]) -> Model {
    let choices = all.iter().map(|(name, priority, weight)| Choice {
        deployment: Arc::new(deployment(name)),
        tier: (0, *priority),
        weight: f64::from(*weight),
        target: 0,
    });
    let choices: Vec<_> = choices.collect();
    Model {
        name: "m".into(),
        aliases: Vec::new(),
        deployments: choices.iter().map(|choice| Arc::clone(&choice.deployment)).collect(),
        choices,
        conditions: Vec::new(),
        legs: Vec::new(),
        via: None,
        routing: Routing { strategy, ..Routing::default() },
        fallbacks: Fallbacks::default(),
    }
}

fn terms(model: &Model, wish: Wish) -> Terms<'_> {
    Terms { model, wish, tries: Tries::default(), standing_only: false }
}

fn state(health: &Health, name: &str) -> Arc<health::State> {
    health.of(&deployment(name).identity)
}

fn cool(health: &Health, name: &str, seconds: u64) {
    state(health, name).cool(Instant::now() + Duration::from_secs(seconds));
}

/// Whom a request would be sent to in turn, if each were no place for it.
async fn order(health: &Health, model: &Model, wish: Wish, seed: u64) -> Vec<String> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut route = plan(health, terms(model, wish), |_| true, &mut rng);
    let mut order = Vec::new();
    while let Some(next) = route.next().await {
        order.push(next.label.clone());
        route.pass(Fault::BodyCut);
    }
    order
}

async fn firsts(health: &Health, model: &Model, wish: Wish, count: u64) -> BTreeMap<String, usize> {
    let mut firsts = BTreeMap::new();
    for seed in 0..count {
        *firsts.entry(order(health, model, wish, seed).await.remove(0)).or_default() += 1;
    }
    firsts
}

const STRATEGIES: [Way; 6] =
    [Way::Weighted, Way::RoundRobin, Way::LeastBusy, Way::LeastLatency, Way::UsageBased, Way::LowestCost];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the strategy: each deployment comes once, tiers in their order, those that are left alone after all others and
    /// the soonest of them first, and in a tier those of weight 0 after those that have any.
    #[test]
    fn all_come_once_and_those_left_alone_come_last(
        all in proptest::collection::vec((0_u8..3, 0_u32..4, proptest::option::of(1_u64..100)), 1..8),
        session in proptest::option::of(any::<u64>()),
        seed in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            for strategy in STRATEGIES {
                let health = Health::default();
                let names: Vec<String> = (0..all.len()).map(|place| format!("d{place}")).collect();
                let rows: Vec<_> = names.iter().zip(&all).map(|(name, (tier, weight, _))| (name.as_str(), *tier, *weight)).collect();
                for (name, (_, _, cools)) in names.iter().zip(&all) {
                    if let Some(seconds) = cools {
                        cool(&health, name, *seconds);
                    }
                }
                let wish = Wish { session, ..Wish::default() };
                let order = order(&health, &model(strategy, &rows), wish, seed).await;
                prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), all.len(), "{:?}", strategy);
                let key = |name: &String| {
                    let (tier, weight, cools) = &all[name.trim_start_matches('d').parse::<usize>().unwrap_or_default()];
                    match cools {
                        Some(seconds) => (true, *seconds, 0, false),
                        None => (false, 0, *tier, *weight == 0),
                    }
                };
                let keys: Vec<_> = order.iter().map(key).collect();
                prop_assert!(keys.is_sorted(), "{:?}: {:?}", strategy, keys);
            }
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn weights_are_shares() {
    let (health, model) =
        (Health::default(), model(Way::Weighted, &[("idle", 0, 0), ("big", 0, 90), ("small", 0, 10)]));
    let firsts = firsts(&health, &model, Wish::default(), 1000).await;
    assert!((850..950).contains(&firsts["big"]), "{firsts:?} instead of about 900");
    assert!(!firsts.contains_key("idle"), "{firsts:?}");
}

#[tokio::test(start_paused = true)]
async fn each_has_its_turn() {
    let (health, model) =
        (Health::default(), model(Way::RoundRobin, &[("a", 0, 1), ("b", 0, 9), ("c", 0, 1)]));
    let firsts = firsts(&health, &model, Wish::default(), 30).await;
    assert_eq!(firsts.into_values().collect::<Vec<_>>(), [10, 10, 10]);
}

#[tokio::test(start_paused = true)]
async fn the_least_busy_for_its_weight_is_asked() {
    let (health, model) = (Health::default(), model(Way::LeastBusy, &[("one", 0, 1), ("three", 0, 3)]));
    let enter = |name, times| {
        (0..times).fold(false, |_, _| {
            state(&health, name).visit();
            state(&health, name).enter(Instant::now())
        })
    };
    assert!(!enter("one", 2));
    assert!(!enter("three", 5));
    assert_eq!(
        firsts(&health, &model, Wish::default(), 20).await,
        BTreeMap::from([("three".to_owned(), 20)])
    );
    assert!(!enter("three", 2));
    assert_eq!(firsts(&health, &model, Wish::default(), 20).await, BTreeMap::from([("one".to_owned(), 20)]));
    state(&health, "three").leave(false);
    state(&health, "three").leave(false);
    assert_eq!(
        firsts(&health, &model, Wish::default(), 20).await,
        BTreeMap::from([("three".to_owned(), 20)])
    );
}

#[tokio::test(start_paused = true)]
async fn the_soonest_is_asked_and_now_and_then_another() {
    let (health, model) = (Health::default(), model(Way::LeastLatency, &[("slow", 0, 1), ("quick", 0, 1)]));
    let took = |name, is_stream, millis| state(&health, name).began(is_stream, Duration::from_millis(millis));
    took("slow", false, 900);
    assert_eq!(
        firsts(&health, &model, Wish::default(), 50).await.get("slow").copied().unwrap_or(0) / 10,
        0,
        "the other is not known yet"
    );
    took("quick", false, 100);
    let firsts_of = firsts(&health, &model, Wish::default(), 1000).await;
    assert!((10..50).contains(&firsts_of["slow"]), "one in forty: {firsts_of:?}");
    // Streams are another matter.
    let wish = Wish { is_stream: true, ..Wish::default() };
    took("slow", true, 10);
    took("quick", true, 500);
    assert!(firsts(&health, &model, wish, 100).await["slow"] > 90);
    // What was once slow is forgotten.
    (0..30).for_each(|_| took("slow", false, 50));
    assert!(firsts(&health, &model, Wish::default(), 100).await["slow"] > 90);
}

#[tokio::test(start_paused = true)]
async fn the_one_with_the_most_left_is_asked_while_its_minute_lasts() {
    let (health, model) = (Health::default(), model(Way::UsageBased, &[("full", 0, 9), ("half", 0, 1)]));
    let until = Instant::now() + Duration::from_secs(20);
    state(&health, "full").loaded(0.9, until);
    state(&health, "half").loaded(0.5, until);
    assert_eq!(firsts(&health, &model, Wish::default(), 20).await, BTreeMap::from([("half".to_owned(), 20)]));
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(firsts(&health, &model, Wish::default(), 100).await["full"] > 70, "by weight again");
}

#[tokio::test(start_paused = true)]
async fn the_cheapest_is_asked_and_what_nobody_knows_comes_last() {
    let mut model = model(Way::LowestCost, &[("unknown", 0, 9), ("dear", 0, 9), ("cheap", 0, 1)]);
    let priced = |name: &str, per_million: &str| {
        let rate = Rate::per_million(per_million).expect("a rate");
        let entry = |meter| Entry { meter, tier: Tier::Standard, above: 0, rate };
        let price = Price::new(vec![entry(Meter::Input), entry(Meter::Output)]);
        Arc::new(Deployment {
            tariff: Arc::new(Tariff::new(Some(price), Bills::Computed)),
            ..deployment(name)
        })
    };
    model.choices[1].deployment = priced("dear", "30");
    model.choices[2].deployment = priced("cheap", "3");
    let usage = Usage { fresh_input: 1000, output: 100, ..Usage::default() };
    let order = order(&Health::default(), &model, Wish { usage, ..Wish::default() }, 1).await;
    assert_eq!(order, ["cheap", "dear", "unknown"]);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_goes_where_it_was_unless_that_is_off() {
    let all: Vec<(String, u8, u32)> =
        (0..10).map(|place| (format!("d{place}"), 0, if place == 0 { 5 } else { 1 })).collect();
    let rows = |count: usize| -> Vec<(&str, u8, u32)> {
        all.iter().take(count).map(|(name, tier, weight)| (name.as_str(), *tier, *weight)).collect()
    };
    let health = Health::default();
    let (ten, nine) = (model(Way::Weighted, &rows(10)), model(Way::Weighted, &rows(9)));
    let (mut moved, mut of_heavy) = (0, 0);
    for session in 0..2000_u64 {
        let wish = Wish { session: Some(session), ..Wish::default() };
        let at = order(&health, &ten, wish, session).await.remove(0);
        assert_eq!(order(&health, &ten, wish, session + 1).await[0], at);
        let after = order(&health, &nine, wish, session).await.remove(0);
        assert!(after == at || at == "d9", "only those of the one that has gone move: {at} to {after}");
        moved += usize::from(after != at);
        of_heavy += usize::from(at == "d0");
    }
    assert!((80..220).contains(&moved), "one in fourteen of 2000: {moved}");
    assert!((600..830).contains(&of_heavy), "five in fourteen of 2000: {of_heavy}");
    let mut off = ten;
    off.routing.session_affinity = SessionAffinity::Off;
    assert!(firsts(&health, &off, Wish { session: Some(1), ..Wish::default() }, 100).await.len() > 5);
}

fn fault(class: FaultClass) -> UpstreamFault {
    UpstreamFault::new(class, "no")
}

fn class(fault: &Fault) -> Option<FaultClass> {
    if let Fault::Upstream { fault, .. } = fault { Some(fault.class) } else { None }
}

#[tokio::test(start_paused = true)]
async fn the_same_is_asked_again_after_a_pause_and_not_after_the_request_is_old() {
    let (health, mut model) = (Health::default(), model(Way::Weighted, &[("only", 0, 1)]));
    (model.routing.retries.attempts, model.routing.retries.max_backoff_ms) = (20, 8_000);
    let mut rng = SmallRng::seed_from_u64(1);
    let mut route = plan(&health, terms(&model, Wish::default()), |_| true, &mut rng);
    let began = Instant::now();
    let mut calls = 0;
    while let Some(only) = route.next().await {
        calls += 1;
        assert!(route.record(&only, fault(FaultClass::Failed), None, &mut rng).is_ok());
    }
    let took = began.elapsed();
    assert!((7..20).contains(&calls), "{calls} calls");
    assert!((Duration::from_secs(45)..=Duration::from_secs(60)).contains(&took), "{took:?}");
    assert_eq!(class(&route.verdict()), Some(FaultClass::Failed));
}

#[tokio::test(start_paused = true)]
async fn two_who_say_that_the_request_is_wrong_are_believed() {
    let (health, model) = (Health::default(), model(Way::Weighted, &[("a", 0, 1), ("b", 1, 1), ("c", 2, 1)]));
    let mut rng = SmallRng::seed_from_u64(1);
    let mut route = plan(&health, terms(&model, Wish::default()), |_| true, &mut rng);
    let a = route.next().await.expect("a");
    assert!(route.record(&a, fault(FaultClass::InvalidRequest), None, &mut rng).is_ok());
    let b = route.next().await.expect("b");
    assert!(route.record(&b, fault(FaultClass::Timeout), None, &mut rng).is_ok());
    let c = route.next().await.expect("c");
    assert!(route.record(&c, fault(FaultClass::TooLarge), None, &mut rng).is_err(), "the second to say so");
    let mut route =
        plan(&health, terms(&model, Wish::default()), |choice| choice.deployment.label != "c", &mut rng);
    let a = route.next().await.expect("a");
    assert!(route.record(&a, fault(FaultClass::InvalidRequest), None, &mut rng).is_ok());
    let b = route.next().await.expect("b");
    assert!(route.record(&b, fault(FaultClass::Timeout), None, &mut rng).is_ok());
    assert!(route.next().await.is_none(), "nobody else stands, and to ask again would not help");
    assert_eq!(class(&route.verdict()), Some(FaultClass::InvalidRequest));
}

#[tokio::test(start_paused = true)]
async fn what_a_deployment_cannot_take_is_told_only_if_none_was_asked() {
    let (health, model) = (Health::default(), model(Way::Weighted, &[("one", 0, 1)]));
    let mut rng = SmallRng::seed_from_u64(1);
    let mut route = plan(&health, terms(&model, Wish::default()), |_| true, &mut rng);
    route.pass(Fault::BodyCut);
    route.pass(Fault::KeyWrong);
    assert!(matches!(route.verdict(), Fault::BodyCut));
    let mut route = plan(&health, terms(&model, Wish::default()), |_| true, &mut rng);
    route.pass(Fault::BodyCut);
    let one = route.next().await.expect("one");
    assert!(route.record(&one, fault(FaultClass::Timeout), None, &mut rng).is_ok());
    assert!(matches!(route.verdict(), Fault::Upstream { .. }));
    let route = plan(&health, terms(&model, Wish::default()), |_| false, &mut rng);
    assert!(matches!(route.verdict(), Fault::NoTarget(name) if name == "m"));
}

#[tokio::test(start_paused = true)]
async fn health_survives_a_success_as_history_and_ignores_bad_requests() {
    let (state, terms, now) = (health::State::default(), Cooldown::default(), Instant::now());
    state.failed((FaultClass::TooLarge, None), now, &terms, now);
    assert_eq!(state.outcomes(now).consecutive_failures, 0);
    state.failed((FaultClass::Timeout, None), now, &terms, now);
    state.failed((FaultClass::Failed, None), now, &terms, now);
    assert_eq!(state.outcomes(now).consecutive_failures, 2);
    state.answered(now, now);
    let outcomes = state.outcomes(now);
    assert_eq!((outcomes.consecutive_failures, outcomes.last_fault), (0, Some(FaultClass::Failed)));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_leaves_no_place_taken() {
    let (health, one) = (Health::default(), Arc::new(deployment("one")));
    cool(&health, "one", 5);
    tokio::time::advance(Duration::from_secs(6)).await;
    let attempt = Attempt::begin(&health, &one, Cooldown::default(), false);
    let other = Attempt::begin(&health, &one, Cooldown::default(), false);
    assert!(matches!(state(&health, "one").standing(Instant::now()), Standing::Cools(_)), "one call tries");
    assert_eq!(state(&health, "one").busy(), 2);
    drop(attempt);
    assert_eq!(state(&health, "one").standing(Instant::now()), Standing::Due);
    drop(other);
    assert_eq!(state(&health, "one").busy(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_counts_once_and_a_failure_takes_no_place() {
    let (health, one) = (Health::default(), Arc::new(deployment("one")));
    let mut attempt = Attempt::begin(&health, &one, Cooldown::default(), true);
    tokio::time::advance(Duration::from_secs(1)).await;
    attempt.began();
    tokio::time::advance(Duration::from_secs(300)).await;
    attempt.failed(FaultClass::Timeout, None);
    assert_eq!(state(&health, "one").usual(true), Some(1.0), "it had begun long before");
    assert_eq!(state(&health, "one").busy(), 0, "though the record lives on");
    // Nine good streams that say so twice, and one in two fails: not yet ten calls until the tenth.
    let terms = Cooldown { failures: 0, failure_percent: 50, ..Cooldown::default() };
    let health = Health::default();
    for call in 0..9 {
        let mut attempt = Attempt::begin(&health, &one, terms, true);
        if call % 2 == 0 {
            attempt.failed(FaultClass::Failed, None);
        } else {
            attempt.answered();
            attempt.answered();
        }
        assert_eq!(state(&health, "one").standing(Instant::now()), Standing::Stands, "call {call}");
    }
    Attempt::begin(&health, &one, terms, true).failed(FaultClass::Failed, None);
    assert!(matches!(state(&health, "one").standing(Instant::now()), Standing::Cools(_)));
    let mut visit = Attempt::visit(&health, &one, false);
    visit.answered();
    assert!(
        matches!(state(&health, "one").standing(Instant::now()), Standing::Cools(_)),
        "errands say nothing"
    );
}

//! Routes: models whose requests go to others.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use config::{
    Budget, Delivery, Fallbacks, ObjectName, Retries, Route, RouteTarget, Routing, Strategy, Target,
    TargetKind, Unit,
};
use serde_json::json;

use super::shaky::{Shaky, Way};
use super::{QUICK, ask, ask_with, delivery, even};
use crate::budgets::{budget, limit};
use crate::harness::Gateway;

fn target(name: &str, weight: u32, priority: u8, when: Option<&str>) -> RouteTarget {
    let (name, model) = (name.to_owned(), name.to_owned());
    RouteTarget { name, model, weight, priority, when: when.map(str::to_owned) }
}

fn with_route(models: Vec<config::Model>, routing: Routing, targets: Vec<RouteTarget>) -> Delivery {
    let mut delivery = delivery(QUICK, models);
    delivery.config.routes = vec![Route {
        id: ObjectName { namespace: "ai".into(), name: "smart".into() },
        uid: String::new(),
        name: "smart".into(),
        aliases: vec!["clever".into()],
        targets,
        routing,
        fallbacks: Fallbacks::default(),
    }];
    delivery
}

/// How often each deployment answers.
async fn answers(gateway: &Gateway, count: usize) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for _ in 0..count {
        let seen = ask(gateway, "smart", false).await;
        assert!(seen.is_good(), "{seen:?}");
        *all.entry(seen.by.expect("a deployment")).or_default() += 1;
    }
    all
}

#[tokio::test]
async fn targets_share_by_weight_however_many_deployments_each_has() {
    let good = Shaky::start(Way::Good).await;
    let models = vec![even("one", &[&good.url]), even("many", &[good.url.as_str(); 4])];
    let targets = vec![target("one", 3, 0, None), target("many", 1, 0, None)];
    let gateway = Gateway::counting_in(None, with_route(models, QUICK, targets)).await;
    let all = answers(&gateway, 400).await;
    let one = all["ai/one-0"];
    assert!((250..=350).contains(&one), "three quarters of 400: {all:?}");
    assert_eq!(all.len(), 5, "{all:?}");
    assert!(ask(&gateway, "clever", true).await.is_good());
    let listing: serde_json::Value =
        gateway.get("/v1/models").send().await.expect("a listing").json().await.expect("JSON");
    let ids: Vec<_> = listing["data"].as_array().expect("a list").iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["clever", "many", "one", "smart"]);
}

#[tokio::test]
async fn a_target_of_lower_priority_waits_until_the_others_fail() {
    let (bad, good) = (Shaky::start(Way::Good).await, Shaky::start(Way::Good).await);
    let models = vec![even("first", &[&bad.url, &bad.url]), even("second", &[&good.url])];
    let targets = vec![target("second", 1, 1, None), target("first", 1, 0, None)];
    let gateway = Gateway::counting_in(None, with_route(models, QUICK, targets)).await;
    assert!(!answers(&gateway, 20).await.contains_key("ai/second-0"));
    bad.set(Way::Status(500, "", "{}"));
    assert_eq!(answers(&gateway, 20).await, BTreeMap::from([("ai/second-0".to_owned(), 20)]));
}

#[tokio::test]
async fn conditions_say_which_requests_a_target_is_for() {
    let good = Shaky::start(Way::Good).await;
    let models = Vec::from(["tools", "tagged", "long", "seeing"].map(|name| even(name, &[&good.url])));
    let targets = vec![
        target("tools", 1, 0, Some("tools && !images")),
        target("tagged", 1, 0, Some("'batch' in tags && stream == false")),
        target("long", 1, 0, Some("tokens > 1000 && language == 'openai-chat' || max_tokens == 7")),
        target("seeing", 1, 0, Some("images")),
    ];
    let gateway = Gateway::counting_in(None, with_route(models, QUICK, targets)).await;
    let tool = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let cases = [
        (json!({"model": "smart", "tools": tool}), "ai/tools-0"),
        (json!({"model": "smart", "metadata": {"tags": ["batch"]}}), "ai/tagged-0"),
        (json!({"model": "smart", "max_tokens": 7}), "ai/long-0"),
        (json!({"model": "smart", "user": "x".repeat(9000)}), "ai/long-0"),
    ];
    for (body, by) in cases {
        let seen = ask_with(&gateway, body.clone()).await;
        assert_eq!(seen.by.as_deref(), Some(by), "{body}: {seen:?}");
    }
    let image = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}]}]);
    let body = json!({"model": "smart", "messages": image}).to_string();
    let answer = gateway.chat(body).send().await.expect("an answer");
    assert_eq!(answer.headers()["x-litellm-model-id"], "ai/seeing-0");
    let none = ask(&gateway, "smart", false).await;
    assert!(none.status == 400 && none.text.contains("no_target"), "{none:?}");
}

/// The catalogue knows that one of the models sees no pictures, and how much it reads.
#[tokio::test]
async fn requests_go_where_they_can_be_served() {
    let good = Shaky::start(Way::Good).await;
    let mut models = vec![even("m", &[good.url.as_str(); 2])];
    models[0].deployments[0].upstream_model = "gpt-3.5-turbo".into();
    models[0].deployments[1].upstream_model = "gpt-4o".into();
    models.push(even("blind", &[&good.url]));
    models[1].deployments[0].upstream_model = "gpt-3.5-turbo".into();
    let gateway = Gateway::counting_in(None, delivery(QUICK, models)).await;
    let image = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}]}]);
    let long = json!([{"role": "user", "content": "word ".repeat(12_000)}]);
    for messages in [image.clone(), long] {
        for _ in 0..8 {
            let body = json!({"model": "m", "messages": messages}).to_string();
            let answer = gateway.chat(body).send().await.expect("an answer");
            assert_eq!(answer.headers()["x-litellm-model-id"], "ai/m-1");
        }
    }
    let body = json!({"model": "blind", "messages": image}).to_string();
    let answer = gateway.chat(body).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "where none seems to fit, its provider may say so");
}

/// Named conversations stay where they are; those of one that goes move, and no other.
#[tokio::test]
async fn a_conversation_stays_at_one_deployment() {
    let good = Shaky::start(Way::Good).await;
    let models = vec![even("m", &[good.url.as_str(); 5])];
    let gateway = Gateway::counting_in(None, with_route(models, QUICK, vec![target("m", 1, 0, None)])).await;
    let mut places = BTreeMap::new();
    for round in 0..3 {
        for name in 0..30 {
            let key = format!("conversation-{name}");
            let body = json!({"model": "smart", "prompt_cache_key": key});
            let by = ask_with(&gateway, body).await.by.expect("a deployment");
            let first = places.entry(name).or_insert_with(|| by.clone());
            assert_eq!(*first, by, "{key} in round {round}");
        }
    }
    let used: std::collections::BTreeSet<_> = places.values().collect();
    assert!(used.len() >= 4, "thirty of them are spread: {used:?}");
}

#[tokio::test]
async fn the_strategy_of_a_route_is_its_own() {
    let good = Shaky::start(Way::Good).await;
    let models = vec![even("one", &[&good.url]), even("two", &[&good.url])];
    let targets = || vec![target("one", 1, 0, None), target("two", 1, 0, None)];
    let turns = Routing { strategy: Strategy::RoundRobin, ..QUICK };
    let gateway = Gateway::counting_in(None, with_route(models, turns, targets())).await;
    assert_eq!(answers(&gateway, 40).await.into_values().collect::<Vec<_>>(), [20, 20]);
}

/// A limit of a model holds for what a route sends there too, and the route goes on to its next target.
#[tokio::test]
async fn limits_of_a_target_hold_for_the_route() {
    let good = Shaky::start(Way::Good).await;
    let models = vec![even("first", &[&good.url]), even("second", &[&good.url])];
    let targets = vec![target("first", 1, 0, None), target("second", 1, 1, None)];
    let mut delivery = with_route(models, QUICK, targets);
    let of_first = Target { kind: TargetKind::Model, name: Some("first".into()), namespace: None };
    let of_route = Target { name: Some("smart".into()), ..of_first.clone() };
    let limited = |name: &str, target: Target, amount| Budget {
        targets: vec![target],
        ..budget(name, vec![limit("requests", Unit::Requests, amount)])
    };
    delivery.config.budgets = vec![limited("first", of_first, 3), limited("route", of_route, 5)];
    let gateway = Gateway::counting_in(None, delivery).await;
    let mut by = Vec::new();
    for _ in 0..5 {
        by.push(ask(&gateway, "smart", false).await.by.expect("a deployment"));
    }
    let (one, two) = ("ai/first-0", "ai/second-0");
    assert_eq!(by, [one, one, one, two, two]);
    let direct = ask(&gateway, "first", false).await;
    assert!(direct.status == 429 && direct.text.contains("ai/first"), "{direct:?}");
    let sixth = ask(&gateway, "smart", false).await;
    assert!(sixth.status == 429, "the route has a limit of its own: {sixth:?}");
    assert!(ask(&gateway, "second", false).await.is_good(), "which does not count what is asked directly");
}

/// Nobody waits for a target that fails while another stands; and when all fail, they are asked again.
#[tokio::test]
async fn a_target_that_fails_is_asked_again_only_when_none_is_left() {
    let fails = Way::Status(503, "", "{}");
    let (bad, good) = (Shaky::start(fails).await, Shaky::start(Way::Good).await);
    let models = vec![even("first", &[&bad.url]), even("second", &[&good.url])];
    let targets = || vec![target("first", 1, 0, None), target("second", 1, 1, None)];
    let slow = Retries { backoff_ms: 2_000, max_backoff_ms: 2_000, ..QUICK.retries };
    let routing = Routing { retries: slow, ..QUICK };
    let gateway = Gateway::counting_in(None, with_route(models.clone(), routing, targets())).await;
    let began = Instant::now();
    let seen = ask(&gateway, "smart", false).await;
    assert_eq!(seen.by.as_deref(), Some("ai/second-0"), "{seen:?}");
    assert!(bad.calls() == 1 && began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    good.set(fails);
    let gateway = Gateway::counting_in(None, with_route(models, QUICK, targets())).await;
    let (before, seen) = (bad.calls(), ask(&gateway, "smart", false).await);
    assert_eq!((seen.status, seen.retries.as_deref()), (503, Some("3")), "{seen:?}");
    assert!(bad.calls() - before >= 2, "the first is asked again");
}

//! Other models, where one cannot answer.

use config::{Fallbacks, Model, Unit};
use serde_json::json;

use super::shaky::{Shaky, Way};
use super::{QUICK, ask, ask_with, delivery, even, gateway};
use crate::budgets::{budget, limit};
use crate::harness::Gateway;

const FAILS: Way = Way::Status(500, "", r#"{"error":{"message":"no"}}"#);
const FILTERED: Way = Way::Status(400, "", r#"{"error":{"message":"no","code":"content_filter"}}"#);
const TOO_LARGE: Way = Way::Status(400, "", r#"{"error":{"message":"no","code":"context_length_exceeded"}}"#);

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn falling(model: Model, fallbacks: Fallbacks) -> Model {
    Model { fallbacks, ..model }
}

#[tokio::test]
async fn each_cause_has_its_own_models() {
    let good = Shaky::start(Way::Good).await;
    let others = ["large", "mild", "spare", "any"].map(|name| even(name, &[&good.url]));
    let fallbacks = Fallbacks {
        on_context_window: names(&["large"]),
        on_content_policy: names(&["mild"]),
        on_rate_limit: names(&["spare"]),
        on_error: names(&["any"]),
        ..Fallbacks::default()
    };
    let bad = Shaky::start(FAILS).await;
    let models = Vec::from_iter(others.into_iter().chain([falling(even("m", &[&bad.url]), fallbacks)]));
    let gateway = gateway(QUICK, models).await;
    let limited = Way::Status(429, "", "{}");
    for (way, by) in [(TOO_LARGE, "large"), (FILTERED, "mild"), (limited, "spare"), (FAILS, "any")] {
        bad.set(way);
        let seen = ask(&gateway, "m", false).await;
        assert!(seen.is_good(), "{way:?}: {seen:?}");
        assert_eq!((seen.by, seen.fallbacks.as_deref()), (Some(format!("ai/{by}-0")), Some("1")), "{way:?}");
    }
    bad.set(Way::Status(400, "", r#"{"error":{"message":"no such parameter"}}"#));
    assert_eq!(ask(&gateway, "m", false).await.status, 400, "no other model would take it");
}

#[tokio::test]
async fn the_first_fault_is_told_when_all_fail_and_few_models_are_asked() {
    let (bad, limited) = (Shaky::start(FAILS).await, Shaky::start(Way::Status(429, "", "{}")).await);
    let next = |place: usize| Fallbacks { on_error: vec![format!("m{}", place + 1)], ..Fallbacks::default() };
    let mut models = vec![falling(even("m0", &[&bad.url]), next(0))];
    models.extend((1..9).map(|place| falling(even(&format!("m{place}"), &[&limited.url]), next(place))));
    let plain = config::Routing { retries: config::Retries { attempts: 0, ..QUICK.retries }, ..QUICK };
    let gateway = gateway(plain, models).await;
    let seen = ask(&gateway, "m0", false).await;
    assert_eq!((seen.status, seen.fallbacks.as_deref()), (500, Some("5")), "{seen:?}");
    assert_eq!((bad.calls(), limited.calls()), (1, 5));
}

#[tokio::test]
async fn a_client_may_name_models_itself_or_want_none() {
    let (bad, good) = (Shaky::start(FAILS).await, Shaky::start(Way::Good).await);
    let own = Fallbacks { on_error: names(&["usual"]), ..Fallbacks::default() };
    let models =
        vec![falling(even("m", &[&bad.url]), own), even("usual", &[&good.url]), even("wished", &[&good.url])];
    let gateway = gateway(QUICK, models).await;
    let seen = ask_with(&gateway, json!({"model": "m", "fallbacks": ["gone", {"model": "wished"}]})).await;
    assert_eq!(seen.by.as_deref(), Some("ai/wished-0"), "{seen:?}");
    assert!(!good.last().contains("fallbacks"), "no provider is told: {}", good.last());
    assert!(!bad.last().contains("fallbacks") && bad.last().contains("Hello"), "{}", bad.last());
    let seen = ask_with(&gateway, json!({"model": "m", "disable_fallbacks": true})).await;
    assert_eq!((seen.status, seen.fallbacks.as_deref()), (500, Some("0")));
    assert_eq!(ask(&gateway, "m", true).await.by.as_deref(), Some("ai/usual-0"));
}

#[tokio::test]
async fn models_that_stand_for_all_come_last() {
    let (bad, good) = (Shaky::start(FAILS).await, Shaky::start(Way::Good).await);
    let own = Fallbacks { on_error: names(&["worse"]), ..Fallbacks::default() };
    let models =
        vec![falling(even("m", &[&bad.url]), own), even("worse", &[&bad.url]), even("last", &[&good.url])];
    let mut delivery = delivery(QUICK, models);
    delivery.config.settings.default_fallbacks = names(&["m", "last"]);
    let gateway = Gateway::counting_in(None, delivery).await;
    let seen = ask(&gateway, "m", false).await;
    assert_eq!((seen.by.as_deref(), seen.fallbacks.as_deref()), (Some("ai/last-0"), Some("2")), "{seen:?}");
}

/// A request is not in its own way when it goes on to another model.
#[tokio::test]
async fn what_was_held_for_the_first_model_is_free_for_the_next() {
    let (bad, good) = (Shaky::start(FAILS).await, Shaky::start(Way::Good).await);
    let own = Fallbacks { on_error: names(&["other"]), ..Fallbacks::default() };
    let models = vec![falling(even("m", &[&bad.url]), own), even("other", &[&good.url])];
    let mut delivery = delivery(QUICK, models);
    let limits = vec![limit("one at a time", Unit::Concurrency, 1), limit("requests", Unit::Requests, 2)];
    delivery.config.budgets = vec![budget("narrow", limits)];
    let gateway = Gateway::counting_in(None, delivery).await;
    for _ in 0..2 {
        let seen = ask(&gateway, "m", false).await;
        assert!(seen.is_good(), "{seen:?}");
    }
    assert_eq!(ask(&gateway, "other", false).await.status, 429, "and each counts once");
}

//! What pods tell of a policy `teams` of the gateway `main`, and what is shown of it.

use axum::routing::get;
use axum::{Json, Router};
use config::Unit;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::ask::{Limit, Subject, Window};
use super::*;

const DOLLAR: u64 = 1_000_000_000;

fn id(name: &str) -> ObjectName {
    ObjectName { namespace: "ai".into(), name: name.into() }
}

fn limit(name: &str, unit: Unit, amount: u64, top: &[(&str, u64)]) -> Limit {
    let spent = top.first().map_or(0, |(_, spent)| *spent);
    let subject =
        |(subject, spent): &(&str, u64)| Subject { subject: (*subject).into(), spent: *spent, reserved: 0 };
    Limit {
        name: name.into(),
        unit,
        amount,
        window: None,
        spent,
        reserved: 0,
        remaining: amount.saturating_sub(spent),
        subjects: Some(top.len() as u64),
        exceeded: top.iter().filter(|(_, spent)| *spent >= amount).count() as u64,
        top: top.iter().map(subject).collect(),
    }
}

fn budget(limits: Vec<Limit>) -> Budget {
    Budget { id: id("teams"), uid: "u".into(), limits, alerts: Vec::new() }
}

fn usd(cents: u64) -> Budget {
    budget(vec![limit("usd", Unit::NanoUsd, 500 * DOLLAR, &[("team:red", cents * DOLLAR / 100)])])
}

fn at(start: Instant, seconds: u64) -> Moment {
    Moment { now: start + Duration::from_secs(seconds), at: Timestamp::UNIX_EPOCH }
}

fn spent(readings: &Readings) -> Option<String> {
    Some(readings.of(&id("teams"))?.shown.usage?.spent)
}

#[test]
fn money_is_shown_to_a_ten_thousandth_of_the_amount_and_at_least_to_the_cent() {
    let shown = |amount: u64, spent: u64| {
        let limit = limit("usd", Unit::NanoUsd, amount, &[("team:red", spent)]);
        Shown::of(&budget(vec![limit])).usage.map(|usage| (usage.spent, usage.remaining, usage.percent))
    };
    let told = |spent: &str, left: &str, percent| Some((spent.to_owned(), left.to_owned(), percent));
    assert_eq!(shown(500 * DOLLAR, 12_340_000_000), told("12.34", "487.66", 2));
    assert_eq!(shown(500 * DOLLAR, 12_345_678_901), told("12.35", "487.65", 2));
    assert_eq!(shown(DOLLAR, 999_999_999), told("1.0000", "0.0000", 99), "100 % is really all of it");
    assert_eq!(shown(10_000_000, 10_000), told("0.000010", "0.009990", 0));
    assert_eq!(shown(1, 1), told("0.000000001", "0.000000000", 100));
    assert_eq!(shown(0, 0), told("0.000000000", "0.000000000", 100), "of nothing, all is used");
}

#[test]
fn the_fullest_limit_is_named_and_who_has_used_most() {
    let mut tokens = limit("tpm", Unit::Tokens, 1_000, &[("team:blue", 1_200), ("team:red", 1_000)]);
    tokens.window = Some(window("2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"));
    let limits = vec![limit("usd", Unit::NanoUsd, DOLLAR, &[("team:red", DOLLAR / 4)]), tokens];
    let shown = Shown::of(&budget(limits));
    let usage = shown.usage.unwrap();
    assert_eq!((usage.limit.as_str(), usage.subject.as_deref()), ("tpm", Some("team:blue")));
    assert_eq!((usage.spent.as_str(), usage.remaining.as_str(), usage.percent), ("1200", "0", 120));
    assert_eq!(usage.resets_at.as_deref(), Some("2026-11-26T00:00:00Z"));
    let top: Vec<_> =
        shown.top.iter().map(|it| (it.subject.as_str(), it.limit.as_str(), it.percent)).collect();
    assert_eq!(top, [("team:blue", "tpm", 120), ("team:red", "tpm", 100), ("team:red", "usd", 25)]);
    assert_eq!(shown.exceeded.as_deref(), Some("tpm of team:blue and 1 more"));
}

fn window(start: &str, end: &str) -> Window {
    Window { start: start.into(), end: end.into() }
}

#[test]
fn boundaries_are_shown_of_windows_that_people_can_follow() {
    let shown = |end: &str| {
        let window = Some(window("2026-11-25T00:00:00Z", end));
        let limit = Limit { window, ..limit("rpm", Unit::Requests, 1, &[]) };
        let shown = Shown::of(&budget(vec![limit]));
        shown.limits[0].window_end.is_some() && shown.usage.is_some_and(|usage| usage.resets_at.is_some())
    };
    assert!(shown("2026-11-25T01:00:00Z"));
    assert!(!shown("2026-11-25T00:01:00Z"), "a status is not written every minute for nothing");
}

#[test]
fn of_what_is_under_way_the_running_requests_count() {
    let places = Limit { reserved: 3, ..limit("places", Unit::Concurrency, 4, &[]) };
    let usage = Shown::of(&budget(vec![places])).usage.unwrap();
    assert_eq!((usage.spent.as_str(), usage.percent), ("3", 75));
}

#[test]
fn a_policy_changes_once_in_a_while_and_at_once_when_it_is_used_up() {
    let (readings, start, main) = (Readings::default(), Instant::now(), id("main"));
    assert!(readings.take(&main, vec![usd(100)], at(start, 0)));
    assert!(!readings.take(&main, vec![usd(100)], at(start, 60)), "nothing has changed");
    assert!(readings.take(&main, vec![usd(200)], at(start, 61)));
    assert!(!readings.take(&main, vec![usd(300)], at(start, 65)), "too soon");
    assert_eq!(spent(&readings).as_deref(), Some("2.00"));
    assert!(readings.take(&main, vec![usd(50_000)], at(start, 65)), "it is used up");
    assert!(readings.take(&main, vec![usd(300)], at(start, 66)), "and can be used again");
    readings.take(&id("other"), Vec::new(), at(start, 67));
    assert_eq!(spent(&readings).as_deref(), Some("3.00"), "another gateway says nothing of it");
    readings.take(&main, Vec::new(), at(start, 67));
    assert_eq!(spent(&readings), None, "it is counted no more");
}

#[test]
fn an_alert_is_told_at_once() {
    let (readings, start, main) = (Readings::default(), Instant::now(), id("main"));
    assert!(readings.take(&main, vec![usd(100)], at(start, 0)));
    let alert = ask::Alert {
        text: "half of it".into(),
        limit: "usd".into(),
        subject: None,
        at_percent: Some(50),
        window_start: None,
        reset_at: None,
        time: "t1".into(),
    };
    let with_alert = || vec![Budget { alerts: vec![alert.clone()], ..usd(100) }];
    assert!(readings.take(&main, with_alert(), at(start, 1)));
    assert!(!readings.take(&main, with_alert(), at(start, 60)), "once");
    assert_eq!(readings.of(&id("teams")).unwrap().shown.alerts[0].message, "half of it");
}

#[test]
fn a_thousand_busy_policies_change_ten_times_a_second_together() {
    let (readings, start, main) = (Readings::default(), Instant::now(), id("main"));
    let all = |cents| -> Vec<_> {
        let named = |n: u32| Budget { id: id(&format!("p{n}")), ..usd(cents) };
        (0..1_000).map(named).collect()
    };
    assert!(readings.take(&main, all(100), at(start, 0)));
    assert!(!readings.take(&main, all(200), at(start, 99)));
    assert!(readings.take(&main, all(200), at(start, 100)));
}

#[test]
fn what_pods_tell_is_the_same_in_whatever_order_they_are_asked() {
    let alert = |time: &str| ask::Alert {
        text: time.into(),
        limit: "usd".into(),
        subject: None,
        at_percent: Some(80),
        window_start: Some("w".into()),
        reset_at: None,
        time: time.into(),
    };
    let told = |subjects: &[(&str, u64)], time: &str| Budget {
        alerts: vec![alert(time)],
        ..budget(vec![limit("usd", Unit::NanoUsd, DOLLAR, subjects)])
    };
    let one = || vec![told(&[("a", 5), ("b", 5)], "09:00")];
    let other = || vec![told(&[("b", 7), ("c", 12), ("a", 7)], "09:01")];
    let (mut first, mut second) = (one(), other());
    ask::add(&mut first, other());
    ask::add(&mut second, one());
    let tops = [&first, &second].map(|sum| sum[0].limits[0].top.clone());
    assert_eq!(tops[0], tops[1]);
    let alerts = [&first, &second].map(|sum| alerts::of(&sum[0].alerts));
    assert_eq!(alerts[0], alerts[1]);
    assert_eq!((alerts[0].len(), alerts[0][0].at.as_str()), (1, "09:00"), "the oldest stays");
}

#[test]
fn what_pods_count_by_themselves_is_added() {
    let one = budget(vec![limit("usd", Unit::NanoUsd, DOLLAR, &[("team:red", 500), ("team:blue", 400)])]);
    let two = budget(vec![limit("usd", Unit::NanoUsd, DOLLAR, &[("team:blue", 300), ("team:green", 1)])]);
    let mut sum = vec![one];
    ask::add(&mut sum, vec![two]);
    let top: Vec<_> = sum[0].limits[0].top.iter().map(|it| (it.subject.as_str(), it.spent)).collect();
    assert_eq!(top, [("team:blue", 700), ("team:red", 500), ("team:green", 1)]);
    assert_eq!((sum[0].limits[0].spent, sum[0].limits[0].remaining), (700, DOLLAR - 700));
    let shared = |spent| {
        let limit = limit("usd", Unit::NanoUsd, DOLLAR, &[]);
        vec![budget(vec![Limit { spent, subjects: None, ..limit }])]
    };
    let mut sum = shared(5);
    ask::add(&mut sum, shared(6));
    assert_eq!(sum[0].limits[0].spent, 11);
}

/// A pod at `ip` that answers so.
async fn pod(pods: &mut JoinSet<()>, at: SocketAddr, answer: Value) -> SocketAddr {
    let listener = TcpListener::bind(at).await.unwrap();
    let at = listener.local_addr().unwrap();
    let routes = Router::new().route("/internal/budgets", get(async || Json(answer)));
    pods.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    at
}

fn answer(shared: bool, spent: u64) -> Value {
    json!({"shared": shared, "budgets": [{"id": {"namespace": "ai", "name": "teams"}, "uid": "u", "limits": [
        {"name": "usd", "unit": "nano_usd", "amount": DOLLAR, "spent": spent, "reserved": 0, "remaining": 0,
            "exceeded": 0, "top": []}]}]})
}

#[tokio::test]
async fn one_pod_is_enough_where_they_count_together_else_all_are_asked() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = crate::acknowledge::client().unwrap();
    let (mut pods, any) = (JoinSet::new(), SocketAddr::from(([127, 0, 0, 1], 0)));
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let lost = pod(&mut pods, any, json!({"error": "no"})).await;
    for (shared, sum) in [(true, 7), (false, 14)] {
        let one = pod(&mut pods, any, answer(shared, 7)).await;
        let two = pod(&mut pods, any, answer(shared, 7)).await;
        let told = told_by(&http, vec![nobody, lost, one, two]).await.unwrap();
        assert_eq!(told[0].limits[0].spent, sum);
    }
    assert!(told_by(&http, vec![nobody, lost]).await.is_none(), "the last numbers stay");
}

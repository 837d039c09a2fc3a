//! Who is counted where.

use config::{
    Budget, CalendarUnit, Enforcement, FailureMode, Limit, OnExceed, ReservationEstimate, Unit, Window,
};
use limits::AtLimit;

use super::*;

fn id(name: &str) -> ObjectName {
    let (namespace, name) = name.split_once('/').unwrap_or(("ai", name));
    ObjectName { namespace: namespace.into(), name: name.into() }
}

fn limit(name: &str) -> Limit {
    Limit {
        name: name.into(),
        unit: Unit::Requests,
        amount: 5,
        window: Window::Rolling { ms: 60_000 },
        on_exceed: OnExceed::Reject,
        soft: None,
        except: Vec::new(),
    }
}

fn target(kind: TargetKind, name: Option<&str>) -> Target {
    Target { kind, name: name.map(str::to_owned), namespace: None }
}

/// Has one limit, `rpm`.
fn budget(name: &str, targets: &[Target]) -> Budget {
    Budget {
        id: id(name),
        uid: format!("u-{name}"),
        targets: targets.to_vec(),
        per_target: true,
        limits: vec![limit("rpm")],
        enforcement: Enforcement::Enforce,
        failure_mode: FailureMode::Estimate,
        estimate: ReservationEstimate::MaxTokens,
        reservation_ttl_ms: 600_000,
        parent: None,
        alerts: Vec::new(),
        reset_at: None,
    }
}

fn keys(budgets: &[Budget], subjects: &Subjects<'_>) -> Vec<String> {
    let compiled = Budgets::compile(budgets).unwrap();
    compiled.charges(subjects).iter().map(|charge| charge.counter.key().as_str().to_owned()).collect()
}

const RED: Subjects<'static> = Subjects {
    stored_key: None,
    key: None,
    named: &[],
    team: Some("red"),
    user: Some("ann"),
    customer: None,
    model: Some("gpt"),
    tags: &[],
    via: None,
};

#[test]
fn each_subject_has_a_counter_of_its_own_or_all_share_one() {
    let key = id("blue/bot");
    let tags = ["batch".to_owned(), "night".to_owned()];
    let subjects = Subjects { key: Some(&key), customer: Some("c1"), tags: &tags, ..RED };
    let all = [
        TargetKind::Gateway,
        TargetKind::Namespace,
        TargetKind::Team,
        TargetKind::User,
        TargetKind::VirtualKey,
        TargetKind::Model,
        TargetKind::Tag,
        TargetKind::Customer,
    ];
    let mut one = budget("b", &all.map(|kind| target(kind, None)));
    let expected = [
        "u-b/rpm/0/gateway",
        "u-b/rpm/0/namespace:blue",
        "u-b/rpm/0/key:blue/bot",
        "u-b/rpm/0/team:red",
        "u-b/rpm/0/user:ann",
        "u-b/rpm/0/model:gpt",
        "u-b/rpm/0/customer:c1",
        "u-b/rpm/0/tag:batch",
        "u-b/rpm/0/tag:night",
    ];
    assert_eq!(keys(&[one.clone()], &subjects), expected);
    one.per_target = false;
    assert_eq!(keys(&[one.clone()], &subjects), ["u-b/rpm/0/all"], "once, though it matches nine times");
    let compiled = Budgets::compile(&[one]).unwrap();
    let counter = || Arc::clone(&compiled.charges(&subjects)[0].counter);
    assert!(Arc::ptr_eq(&counter(), &counter()), "a shared counter is made once");
}

#[test]
fn only_who_is_meant_is_counted() {
    let scoped = Target { namespace: Some("blue".into()), ..target(TargetKind::Team, Some("red")) };
    let budgets = [
        budget("other-team", &[target(TargetKind::Team, Some("blue"))]),
        budget("other-kind", &[target(TargetKind::User, Some("red"))]),
        budget("scoped", &[scoped]),
        budget("customers", &[target(TargetKind::Customer, None)]),
    ];
    assert_eq!(keys(&budgets, &RED), [""; 0]);
    let key = id("blue/bot");
    assert_eq!(keys(&budgets, &Subjects { key: Some(&key), ..RED }), ["u-scoped/rpm/0/team:red"]);
    let namesake = [budget(
        "b",
        &[Target { namespace: Some("ai".into()), ..target(TargetKind::VirtualKey, Some("bot")) }],
    )];
    assert_eq!(keys(&namesake, &Subjects { key: Some(&key), ..RED }), [""; 0], "a bot of another namespace");
}

#[test]
fn a_subject_that_is_matched_twice_counts_once() {
    let both = [target(TargetKind::Team, None), target(TargetKind::Team, Some("red"))];
    assert_eq!(keys(&[budget("b", &both)], &RED), ["u-b/rpm/0/team:red"]);
}

#[test]
fn a_limit_does_not_count_where_an_older_one_does() {
    let mut loser = budget("b", &[target(TargetKind::Team, Some("red")), target(TargetKind::User, None)]);
    loser.limits.push(limit("second"));
    loser.limits[0].except = vec![target(TargetKind::Team, Some("red"))];
    assert_eq!(
        keys(&[loser.clone()], &RED),
        ["u-b/second/0/team:red", "u-b/rpm/0/user:ann", "u-b/second/0/user:ann"]
    );
    loser.targets.push(target(TargetKind::Team, None));
    loser.limits.pop();
    assert_eq!(
        keys(&[loser], &RED),
        ["u-b/rpm/0/team:red", "u-b/rpm/0/user:ann"],
        "it counts for every team, so for red too"
    );
}

#[test]
fn budgets_above_count_what_comes_from_below() {
    let mut child = budget("a-child", &[target(TargetKind::User, None)]);
    child.parent = Some(id("middle"));
    let mut middle = budget("middle", &[]);
    middle.parent = Some(id("top"));
    let mut top = budget("top", &[target(TargetKind::Team, None)]);
    let chain = [child.clone(), middle.clone(), top.clone()];
    assert_eq!(
        keys(&chain, &RED),
        ["u-top/rpm/0/team:red", "u-a-child/rpm/0/user:ann", "u-middle/rpm/0/below"],
        "the top counts it as team red's, once"
    );
    let nobody = Subjects { team: None, ..RED };
    assert_eq!(keys(&chain, &nobody).last().map(String::as_str), Some("u-top/rpm/0/below"));
    top.per_target = false;
    assert_eq!(
        keys(&[child.clone(), middle, top], &nobody).last().map(String::as_str),
        Some("u-top/rpm/0/all")
    );
    let lone = Budgets::compile(&[child]).unwrap_err().to_string();
    assert_eq!(lone, "budget ai/a-child: its parent ai/middle is not in the config");
}

#[test]
fn a_key_that_names_a_budget_is_counted_there() {
    let (key, named) = (id("blue/bot"), [id("b"), id("gone")]);
    let subjects = Subjects { key: Some(&key), named: &named, ..RED };
    let mut shared = budget("b", &[]);
    assert_eq!(keys(&[shared.clone()], &subjects), ["u-b/rpm/0/key:blue/bot"]);
    shared.per_target = false;
    assert_eq!(keys(&[shared], &subjects), ["u-b/rpm/0/all"]);
}

#[test]
fn a_reset_begins_new_counters_but_not_of_what_is_under_way() {
    let mut reset = budget("b", &[target(TargetKind::Gateway, None)]);
    reset.limits.push(Limit { unit: Unit::Concurrency, window: Window::Forever, ..limit("slots") });
    reset.reset_at = Some(7);
    assert_eq!(keys(&[reset.clone()], &RED), ["u-b/rpm/7/gateway", "u-b/slots/0/gateway"]);
    reset.uid = String::new();
    assert_eq!(keys(&[reset], &RED)[0], "ai/b/rpm/7/gateway", "outside a cluster the name tells it apart");
}

#[test]
fn what_only_watches_refuses_nothing() {
    let at_limit = |change: fn(&mut Budget)| {
        let mut one = budget("b", &[target(TargetKind::Gateway, None)]);
        change(&mut one);
        Budgets::compile(&[one]).unwrap().charges(&RED)[0].counter.at_limit()
    };
    assert_eq!(at_limit(|_| {}), AtLimit::Refuse);
    assert_eq!(at_limit(|budget| budget.enforcement = Enforcement::Shadow), AtLimit::Count);
    assert_eq!(at_limit(|budget| budget.limits[0].on_exceed = OnExceed::Warn), AtLimit::Count);
    assert_eq!(at_limit(|budget| budget.limits[0].on_exceed = OnExceed::Throttle), AtLimit::Refuse);
}

#[test]
fn a_charge_says_what_its_budget_says() {
    let mut one = budget("b", &[target(TargetKind::Gateway, None)]);
    one.failure_mode = FailureMode::FailClosed;
    one.estimate = ReservationEstimate::Average;
    one.reservation_ttl_ms = 1_500;
    one.limits[0].soft = Some(4);
    one.limits[0].on_exceed = OnExceed::Fallback { model: "cheap".into() };
    let charges = Budgets::compile(&[one]).unwrap().charges(&RED);
    let rule = &charges[0].rule;
    assert_eq!((&rule.owner, rule.limit.as_str()), (&Owner::Object(id("b")), "rpm"));
    assert_eq!((rule.unit, rule.amount, rule.soft), (limits::Unit::Requests, 5, Some(4)));
    assert_eq!(rule.on_exceed, OnExceed::Fallback { model: "cheap".into() });
    assert!(!rule.is_shadow());
    assert_eq!(rule.counter(Subject::Below).when_away(), limits::WhenAway::FailClosed);
    assert_eq!(rule.estimate, ReservationEstimate::Average);
    assert_eq!(rule.ttl, std::time::Duration::from_millis(1_500));
}

#[test]
fn whatever_the_config_may_hold_runs_as_it_stands() {
    assert_eq!(config::MAX_AMOUNT, limits::MOST);
    let calendar =
        |every, start_day| Window::Calendar { every, time_zone: "Europe/Berlin".into(), start_day };
    let windows = [
        calendar(CalendarUnit::Minute, None),
        calendar(CalendarUnit::Hour, None),
        calendar(CalendarUnit::Day, None),
        calendar(CalendarUnit::Week, Some(7)),
        calendar(CalendarUnit::Month, Some(31)),
        calendar(CalendarUnit::Quarter, Some(31)),
        calendar(CalendarUnit::Year, Some(31)),
        Window::Rolling { ms: 1_000 },
        Window::Rolling { ms: 366 * 86_400_000 },
        Window::Forever,
    ];
    for window in windows {
        let mut one = budget("b", &[target(TargetKind::Gateway, None)]);
        one.limits[0].window = window.clone();
        one.limits[0].amount = config::MAX_AMOUNT;
        let charges = Budgets::compile(&[one]).unwrap().charges(&RED);
        assert_eq!(charges[0].counter.amount(), config::MAX_AMOUNT, "{window:?}");
    }
    let mut unknown = budget("b", &[]);
    unknown.limits[0].window =
        Window::Calendar { every: CalendarUnit::Day, time_zone: "Mars/Olympus".into(), start_day: None };
    let error = Budgets::compile(&[unknown]).unwrap_err().to_string();
    assert!(error.starts_with("budget ai/b: limit rpm: time zone Mars/Olympus is unknown"), "{error}");
}

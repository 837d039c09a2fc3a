//! BudgetPolicies: what they come to, what people are told, and that no fault of one part lifts the limits of another.

use config::{
    CalendarUnit, Enforcement, FailureMode, OnExceed, ReservationEstimate, TargetKind, Unit, Window,
};
use render::{Effect, Reason, Rendered};

use crate::support::{
    GATEWAY, MINUTE, after, budget, mock, object, policy, reasons, render, shared, target, the_finding, world,
};

#[test]
fn a_policy_with_nothing_but_a_limit_has_the_defaults() {
    let rendered =
        render(&world(&[GATEWAY, &policy("b", 1, &format!("targets: [{{kind: Team}}], {MINUTE}"))].concat()));
    assert_eq!(rendered.findings, []);
    let found = budget(&rendered, "b").unwrap();
    assert_eq!(found.uid, "uid-b");
    assert_eq!(found.targets, [target(TargetKind::Team, None, None)]);
    assert!(found.per_target);
    assert_eq!(found.enforcement, Enforcement::Enforce);
    assert_eq!(found.failure_mode, FailureMode::Estimate);
    assert_eq!(found.estimate, ReservationEstimate::MaxTokens);
    assert_eq!(found.reservation_ttl_ms, 600_000);
    assert_eq!((found.parent.as_ref(), found.alerts.len(), found.reset_at), (None, 0, None));
    let [limit] = &found.limits[..] else { panic!("{:?}", found.limits) };
    assert_eq!((limit.unit, limit.amount, &limit.on_exceed), (Unit::Requests, 60, &OnExceed::Reject));
    assert_eq!(limit.window, Window::Rolling { ms: 60_000 });
}

#[test]
fn amounts_and_windows_are_exact() {
    let limits = "limits: [
        {name: a, unit: USD, amount: '0.000000001', window: {calendar: Week, startDay: 1}},
        {name: b, unit: USD, amount: 9007199, soft: '9007198.99', window: {calendar: Quarter, timeZone: europe/berlin, startDay: 31}},
        {name: c, unit: Concurrency, amount: 5},
        {name: d, unit: InputTokens, amount: '9007199254740991', window: {rolling: 366d}}]";
    let yaml = [GATEWAY, &policy("b", 1, &format!("targets: [{{kind: Gateway}}], {limits}"))].concat();
    let rendered = render(&world(&yaml));
    assert_eq!(rendered.findings, []);
    let limits = &budget(&rendered, "b").unwrap().limits;
    let calendar = |every, time_zone: &str, start_day| Window::Calendar {
        every,
        time_zone: time_zone.into(),
        start_day,
    };
    let found: Vec<_> = limits.iter().map(|limit| (limit.amount, limit.soft, limit.window.clone())).collect();
    let expected = [
        (1, None, calendar(CalendarUnit::Week, "UTC", None)),
        (
            9_007_199_000_000_000,
            Some(9_007_198_990_000_000),
            calendar(CalendarUnit::Quarter, "Europe/Berlin", Some(31)),
        ),
        (5, None, Window::Forever),
        (config::MAX_AMOUNT, None, Window::Rolling { ms: 366 * 86_400_000 }),
    ];
    assert_eq!(found, expected);
}

/// Specs that make no sense, and what people are told.
fn impossible() -> Vec<(String, &'static str)> {
    let limit = |rest: &str| format!("limits: [{{name: x, unit: Requests, amount: 1, {rest}}}]");
    let window = |rest: &str| limit(&format!("window: {{{rest}}}"));
    vec![
        ("limits: []".to_owned(), "limits is empty"),
        (format!("alerts: [{{atPercent: 0}}], {MINUTE}"), "between 1 and 1000"),
        (format!("alerts: [{{atPercent: 80, event: false}}], {MINUTE}"), "tells nobody"),
        (format!("reservation: {{ttl: 25h}}, {MINUTE}"), "between 1s and 24h"),
        (limit("onExceed: Warn"), "window is missing"),
        (window(""), "calendar or rolling"),
        (window("calendar: Day, rolling: 1m"), "one of the two"),
        (window("rolling: 367d"), "between 1s and 366d"),
        (window("rolling: 1h, timeZone: UTC"), "go with calendar"),
        (window("calendar: Day, startDay: 1"), "startDay 1 is not possible"),
        (window("calendar: Week, startDay: 8"), "startDay 8 is not possible"),
        (window("calendar: Day, timeZone: Europe/Nowhere"), "write it as Europe/Vienna"),
        (limit("window: {rolling: 1m}, onExceed: Fallback"), "needs a fallbackModel"),
        (limit("window: {rolling: 1m}, fallbackModel: gpt"), "leave it out"),
        (limit("window: {rolling: 1m}, soft: 1"), "soft is not below amount 1"),
        ("limits: [{name: X, unit: Concurrency, amount: 1}]".into(), "no name of a limit"),
        (
            "limits: [{name: x, unit: Concurrency, amount: 1, window: {rolling: 1m}}]".into(),
            "leave window out",
        ),
        (
            "limits: [{name: x, unit: Tokens, amount: '1.5', window: {rolling: 1m}}]".into(),
            "amount 1.5 is not a whole number",
        ),
        ("limits: [{name: x, unit: USD, amount: 9007200, window: {rolling: 1m}}]".into(), "at most 9007199"),
        ("limits: [{name: x, unit: USD, amount: '-1', window: {rolling: 1m}}]".into(), "such as \"0.50\""),
        (
            "limits: [{name: x, unit: Concurrency, amount: 1}, {name: x, unit: Concurrency, amount: 2}]"
                .into(),
            "two limits",
        ),
        (format!("targets: [{{kind: Gateway, name: main}}], {MINUTE}"), "leave name and selector out"),
        (format!("targets: [{{kind: Team, selector: {{matchLabels: {{a: b}}}}}}], {MINUTE}"), "write a name"),
        (format!("targets: [{{kind: Model, selector: {{matchLabels: {{}}}}}}], {MINUTE}"), "empty selector"),
        (format!("targets: [{{kind: Team, name: a, namespace: b}}], {MINUTE}"), "goes with kind VirtualKey"),
    ]
}

#[test]
fn what_cannot_be_is_named_and_the_version_before_holds() {
    let good = format!("targets: [{{kind: Team, name: red}}], {MINUTE}");
    let before = render(&world(&[GATEWAY, &policy("b", 1, &good)].concat()));
    for (spec, said) in impossible() {
        let yaml = [GATEWAY, &policy("b", 1, &spec)].concat();
        let edited = render(&after(&before, world(&yaml)));
        assert_eq!(reasons(&edited, "b"), [(Reason::InvalidSpec, Effect::LastGoodServes)], "{spec}");
        let message = &the_finding(&edited, "b").message;
        assert!(message.contains(said), "{spec}: {message}");
        assert_eq!(edited.gateways, before.gateways, "{spec}: what held goes on holding");
        let fresh = render(&world(&yaml));
        assert_eq!(reasons(&fresh, "b"), [(Reason::InvalidSpec, Effect::NotServed)], "{spec}");
        assert_eq!(budget(&fresh, "b"), None);
    }
}

#[test]
fn targets_are_looked_up_where_objects_have_them_and_taken_by_name_where_none_do() {
    let labelled = mock("gpt", "aliases: [best]").replace("metadata: {", "metadata: {labels: {tier: gold}, ");
    let namespaces = "kind: Namespace\nmetadata: {name: blue, labels: {llm: 'yes'}}\n---\n\
        kind: Namespace\nmetadata: {name: red, labels: {llm: 'yes'}}\n---\nkind: Namespace\nmetadata: {name: grey}\n---\n";
    let targets = "targets: [{kind: Model, name: best}, {kind: Model, selector: {matchLabels: {tier: gold}}},
        {kind: Namespace, selector: {matchLabels: {llm: 'yes'}}}, {kind: User, name: ann}, {kind: Tag},
        {kind: VirtualKey, name: bot}, {kind: VirtualKey, namespace: blue}, {kind: Customer}]";
    let yaml = [namespaces, GATEWAY, &labelled, &policy("b", 1, &format!("{targets}, {MINUTE}"))].concat();
    let rendered = render(&world(&yaml));
    let absent = "no request can match VirtualKey ai/bot: it is not there, or does not open the gateway";
    assert_eq!(the_finding(&rendered, "b").message, absent, "it counts once it is there");
    let expected = [
        target(TargetKind::Namespace, Some("blue"), None),
        target(TargetKind::Namespace, Some("red"), None),
        target(TargetKind::User, Some("ann"), None),
        target(TargetKind::VirtualKey, None, Some("blue")),
        target(TargetKind::VirtualKey, Some("bot"), Some("ai")),
        target(TargetKind::Model, Some("gpt"), None),
        target(TargetKind::Tag, None, None),
        target(TargetKind::Customer, None, None),
    ];
    assert_eq!(budget(&rendered, "b").unwrap().targets, expected, "sorted, each once");
}

#[test]
fn a_tenants_policy_counts_its_own_keys_only() {
    let spec = |target: &str| policy("team/b", 1, &format!("targets: [{target}], {MINUTE}"));
    for (written, expected) in [
        ("{kind: Gateway}", target(TargetKind::Gateway, None, Some("team"))),
        ("{kind: Namespace}", target(TargetKind::Namespace, Some("team"), Some("team"))),
        ("{kind: User, name: ann}", target(TargetKind::User, Some("ann"), Some("team"))),
        ("{kind: VirtualKey}", target(TargetKind::VirtualKey, None, Some("team"))),
    ] {
        let rendered = render(&world(&[shared(), spec(written)].concat()));
        assert_eq!(rendered.findings, [], "{written}");
        assert_eq!(budget(&rendered, "team/b").unwrap().targets, [expected], "{written}");
    }
    for foreign in ["{kind: Namespace, name: other}", "{kind: VirtualKey, name: bot, namespace: other}"] {
        let rendered = render(&world(&[shared(), spec(foreign)].concat()));
        assert_eq!(reasons(&rendered, "team/b"), [(Reason::NoMatchingTarget, Effect::Partly)], "{foreign}");
        let message = &the_finding(&rendered, "team/b").message;
        assert!(message.contains("that namespace's keys only"), "{message}");
        assert_eq!(budget(&rendered, "team/b").unwrap().targets, [], "{foreign}");
    }
}

#[test]
fn a_namespace_attaches_where_the_gateway_lets_it() {
    let yaml = [GATEWAY, &policy("team/b", 1, &format!("targets: [{{kind: Gateway}}], {MINUTE}"))].concat();
    let rendered = render(&world(&yaml));
    assert_eq!(reasons(&rendered, "team/b"), [(Reason::GatewayNotFound, Effect::NotServed)]);
    assert_eq!(budget(&rendered, "team/b"), None);
}

#[test]
fn a_target_that_matches_nothing_is_named_and_the_others_count() {
    let spec = format!("targets: [{{kind: Model, name: gone}}, {{kind: Team, name: red}}], {MINUTE}");
    let rendered = render(&world(&[GATEWAY, &policy("b", 1, &spec)].concat()));
    assert_eq!(reasons(&rendered, "b"), [(Reason::NoMatchingTarget, Effect::Served)]);
    assert!(the_finding(&rendered, "b").message.contains("Model gone"));
    assert_eq!(budget(&rendered, "b").unwrap().targets, [target(TargetKind::Team, Some("red"), None)]);

    let nothing = format!("targets: [{{kind: Model, selector: {{matchLabels: {{a: b}}}}}}], {MINUTE}");
    let rendered = render(&world(&[GATEWAY, &policy("b", 1, &nothing)].concat()));
    assert_eq!(reasons(&rendered, "b"), [(Reason::NoMatchingTarget, Effect::Partly)]);
    assert!(the_finding(&rendered, "b").message.contains("Model a=b"));

    let rendered = render(&world(&[GATEWAY, &policy("b", 1, MINUTE)].concat()));
    assert_eq!(reasons(&rendered, "b"), [(Reason::NoMatchingTarget, Effect::Partly)], "nobody names it");
}

#[test]
fn without_a_view_of_namespaces_a_selector_says_what_it_needs() {
    let spec = format!("targets: [{{kind: Namespace, selector: {{matchLabels: {{a: b}}}}}}], {MINUTE}");
    let mut manifests = world(&[GATEWAY, &policy("b", 1, &spec)].concat());
    manifests.namespaces = None;
    let rendered = render(&manifests);
    assert!(the_finding(&rendered, "b").message.contains("cluster scope"));
}

#[test]
fn a_fallback_model_is_found_by_any_name_and_without_one_the_limit_refuses() {
    let spec = "targets: [{kind: Team}], limits: [{name: x, unit: Requests, amount: 1, window: {rolling: 1m}, onExceed: Fallback, fallbackModel: cheap}]";
    let found = render(&world(&[GATEWAY, &mock("mini", "aliases: [cheap]"), &policy("b", 1, spec)].concat()));
    assert_eq!(found.findings, []);
    let on_exceed = |rendered: &Rendered| budget(rendered, "b").unwrap().limits[0].on_exceed.clone();
    assert_eq!(on_exceed(&found), OnExceed::Fallback { model: "mini".into() });

    let gone = render(&after(&found, world(&[GATEWAY, &policy("b", 1, spec)].concat())));
    assert_eq!(reasons(&gone, "b"), [(Reason::ModelNotFound, Effect::Partly)]);
    assert_eq!(on_exceed(&gone), OnExceed::Reject);
    let broken = policy("b", 1, "targets: [{kind: Team}], limits: []");
    let kept = render(&after(&found, world(&[GATEWAY, &broken].concat())));
    assert_eq!(on_exceed(&kept), OnExceed::Reject, "the version before is looked at anew too");
}

#[test]
fn a_webhook_is_a_credential_and_a_missing_one_lifts_no_limit() {
    let secret = "kind: Secret\nmetadata: {name: hook, namespace: ai, resourceVersion: '7'}\nstringData: {url: 'https://hooks.example.com/T0', bad: 'ftp://x'}\n---\n";
    let spec = |key: &str| {
        format!(
            "targets: [{{kind: Team}}], alerts: [{{atPercent: 100}}, {{atPercent: 80, webhookSecretRef: {{name: hook, key: {key}}}}}], {MINUTE}"
        )
    };
    let good = render(&world(&[secret, GATEWAY, &policy("b", 1, &spec("url"))].concat()));
    assert_eq!(good.findings, []);
    let gateway = &good.gateways[&object("main")];
    assert_eq!(gateway.credentials.keys().collect::<Vec<_>>(), ["credential-bpol.ai.b.alert-80-7"]);
    let alerts = &budget(&good, "b").unwrap().alerts;
    assert_eq!(alerts.iter().map(|alert| alert.at_percent).collect::<Vec<_>>(), [80, 100]);
    let text = serde_json::to_string(&gateway.config).unwrap();
    assert!(!text.contains("hooks.example.com"), "the address is a secret: {text}");

    for (yaml, reason) in [
        (spec("url"), Reason::SecretNotFound),
        (spec("bad"), Reason::SecretUnusable),
        (spec("none"), Reason::SecretKeyMissing),
    ] {
        let parts = if reason == Reason::SecretNotFound { "" } else { secret };
        let manifests = || world(&[parts, GATEWAY, &policy("b", 1, &yaml)].concat());
        let kept = render(&after(&good, manifests()));
        assert_eq!(reasons(&kept, "b"), [(reason, Effect::Partly)]);
        assert_eq!(kept.gateways, good.gateways, "{reason:?}: the address before is used");
        let fresh = render(&manifests());
        assert_eq!(budget(&fresh, "b").unwrap().alerts[0].webhook, None, "{reason:?}");
        assert_eq!(budget(&fresh, "b").unwrap().limits.len(), 1, "{reason:?}: the limit holds");
    }
}

#[test]
fn a_reset_stays_as_it_was_last_asked_for() {
    let spec = format!("targets: [{{kind: Team}}], {MINUTE}");
    let asked = |time: &str| {
        policy("b", 1, &spec).replace(
            "metadata: {",
            &format!("metadata: {{annotations: {{fairlead.dev/reset-requested-at: '{time}'}}, "),
        )
    };
    let first = render(&world(&[GATEWAY, &asked("2026-11-01T12:00:00Z")].concat()));
    assert_eq!(budget(&first, "b").unwrap().reset_at, Some(1_793_534_400));
    assert_eq!(
        render::reset_time("2026-11-01T13:00:00+01:00"),
        Some(1_793_534_400),
        "one instant, two texts"
    );
    for (yaml, expected) in
        [(policy("b", 1, &spec), vec![]), (asked("now"), vec![(Reason::InvalidAnnotation, Effect::Served)])]
    {
        let later = render(&after(&first, world(&[GATEWAY, &yaml].concat())));
        assert_eq!(budget(&later, "b").unwrap().reset_at, Some(1_793_534_400), "what was forgotten stays so");
        assert_eq!(reasons(&later, "b"), expected);
    }
    let successor = policy("b", 1, &spec).replace("uid-b", "uid-c");
    let later = render(&after(&first, world(&[GATEWAY, &successor].concat())));
    assert_eq!(budget(&later, "b").unwrap().reset_at, None, "a successor begins at nothing anyway");
}

#[test]
fn the_gateways_failure_mode_holds_where_a_policy_has_none() {
    let gateway = GATEWAY.replace("spec: {}", "spec: {budgets: {failureMode: FailClosed}}");
    let plain = policy("plain", 1, &format!("targets: [{{kind: Team}}], {MINUTE}"));
    let own = policy("own", 2, &format!("targets: [{{kind: User}}], failureMode: FailOpen, {MINUTE}"));
    let rendered = render(&world(&[gateway, plain, own].concat()));
    assert_eq!(budget(&rendered, "plain").unwrap().failure_mode, FailureMode::FailClosed);
    assert_eq!(budget(&rendered, "own").unwrap().failure_mode, FailureMode::FailOpen);
}

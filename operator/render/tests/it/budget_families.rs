//! Policies of one gateway beside and above each other: conflicts and parents.

use config::TargetKind;
use render::{Effect, Reason};

use crate::support::{
    GATEWAY, MINUTE, after, budget, object, policy, reasons, render, shared, target, the_finding, world,
};

#[test]
fn of_two_that_limit_one_subject_the_older_holds_and_the_other_keeps_the_rest() {
    let both = "limits: [{name: rpm, unit: Requests, amount: 5, window: {rolling: 1m}},
        {name: tpm, unit: Tokens, amount: 5, window: {rolling: 1m}}]";
    let old = policy("z-old", 1, &format!("targets: [{{kind: Team, name: red}}], {MINUTE}"));
    let new = policy(
        "a-new",
        2,
        &format!("targets: [{{kind: Team, name: red}}, {{kind: Team, name: blue}}], {both}"),
    );
    let rendered = render(&world(&[GATEWAY, &new, &old].concat()));
    assert_eq!(reasons(&rendered, "z-old"), []);
    assert_eq!(reasons(&rendered, "a-new"), [(Reason::ConflictingPolicy, Effect::Partly)]);
    let message = &the_finding(&rendered, "a-new").message;
    assert!(message.contains("limit rpm of Team red: BudgetPolicy z-old is older"), "{message}");
    let loser = budget(&rendered, "a-new").unwrap();
    let red = target(TargetKind::Team, Some("red"), None);
    assert_eq!(loser.limits[0].except, [red], "team blue is limited, and red by the older");
    assert_eq!(loser.limits[1].except, [], "another limit is no conflict");
    assert_eq!(budget(&rendered, "z-old").unwrap().limits[0].except, []);

    let gone = render(&after(&rendered, world(&[GATEWAY, &new].concat())));
    assert_eq!(budget(&gone, "a-new").unwrap().limits[0].except, [], "without the older one it holds whole");
}

#[test]
fn what_differs_in_unit_window_shadow_or_owner_is_no_conflict() {
    let old = policy(
        "old",
        1,
        &format!("targets: [{{kind: Gateway}}, {{kind: VirtualKey, name: bot, namespace: team}}], {MINUTE}"),
    );
    for (name, spec) in [
        ("ai/unit", "targets: [{kind: Gateway}], limits: [{name: rpm, unit: Tokens, amount: 60, window: {rolling: 1m}}]".to_owned()),
        ("ai/window", "targets: [{kind: Gateway}], limits: [{name: rpm, unit: Requests, amount: 60, window: {rolling: 2m}}]".into()),
        ("ai/shadow", format!("targets: [{{kind: Gateway}}], enforcement: Shadow, {MINUTE}")),
        ("ai/other", format!("targets: [{{kind: Team}}], {MINUTE}")),
        ("team/owner", format!("targets: [{{kind: VirtualKey, name: bot}}], {MINUTE}")),
    ] {
        let rendered = render(&world(&[shared(), old.clone(), policy(name, 2, &spec)].concat()));
        let conflicts = rendered.findings.iter().filter(|one| one.reason == Reason::ConflictingPolicy);
        assert_eq!(conflicts.count(), 0, "{name}");
    }
}

#[test]
fn a_parent_is_in_the_config_or_its_child_holds_alone() {
    let child = |parent: &str| {
        policy("child", 2, &format!("targets: [{{kind: User}}], parentRef: {{name: {parent}}}, {MINUTE}"))
    };
    let above = policy("above", 1, MINUTE);
    let linked = render(&world(&[GATEWAY, &above, &child("above")].concat()));
    assert_eq!(linked.findings, [], "a parent needs no targets");
    assert_eq!(budget(&linked, "child").unwrap().parent, Some(object("above")));

    let lone = render(&after(&linked, world(&[GATEWAY, &child("above")].concat())));
    assert_eq!(reasons(&lone, "child"), [(Reason::ParentNotFound, Effect::Partly)]);
    assert_eq!(budget(&lone, "child").unwrap().parent, None);

    let elsewhere = policy("team/above", 1, MINUTE);
    let lone = render(&world(&[shared(), elsewhere, child("above")].concat()));
    assert_eq!(reasons(&lone, "child"), [(Reason::ParentNotFound, Effect::Partly)]);
}

#[test]
fn a_suspended_parent_makes_way_for_its_own() {
    let yaml = [
        GATEWAY,
        &policy("top", 1, MINUTE),
        &policy("middle", 1, &format!("suspend: true, parentRef: {{name: top}}, {MINUTE}")),
        &policy("child", 2, &format!("targets: [{{kind: User}}], parentRef: {{name: middle}}, {MINUTE}")),
    ]
    .concat();
    let rendered = render(&world(&yaml));
    assert_eq!(budget(&rendered, "child").unwrap().parent, Some(object("top")));
    assert_eq!(budget(&rendered, "middle"), None);
    assert_eq!(reasons(&rendered, "middle"), [(Reason::Suspended, Effect::NotServed)]);
    assert_eq!(reasons(&rendered, "top"), []);
}

#[test]
fn parents_in_a_circle_are_cut_and_all_limits_hold() {
    let link = |name: &str, parent: &str| {
        policy(
            name,
            1,
            &format!("targets: [{{kind: User, name: {name}}}], parentRef: {{name: {parent}}}, {MINUTE}"),
        )
    };
    let yaml = [GATEWAY, &link("a", "b"), &link("b", "c"), &link("c", "b"), &link("own", "own")].concat();
    let rendered = render(&world(&yaml));
    for name in ["b", "c", "own"] {
        assert_eq!(reasons(&rendered, name), [(Reason::InvalidParent, Effect::Partly)], "{name}");
        assert_eq!(budget(&rendered, name).unwrap().parent, None, "{name}");
    }
    assert!(the_finding(&rendered, "b").message.contains("b -> c -> b"));
    assert_eq!(budget(&rendered, "a").unwrap().parent, Some(object("b")), "outside of the circle");

    let chain: Vec<_> = (0..10).map(|n| link(&format!("p{n}"), &format!("p{}", n + 1))).collect();
    let top = policy("p10", 1, MINUTE);
    let rendered = render(&world(&[GATEWAY, &chain.concat(), &top].concat()));
    for (n, sound) in [(0, false), (1, false), (2, true), (9, true)] {
        assert_eq!(budget(&rendered, &format!("p{n}")).unwrap().parent.is_some(), sound, "p{n}");
    }
    assert!(the_finding(&rendered, "p0").message.contains("more than 8"));
}

#[test]
fn a_limit_above_the_parents_is_told_and_served() {
    let yaml = [
        GATEWAY,
        &policy("above", 1, "limits: [{name: team, unit: Requests, amount: 59, window: {rolling: 1m}}]"),
        &policy("child", 2, &format!("targets: [{{kind: User}}], parentRef: {{name: above}}, {MINUTE}")),
    ]
    .concat();
    let rendered = render(&world(&yaml));
    assert_eq!(reasons(&rendered, "child"), [(Reason::AboveParent, Effect::Served)]);
    assert!(
        the_finding(&rendered, "child").message.contains("limit rpm is above limit team of its parent above")
    );
}

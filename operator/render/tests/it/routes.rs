//! ModelRoutes: names that they share with models, targets, conditions, and what becomes of a broken one.

use config::{SessionAffinity, Strategy};
use render::{Effect, Kind, ObjectRef, Reason, Rendered};

use crate::support::{
    GATEWAY, after, mock, object, reasons, render, route, routed, served, shared, the_finding, world,
};

const TWO: &str = "targets: [{name: a, model: m}, {name: b, model: latest, weight: 3, priority: 1}]";
const ONE: &str = "targets: [{name: a, model: m}]";

fn models() -> String {
    [mock("m", ""), mock("n", "aliases: [latest]")].concat()
}

fn targets(rendered: &Rendered, name: &str) -> Vec<(String, String)> {
    let route = routed(rendered, name).unwrap_or_else(|| panic!("{:?}", rendered.findings));
    route.targets.iter().map(|target| (target.name.clone(), target.model.clone())).collect()
}

#[test]
fn a_route_names_models_by_name_or_alias_and_inherits_field_by_field() {
    let gateway = GATEWAY.replace(
        "spec: {}",
        "spec: {routing: {strategy: LeastBusy, sessionAffinity: None, retries: {attempts: 7}, cooldown: {duration: 9s}}}",
    );
    let spec = format!("aliases: [z, y], {TWO}, strategy: LowestCost, retries: {{backoff: 2s}}");
    let rendered = render(&world(&[gateway, models(), route("smart", 1, &spec)].concat()));
    assert_eq!(rendered.findings, []);
    let route = routed(&rendered, "smart").unwrap();
    assert_eq!((route.name.as_str(), route.uid.as_str()), ("smart", "uid-smart"));
    assert_eq!(route.aliases, ["y", "z"]);
    assert_eq!(targets(&rendered, "smart"), [("a".into(), "m".into()), ("b".into(), "n".into())]);
    assert_eq!((route.targets[0].weight, route.targets[0].priority), (1, 0));
    assert_eq!((route.targets[1].weight, route.targets[1].priority), (3, 1));
    let routing = route.routing;
    assert_eq!((routing.strategy, routing.session_affinity), (Strategy::LowestCost, SessionAffinity::Off));
    assert_eq!((routing.retries.attempts, routing.retries.backoff_ms), (7, 2_000));
    assert_eq!((routing.retries.max_backoff_ms, routing.cooldown.duration_ms), (2_000, 9_000));
    let of_gateway = rendered.gateways[&object("main")].config.settings.routing;
    assert_eq!((of_gateway.strategy, of_gateway.retries.backoff_ms), (Strategy::LeastBusy, 250));
    let attached = &rendered.attached[&ObjectRef { kind: Kind::ModelRoute, name: object("smart") }];
    assert_eq!(*attached, object("main"));
}

#[test]
fn who_came_first_owns_a_name_be_it_a_routes_or_a_models() {
    let born = |yaml: String, second: u8| {
        yaml.replace(
            "metadata: {",
            &format!("metadata: {{creationTimestamp: '2026-11-01T12:00:{second:02}Z', "),
        )
    };
    let deployment = |second| born(mock("d", "modelName: x, aliases: [y]"), second);
    for (taken, name, reason) in [
        ("modelName: x", "", Reason::ModelNameTaken),
        ("modelName: y", "", Reason::ModelNameTaken),
        ("modelName: z", "aliases: [x], ", Reason::AliasTaken),
        ("modelName: z", "aliases: [y], ", Reason::AliasTaken),
    ] {
        let spec = format!("{taken}, {name}{ONE}");
        let late = render(&world(&[GATEWAY, &models(), &route("r", 9, &spec), &deployment(5)].concat()));
        assert_eq!(reasons(&late, "r"), [(reason, Effect::NotServed)], "{spec}");
        assert!(routed(&late, "r").is_none() && served(&late, "d").is_some(), "{spec}");

        let early = render(&world(&[GATEWAY, &models(), &route("r", 1, &spec), &deployment(5)].concat()));
        assert_eq!(reasons(&early, "r"), [], "{spec}");
        let lost = if spec.contains("modelName: x") || spec.contains("[x]") {
            Reason::ModelNameTaken
        } else {
            Reason::AliasTaken
        };
        assert_eq!(reasons(&early, "d"), [(lost, Effect::NotServed)], "{spec}");
    }
    let same = format!("modelName: x, {ONE}");
    let two = [GATEWAY, &models(), &route("r2", 2, &same), &route("r1", 1, &same)].concat();
    let rendered = render(&world(&two));
    assert_eq!(reasons(&rendered, "r2"), [(Reason::ModelNameTaken, Effect::NotServed)]);
    assert!(routed(&rendered, "r1").is_some(), "routes do not share a name, as deployments do");
}

#[test]
fn of_one_second_who_serves_keeps_the_name() {
    let (a, z) =
        (route("a", 1, &format!("modelName: x, {ONE}")), route("z", 1, &format!("modelName: x, {ONE}")));
    let alone = render(&world(&[GATEWAY, &models(), &z].concat()));
    let rendered = render(&after(&alone, world(&[GATEWAY, &models(), &a, &z].concat())));
    assert!(routed(&rendered, "z").is_some());
    assert_eq!(reasons(&rendered, "a"), [(Reason::ModelNameTaken, Effect::NotServed)]);
}

#[test]
fn targets_that_exist_serve_and_without_any_the_route_does_not() {
    let some = "targets: [{name: a, model: gone}, {name: b, model: m}]";
    let rendered = render(&world(&[GATEWAY, &models(), &route("r", 1, some)].concat()));
    assert_eq!(reasons(&rendered, "r"), [(Reason::ModelNotFound, Effect::Partly)]);
    let message = &the_finding(&rendered, "r").message;
    assert!(message.starts_with("targets[a].model: no model gone is served by the gateway"), "{message}");
    assert!(message.contains("create a ModelDeployment of that name, or name another"), "{message}");
    assert_eq!(targets(&rendered, "r"), [("b".into(), "m".into())]);

    let none = "targets: [{name: a, model: gone}]";
    let rendered = render(&after(&rendered, world(&[GATEWAY, &models(), &route("r", 1, none)].concat())));
    assert_eq!(reasons(&rendered, "r"), [(Reason::ModelNotFound, Effect::NotServed)]);
    assert!(routed(&rendered, "r").is_none());

    let suspended = [GATEWAY, &mock("m", "suspend: true"), &route("r", 1, ONE)].concat();
    assert_eq!(reasons(&render(&world(&suspended)), "r"), [(Reason::ModelNotFound, Effect::NotServed)]);
}

#[test]
fn a_target_is_a_model_never_a_route() {
    let yaml = [
        GATEWAY,
        &models(),
        &route("inner", 1, ONE),
        &route("outer", 2, "targets: [{name: a, model: inner}, {name: b, model: m}]"),
    ]
    .concat();
    let rendered = render(&world(&yaml));
    assert_eq!(reasons(&rendered, "outer"), [(Reason::ModelNotFound, Effect::Partly)]);
    assert!(the_finding(&rendered, "outer").message.contains("inner is a route: name a model"));
    assert_eq!(targets(&rendered, "outer"), [("b".into(), "m".into())]);
}

#[test]
fn models_of_other_namespaces_are_targets_where_the_gateway_groups_across_them() {
    let foreign = mock("other/theirs", "");
    let both = "targets: [{name: a, model: theirs}, {name: b, model: mine}]";
    let world_of = |gateway: &str, foreign: &str| {
        let yaml = [gateway, foreign, &mock("team/mine", ""), &route("team/r", 1, both)].concat();
        render(&world(&yaml))
    };
    let refused = world_of(&shared(), &foreign);
    assert_eq!(reasons(&refused, "team/r"), [(Reason::RefNotPermitted, Effect::Partly)]);
    assert_eq!(targets(&refused, "team/r"), [("b".into(), "mine".into())]);
    let absent = world_of(&shared(), "");
    assert_eq!(
        the_finding(&refused, "team/r").message,
        the_finding(&absent, "team/r").message,
        "else one could probe for names in another namespace"
    );
    let theirs = route("other/theirs", 1, "targets: [{name: a, model: gone}]");
    let a_route = world_of(&shared(), &theirs);
    assert_eq!(the_finding(&refused, "team/r"), the_finding(&a_route, "team/r"));

    let grouped = shared().replace("All}", "All}, groupAcrossNamespaces: true");
    let permitted = world_of(&grouped, &foreign);
    assert_eq!(permitted.findings, []);
    assert_eq!(targets(&permitted, "team/r").len(), 2);
    assert_eq!(reasons(&world_of(&grouped, ""), "team/r"), [(Reason::ModelNotFound, Effect::Partly)]);

    let withdrawn = [shared(), foreign, mock("team/mine", ""), route("team/r", 1, both)].concat();
    let withdrawn = render(&after(&permitted, world(&withdrawn)));
    assert_eq!(targets(&withdrawn, "team/r").len(), 1, "withdrawn consent is meant");
}

#[test]
fn a_route_attaches_as_deployments_do() {
    let rendered = render(&world(&[GATEWAY, &models(), &route("team/r", 1, ONE)].concat()));
    assert_eq!(reasons(&rendered, "team/r"), [(Reason::GatewayNotFound, Effect::NotServed)]);
    assert!(the_finding(&rendered, "team/r").message.contains("set its models.namespaces"));
}

#[test]
fn a_condition_that_is_none_is_told_with_the_facts() {
    let with = |when: &str| {
        let spec = format!("targets: [{{name: a, model: m, when: \"{when}\"}}, {{name: b, model: m}}]");
        render(&world(&[GATEWAY, &models(), &route("r", 1, &spec)].concat()))
    };
    let sound = with("tokens > 100000 && 'gold' in tags");
    assert_eq!(sound.findings, []);
    let when = routed(&sound, "r").unwrap().targets[0].when.as_deref();
    assert_eq!(when, Some("tokens > 100000 && 'gold' in tags"));
    for (when, says) in [
        ("tokens >", "targets[a].when is no CEL expression: line 1, column 9: Syntax error: "),
        (
            "token > 5",
            "targets[a].when speaks of token, which is no fact of a request: the facts are model, tags,",
        ),
        ("tokens", "targets[a].when is a number, not true or false"),
        ("now() == 1", "targets[a].when calls now, which conditions cannot"),
    ] {
        let rendered = with(when);
        assert_eq!(reasons(&rendered, "r"), [(Reason::InvalidCondition, Effect::NotServed)], "{when}");
        let message = &the_finding(&rendered, "r").message;
        assert!(message.starts_with(says), "{message}");
        assert!(Reason::InvalidCondition.is_final(), "only an edit helps");
    }
    let message = the_finding(&with("tokens >"), "r").message.clone();
    assert!(message.ends_with("customer, key, team, user, language"), "{message}");
}

#[test]
fn a_broken_edit_leaves_the_version_before_serving() {
    let before = render(&world(&[GATEWAY, &models(), &route("r", 1, TWO)].concat()));
    for (broken, reason) in [
        ("targets: [{name: a, model: m, when: 'token > 1'}]", Reason::InvalidCondition),
        ("targets: [{name: a, model: m, weight: -1}]", Reason::InvalidSpec),
        ("targets: [{name: a, model: m, priority: 32}]", Reason::InvalidSpec),
        ("targets: [{name: a, model: m}, {name: a, model: n}]", Reason::InvalidSpec),
        ("targets: []", Reason::InvalidSpec),
        ("targets: [{name: a, model: 'm *'}]", Reason::InvalidSpec),
        ("targets: [{name: a, model: m}], retries: {attempts: -1}", Reason::InvalidSpec),
        ("targets: [{name: a, model: m}], retries: {backoff: 9s}", Reason::InvalidSpec),
        ("targets: [{name: a, model: m}], cooldown: {maxDuration: 25h}", Reason::InvalidSpec),
        ("targets: [{name: a, model: m}], fallbacks: {onError: [a, b, c, d, e, f]}", Reason::InvalidSpec),
        ("targets: [{name: a, model: m}], fallbacks: {onError: ['*']}", Reason::InvalidSpec),
    ] {
        let yaml = [GATEWAY, &models(), &route("r", 1, broken)].concat();
        let edit = render(&after(&before, world(&yaml)));
        assert_eq!(edit.gateways, before.gateways, "{broken}: nothing may change for clients");
        assert_eq!(reasons(&edit, "r"), [(reason, Effect::LastGoodServes)], "{broken}");
        let new = render(&world(&yaml));
        assert_eq!(reasons(&new, "r"), [(reason, Effect::NotServed)], "{broken}");
        let successor = yaml.replace("uid-r", "uid-two");
        let successor = render(&after(&before, world(&successor)));
        assert!(routed(&successor, "r").is_none(), "{broken}: a successor does not inherit");
    }
    let broken = route("r", 1, "targets: [{name: a, model: m, weight: -1}]");
    let without = render(&after(&before, world(&[GATEWAY, &broken].concat())));
    assert_eq!(reasons(&without, "r"), [(Reason::InvalidSpec, Effect::NotServed)], "its models are gone too");
}

#[test]
fn a_suspended_route_keeps_its_name() {
    let yaml = [
        GATEWAY,
        &models(),
        &route("r", 1, &format!("modelName: x, suspend: true, {ONE}")),
        &route("s", 2, &format!("modelName: x, {ONE}")),
    ]
    .concat();
    let rendered = render(&world(&yaml));
    assert_eq!(reasons(&rendered, "r"), [(Reason::Suspended, Effect::NotServed)]);
    assert_eq!(reasons(&rendered, "s"), [(Reason::ModelNameTaken, Effect::NotServed)]);
    assert!(rendered.gateways[&object("main")].config.routes.is_empty());
}

#[test]
fn what_a_duration_is_above_may_be_inherited_and_is_told() {
    let spec = format!("{ONE}, cooldown: {{duration: 10m}}");
    let rendered = render(&world(&[GATEWAY, &models(), &route("r", 1, &spec)].concat()));
    let message = &the_finding(&rendered, "r").message;
    assert_eq!(
        message,
        "cooldown.duration is 600000ms, above maxDuration, which is 300000ms, written or inherited: set both"
    );
}

#[test]
fn a_deployments_capacity_is_above_nothing() {
    let rendered = render(&world(&[GATEWAY, &mock("m", "capacity: {tokensPerMinute: 5}")].concat()));
    let capacity = served(&rendered, "m").unwrap().capacity;
    assert_eq!((capacity.requests_per_minute, capacity.tokens_per_minute), (None, Some(5)));
    let rendered = render(&world(&[GATEWAY, &mock("m", "capacity: {requestsPerMinute: 0}")].concat()));
    assert_eq!(reasons(&rendered, "m"), [(Reason::InvalidSpec, Effect::NotServed)]);
}

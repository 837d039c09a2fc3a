//! Fallbacks of routes, of models and of all of a gateway: who is named, and that nobody falls back to himself.

use config::Fallbacks;
use render::{Effect, Reason, Rendered};

use crate::support::{
    GATEWAY, after, mock, object, reasons, render, route, routed, shared, the_finding, world,
};

/// A gateway with these lines in `routing`, born before every route of these tests.
fn gateway(routing: &str) -> String {
    GATEWAY
        .replace("spec: {}", &format!("spec: {{routing: {{{routing}}}}}"))
        .replace("metadata: {", "metadata: {creationTimestamp: '2026-11-01T12:00:00Z', ")
}

fn models() -> String {
    [mock("m", ""), mock("n", "aliases: [latest]"), mock("o", "")].concat()
}

/// A route to model `o`.
fn falls(name: &str, born: u8, fallbacks: &str) -> String {
    route(name, born, &format!("targets: [{{name: a, model: o}}], fallbacks: {{{fallbacks}}}"))
}

fn of_model<'a>(rendered: &'a Rendered, name: &str) -> &'a Fallbacks {
    let config = &rendered.gateways[&object("main")].config;
    &config.models.iter().find(|model| model.name == name).unwrap().fallbacks
}

fn of_route<'a>(rendered: &'a Rendered, name: &str) -> &'a Fallbacks {
    &routed(rendered, name).unwrap_or_else(|| panic!("{:?}", rendered.findings)).fallbacks
}

#[test]
fn fallbacks_are_models_and_routes_by_name_or_alias_each_once() {
    let yaml = [
        gateway("fallbacks: [latest, r], models: [{model: latest, fallbacks: {onBudget: [m, nick, m]}}]"),
        models(),
        falls("r", 1, "onError: [latest, n, m], onContextWindow: [s], onRateLimit: [nick]"),
        route("s", 2, "aliases: [nick], targets: [{name: a, model: m}]"),
    ]
    .concat();
    let rendered = render(&world(&yaml));
    assert_eq!(rendered.findings, []);
    assert_eq!(of_route(&rendered, "r").on_error, ["n", "m"]);
    assert_eq!(of_route(&rendered, "r").on_context_window, ["s"]);
    assert_eq!(of_route(&rendered, "r").on_rate_limit, ["s"]);
    assert_eq!(of_model(&rendered, "n").on_budget, ["m", "s"]);
    assert!(of_model(&rendered, "m").is_empty());
    assert_eq!(rendered.gateways[&object("main")].config.settings.default_fallbacks, ["n", "r"]);
}

#[test]
fn one_that_does_not_exist_is_left_out_and_told() {
    let yaml = [
        gateway(
            "fallbacks: [gone, m], models: [{model: m, fallbacks: {onError: [lost, n]}}, {model: nobody}]",
        ),
        models(),
        falls("r", 1, "onError: [gone, m], onBudget: [off]"),
        route("off", 1, "suspend: true, targets: [{name: a, model: m}]"),
    ]
    .concat();
    let rendered = render(&world(&yaml));
    let message = |name: &str| -> Vec<String> {
        let own = rendered.findings.iter().filter(|one| one.object.name == object(name));
        own.map(|finding| finding.message.clone()).collect()
    };
    let tail = "is served by the gateway: create a ModelDeployment of that name, or name another";
    assert_eq!(
        message("r"),
        [
            format!("fallbacks.onBudget: no model or route off {tail}"),
            format!("fallbacks.onError: no model or route gone {tail}"),
        ]
    );
    assert_eq!(reasons(&rendered, "r"), [(Reason::ModelNotFound, Effect::Partly); 2]);
    assert_eq!(
        message("main"),
        [
            format!("routing.fallbacks: no model or route gone {tail}"),
            format!("routing.models[m].fallbacks.onError: no model or route lost {tail}"),
            format!("routing.models[nobody].model: no model nobody {tail}"),
        ]
    );
    assert_eq!(reasons(&rendered, "main"), [(Reason::ModelNotFound, Effect::Partly); 3]);
    assert_eq!(of_route(&rendered, "r").on_error, ["m"]);
    assert_eq!(of_model(&rendered, "m").on_error, ["n"]);
}

#[test]
fn the_newest_in_a_loop_is_refused_in_whatever_order_they_come() {
    let routes =
        [falls("z", 1, "onError: [y]"), falls("y", 2, "onBudget: [nick]"), falls("x", 3, "onRateLimit: [z]")];
    let nick = |yaml: &String| yaml.replace("fallbacks: {onRate", "aliases: [nick], fallbacks: {onRate");
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let routes: String = order.iter().map(|at| nick(&routes[*at])).collect();
        let rendered = render(&world(&[gateway(""), models(), routes].concat()));
        assert_eq!(reasons(&rendered, "x"), [(Reason::FallbackLoop, Effect::NotServed)]);
        let message = &the_finding(&rendered, "x").message;
        assert_eq!(
            message,
            "fallbacks lead back to where they begin: x -> z -> y -> x: take one of them out"
        );
        assert_eq!(reasons(&rendered, "y"), [(Reason::ModelNotFound, Effect::Partly)], "x is not served");
        assert!(routed(&rendered, "z").is_some() && routed(&rendered, "y").is_some());
        assert!(of_route(&rendered, "y").is_empty());
    }
}

#[test]
fn a_route_or_model_does_not_fall_back_to_itself() {
    let yaml = [
        gateway("models: [{model: n, fallbacks: {onError: [latest]}}]"),
        models(),
        falls("r", 1, "onError: [r]"),
    ]
    .concat();
    let rendered = render(&world(&yaml));
    assert_eq!(reasons(&rendered, "r"), [(Reason::FallbackLoop, Effect::NotServed)]);
    assert_eq!(reasons(&rendered, "main"), [(Reason::FallbackLoop, Effect::Partly)]);
    let message = &the_finding(&rendered, "main").message;
    assert!(
        message.starts_with("routing.models[n]: fallbacks lead back to where they begin: n -> n"),
        "{message}"
    );
    assert!(of_model(&rendered, "n").is_empty());
}

#[test]
fn loops_over_models_and_routes_together_are_found() {
    let routes = [falls("r", 2, "onError: [m]"), falls("s", 1, "onError: [r]")].concat();
    let own = "models: [{model: m, fallbacks: {onBudget: [s]}}]";
    let rendered = render(&world(&[gateway(own), models(), routes.clone()].concat()));
    assert_eq!(reasons(&rendered, "r"), [(Reason::FallbackLoop, Effect::NotServed)], "the newest");
    assert!(the_finding(&rendered, "r").message.contains("r -> m -> s -> r"));
    assert_eq!(of_model(&rendered, "m").on_budget, ["s"]);

    let late = gateway(own).replace("12:00:00Z", "12:00:09Z");
    let rendered = render(&world(&[late, models(), routes].concat()));
    assert_eq!(reasons(&rendered, "main"), [(Reason::FallbackLoop, Effect::Partly)]);
    assert!(the_finding(&rendered, "main").message.contains("m -> s -> r -> m"));
    assert!(of_model(&rendered, "m").is_empty());
    assert_eq!(of_route(&rendered, "s").on_error, ["r"]);
}

#[test]
fn an_edit_that_closes_a_loop_leaves_the_version_before_serving() {
    let base = [gateway(""), models(), falls("old", 1, "onError: [new]")].concat();
    let before = render(&world(&[&base, &falls("new", 2, "onError: [m]")].map(String::as_str).concat()));
    assert_eq!(before.findings, []);
    let edited = [&base, &falls("new", 2, "onError: [n, old]")].map(String::as_str).concat();
    let edit = render(&after(&before, world(&edited)));
    assert_eq!(reasons(&edit, "new"), [(Reason::FallbackLoop, Effect::LastGoodServes)]);
    assert_eq!(edit.gateways, before.gateways, "nothing changes for clients");
    let again = render(&after(&edit, world(&edited)));
    assert_eq!(again, edit, "a second look changes nothing");
}

#[test]
fn default_fallbacks_are_everybodys_and_close_no_loop() {
    let yaml = [gateway("fallbacks: [m, r]"), models(), falls("r", 1, "onError: [m]")].concat();
    assert_eq!(render(&world(&yaml)).findings, []);
}

#[test]
fn fallbacks_in_other_namespaces_need_the_consent_that_targets_need() {
    let spec = "targets: [{name: a, model: mine}], fallbacks: {onError: [theirs, mine]}";
    let world_of = |gateway: &str, theirs: &str| {
        render(&world(&[gateway, theirs, &mock("team/mine", ""), &route("team/r", 1, spec)].concat()))
    };
    let refused = world_of(&shared(), &mock("other/theirs", ""));
    assert_eq!(reasons(&refused, "team/r"), [(Reason::RefNotPermitted, Effect::Partly)]);
    assert_eq!(the_finding(&refused, "team/r"), the_finding(&world_of(&shared(), ""), "team/r"));
    let grouped = shared().replace("All}", "All}, groupAcrossNamespaces: true");
    assert_eq!(world_of(&grouped, &mock("other/theirs", "")).findings, []);
    let owners = shared().replace("All}}", "All}}, routing: {fallbacks: [theirs]}");
    assert_eq!(
        reasons(&world_of(&owners, &mock("other/theirs", "")), "main"),
        [],
        "it is the owner's gateway"
    );
}

#[test]
fn a_gateway_whose_edit_breaks_keeps_its_fallbacks() {
    let sound = "fallbacks: [n], models: [{model: m, fallbacks: {onError: [o]}}]";
    let before = render(&world(&[gateway(sound), models()].concat()));
    assert_eq!(before.findings, []);
    for broken in [
        "fallbacks: [n, '*']",
        "fallbacks: [a, b, c, d, e, f]",
        "models: [{model: m, fallbacks: {onError: ['']}}]",
        "retries: {backoff: 1h}",
        "cooldown: {failurePercent: 101}",
    ] {
        let yaml = [gateway(broken), models()].concat();
        let edit = render(&after(&before, world(&yaml)));
        assert_eq!(reasons(&edit, "main"), [(Reason::InvalidSpec, Effect::LastGoodServes)], "{broken}");
        assert!(the_finding(&edit, "main").message.starts_with("routing."), "{broken}");
        assert_eq!(edit.gateways, before.gateways, "{broken}");
    }
    let twice = "models: [{model: n, fallbacks: {onError: [m]}}, {model: latest, fallbacks: {onError: [o]}}]";
    let rendered = render(&world(&[gateway(twice), models()].concat()));
    assert_eq!(reasons(&rendered, "main"), [(Reason::InvalidSpec, Effect::Partly)]);
    assert_eq!(of_model(&rendered, "n").on_error, ["m"], "the first of two entries");
}

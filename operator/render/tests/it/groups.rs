//! Who owns a model name.

use render::{Effect, Reason};

use crate::support::{GATEWAY, after, mock, object, reasons, render, served, world};

const OPEN_GATEWAY: &str = "
kind: ModelGateway
metadata: {name: main, namespace: ai}
spec: {models: {namespaces: {from: All}}}
---
";

fn born(yaml: &str, at: &str) -> String {
    yaml.replace("metadata: {", &format!("metadata: {{creationTimestamp: '{at}', "))
}

#[test]
fn deployments_of_one_model_name_form_a_group() {
    let yaml = [GATEWAY, &mock("a", "modelName: m"), &mock("b", "modelName: m, weight: 3")].concat();
    let rendered = render(&world(&yaml));
    let models = &rendered.gateways[&object("main")].config.models;
    assert_eq!(models.len(), 1);
    let members: Vec<_> = models[0].deployments.iter().map(|d| (d.id.name.as_str(), d.weight)).collect();
    assert_eq!(members, [("a", 1), ("b", 3)]);
    assert_eq!(rendered.findings, []);
}

#[test]
fn the_namespace_that_came_first_owns_the_name() {
    let early = born(&mock("team-b/x", "modelName: m"), "2026-01-01T00:00:00Z");
    let late = born(&mock("team-a/y", "modelName: m"), "2026-02-01T00:00:00Z");
    for yaml in [[OPEN_GATEWAY, &early, &late].concat(), [OPEN_GATEWAY, &late, &early].concat()] {
        let rendered = render(&world(&yaml));
        assert!(served(&rendered, "team-b/x").is_some());
        assert_eq!(reasons(&rendered, "team-a/y"), [(Reason::ModelNameTaken, Effect::NotServed)]);
    }
}

#[test]
fn of_two_of_one_second_who_serves_already_keeps_the_name() {
    let friend = born(&mock("team-b/x", "modelName: m"), "2026-01-01T00:00:00Z");
    let thief = born(&mock("team-a/y", "modelName: m"), "2026-01-01T00:00:00Z");
    let both = world(&[OPEN_GATEWAY, &friend, &thief].concat());
    let alone = render(&world(&[OPEN_GATEWAY, &friend].concat()));
    let rendered = render(&after(&alone, both.clone()));
    assert!(served(&rendered, "team-b/x").is_some());
    assert_eq!(reasons(&rendered, "team-a/y"), [(Reason::ModelNameTaken, Effect::NotServed)]);
    assert!(served(&render(&both), "team-a/y").is_some(), "where nobody serves, the order of names decides");
}

#[test]
fn a_suspended_deployment_keeps_its_name() {
    let early = born(&mock("team-b/x", "modelName: m, suspend: true"), "2026-01-01T00:00:00Z");
    let late = born(&mock("team-a/y", "modelName: m"), "2026-02-01T00:00:00Z");
    let rendered = render(&world(&[OPEN_GATEWAY, &early, &late].concat()));
    assert_eq!(reasons(&rendered, "team-a/y"), [(Reason::ModelNameTaken, Effect::NotServed)]);
    assert_eq!(reasons(&rendered, "team-b/x"), [(Reason::Suspended, Effect::NotServed)]);
}

#[test]
fn namespaces_share_a_name_where_the_gateway_says_so() {
    let gateway = OPEN_GATEWAY.replace("All}", "All}, groupAcrossNamespaces: true");
    let yaml = [gateway, mock("team-a/x", "modelName: m"), mock("team-b/y", "modelName: m")].concat();
    let rendered = render(&world(&yaml));
    assert_eq!(rendered.gateways[&object("main")].config.models[0].deployments.len(), 2);
}

#[test]
fn an_alias_cannot_take_a_name_nor_a_name_an_alias() {
    let first = born(&mock("first", "modelName: m, aliases: [latest]"), "2026-01-01T00:00:00Z");
    let name = born(&mock("name", "modelName: latest"), "2026-02-01T00:00:00Z");
    let alias = born(&mock("alias", "modelName: n, aliases: [m]"), "2026-03-01T00:00:00Z");
    let rendered = render(&world(&[GATEWAY, &first, &name, &alias].concat()));
    assert!(served(&rendered, "first").is_some());
    assert_eq!(reasons(&rendered, "name"), [(Reason::ModelNameTaken, Effect::NotServed)]);
    assert_eq!(reasons(&rendered, "alias"), [(Reason::AliasTaken, Effect::NotServed)]);
}

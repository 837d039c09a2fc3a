//! Whatever people write, in whatever order it arrives: the same bytes, and no harm to the sound.

use proptest::prelude::*;

use crate::support::{GATEWAY, after, mock, object, policy, render, route, served, world};

fn any_spec() -> impl Strategy<Value = String> {
    let name = prop_oneof!["[a-c]", Just(String::new()), Just("a b".to_owned())];
    (name, -2i64..40, proptest::collection::vec("[a-d]", 0..3), any::<bool>()).prop_map(
        |(model, number, aliases, suspend)| {
            format!(
                "modelName: '{model}', priority: {number}, aliases: [{}], suspend: {suspend}",
                aliases.join(", ")
            )
        },
    )
}

proptest! {
    #[test]
    fn order_does_not_matter_and_the_sound_is_served(
        specs in proptest::collection::vec(any_spec(), 0..12),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut manifests = world(GATEWAY);
        for (n, spec) in specs.iter().enumerate() {
            manifests.deployments.extend(world(&mock(&format!("d{n}"), spec)).deployments);
        }
        let sound = world(&mock("sound", "modelName: sound"));
        manifests.deployments.extend(sound.deployments);
        let rendered = render(&manifests);
        prop_assert!(served(&rendered, "sound").is_some());

        let cut = seed.index(manifests.deployments.len());
        manifests.deployments.rotate_left(cut);
        let again = render(&manifests);
        prop_assert_eq!(&again, &rendered);
        for gateway in again.gateways.values() {
            let names: Vec<_> = gateway.config.models.iter()
                .flat_map(|model| model.aliases.iter().chain([&model.name])).collect();
            let unique: std::collections::BTreeSet<_> = names.iter().collect();
            prop_assert_eq!(unique.len(), names.len(), "a public name stands for one model");
        }
    }
}

fn any_policy() -> impl Strategy<Value = (String, u8)> {
    let target = prop_oneof![
        Just("{kind: Team}"),
        Just("{kind: Model, name: m}"),
        Just("{kind: Model, name: gone}"),
        Just("{kind: Gateway, name: no}"),
    ];
    let limit = prop_oneof![
        Just("{name: a, unit: Requests, amount: 1, window: {rolling: 1m}}"),
        Just(
            "{name: a, unit: Requests, amount: 1, window: {rolling: 1m}, onExceed: Fallback, fallbackModel: best}"
        ),
        Just(
            "{name: a, unit: Requests, amount: 1, window: {rolling: 1m}, onExceed: Fallback, fallbackModel: gone}"
        ),
        Just("{name: a, unit: USD, amount: 'x', window: {rolling: 1m}}"),
    ];
    let parent = proptest::option::of(0..12_usize);
    (target, limit, parent, any::<bool>(), 0..3_u8).prop_map(|(target, limit, parent, suspend, born)| {
        let parent = parent.map(|n| format!("parentRef: {{name: p{n}}}, ")).unwrap_or_default();
        (format!("targets: [{target}], {parent}suspend: {suspend}, limits: [{limit}]"), born)
    })
}

proptest! {
    #[test]
    fn whatever_policies_say_of_each_other_the_gateway_can_follow_it(
        specs in proptest::collection::vec(any_policy(), 1..12),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut manifests = world(&[GATEWAY, &mock("m", "aliases: [best]")].concat());
        for (n, (spec, born)) in specs.iter().enumerate() {
            manifests.budget_policies.extend(world(&policy(&format!("p{n}"), *born, spec)).budget_policies);
        }
        let rendered = render(&manifests);
        let cut = seed.index(manifests.budget_policies.len());
        manifests.budget_policies.rotate_left(cut);
        prop_assert_eq!(&render(&manifests), &rendered);
        let again = render(&after(&rendered, manifests));
        prop_assert_eq!(&again.gateways, &rendered.gateways, "a second look changes nothing");

        let budgets = &rendered.gateways[&object("main")].config.budgets;
        for budget in budgets {
            let mut above = Some(budget);
            for _ in 0..=8 {
                let Some(parent) = above.and_then(|budget| budget.parent.as_ref()) else { above = None; break };
                above = budgets.iter().find(|budget| budget.id == *parent);
                prop_assert!(above.is_some(), "{} is in the config", parent);
            }
            prop_assert!(above.is_none(), "parents of {} end", budget.id);
            for limit in &budget.limits {
                if let config::OnExceed::Fallback { model } = &limit.on_exceed {
                    prop_assert_eq!(model, "m", "a model that is served");
                }
            }
        }
        for target in budgets.iter().flat_map(|budget| &budget.targets) {
            let counting = budgets.iter().filter(|budget| {
                budget.targets.contains(target) && budget.limits.iter().any(|limit| !limit.except.contains(target))
            });
            prop_assert_eq!(counting.count(), 1, "one limit a for each subject, never none");
        }
    }
}

fn any_route() -> impl Strategy<Value = (String, u8)> {
    let name = "[a-f]";
    let names = proptest::collection::vec("[a-f]|m|best|gone", 0..3);
    let when = prop_oneof![Just(""), Just(", when: 'tokens > 5'"), Just(", when: 'token > 5'")];
    let lists = (names.clone(), names, any::<bool>());
    (name, "[a-f]|m|best|gone", when, lists, 0..3_u8).prop_map(
        |(name, model, when, (error, budget, suspend), born)| {
            let spec = format!(
                "modelName: {name}, targets: [{{name: t, model: {model}{when}}}, {{name: u, model: m}}], \
                 suspend: {suspend}, fallbacks: {{onError: [{}], onBudget: [{}]}}",
                error.join(", "),
                budget.join(", ")
            );
            (spec, born)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_routes_say_of_each_other_every_name_is_served_and_no_fallback_leads_back(
        specs in proptest::collection::vec(any_route(), 1..10),
        edits in proptest::collection::vec(any_route(), 1..10),
        own in proptest::collection::vec("[a-f]|m|n|best", 0..3),
        seed in any::<prop::sample::Index>(),
    ) {
        let routing = format!(
            "spec: {{routing: {{fallbacks: [{0}], models: [{{model: n, fallbacks: {{onError: [{0}]}}}}]}}}}",
            own.join(", ")
        );
        let base = [&GATEWAY.replace("spec: {}", &routing), &mock("m", "aliases: [best]"), &mock("n", "")];
        let with = |specs: &[(String, u8)]| {
            let mut manifests = world(&base.map(String::as_str).concat());
            for (n, (spec, born)) in specs.iter().enumerate() {
                manifests.routes.extend(world(&route(&format!("r{n}"), *born, spec)).routes);
            }
            manifests
        };
        let first = render(&with(&specs));
        let mut manifests = after(&first, with(&edits));
        let rendered = render(&manifests);
        let cut = seed.index(manifests.routes.len());
        manifests.routes.rotate_left(cut);
        prop_assert_eq!(&render(&manifests), &rendered);
        for rendered in [first, rendered] {
            let config = &rendered.gateways[&object("main")].config;
            let models: Vec<&str> = config.models.iter().map(|model| model.name.as_str()).collect();
            let mut next: std::collections::BTreeMap<&str, Vec<&String>> = config.models.iter()
                .map(|model| (model.name.as_str(), model.fallbacks.all().collect())).collect();
            for route in &config.routes {
                prop_assert!(!route.targets.is_empty());
                prop_assert!(route.targets.iter().all(|target| models.contains(&target.model.as_str())));
                let twice = next.insert(route.name.as_str(), route.fallbacks.all().collect());
                prop_assert!(twice.is_none(), "{} stands for one thing", route.name);
            }
            for name in config.settings.default_fallbacks.iter().chain(next.values().flatten().copied()) {
                prop_assert!(next.contains_key(name.as_str()), "{} is served", name);
            }
            // Who has no fallbacks but to those who have none is safe: in the end all are.
            while let Some(safe) = next.iter().find(|(_, to)| to.is_empty()).map(|(name, _)| *name) {
                next.remove(safe);
                next.values_mut().for_each(|to| to.retain(|name| name.as_str() != safe));
            }
            prop_assert!(next.is_empty(), "a loop among {:?}", next);
        }
    }
}

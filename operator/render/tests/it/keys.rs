//! VirtualKeys: what they are compared with, who may have them, and what becomes of broken ones.

use config::{Access, Key, KeyHash, ObjectName};
use proptest::prelude::*;
use render::{Effect, Manifests, Order, Reason, Rendered};

use crate::support::{GATEWAY, after, object, reasons, render, world};

const ONE: &str = "sk-Zk3vQ0pB7nXw5LrT9-_a1Q";
const TWO: &str = "sk-9fT2mKq8RzYw4UcE0-_b2R";

/// A Secret `name` that holds `key`, with these annotations.
fn secret(name: &str, key: &str, annotations: &str) -> String {
    format!(
        "
kind: Secret
metadata: {{name: {name}, namespace: ai, annotations: {{{annotations}}}}}
stringData: {{apiKey: '{key}'}}
---
"
    )
}

/// A VirtualKey with the lines of `spec`.
fn key(name: &str, spec: &str) -> String {
    let ObjectName { namespace, name } = object(name);
    format!(
        "
kind: VirtualKey
apiVersion: fairlead.dev/v1alpha1
metadata: {{name: {name}, namespace: {namespace}, uid: u, creationTimestamp: '2026-11-25T00:00:00Z'}}
spec: {{gatewayRef: {{name: main, namespace: ai}}, {spec}}}
---
"
    )
}

/// A BudgetPolicy that counts those who name it.
fn policy(name: &str) -> String {
    format!(
        "
kind: BudgetPolicy
apiVersion: fairlead.dev/v1alpha1
metadata: {{name: {name}, namespace: ai, uid: b}}
spec:
  gatewayRef: {{name: main, namespace: ai}}
  limits: [{{name: rpm, unit: Requests, amount: 60, window: {{rolling: 1m}}}}]
---
"
    )
}

/// A VirtualKey whose Secret was made.
fn made(name: &str, material: &str, spec: &str) -> String {
    [secret(&format!("{name}-key"), material, &format!("for: {name} u")), key(name, spec)].concat()
}

fn keys(rendered: &Rendered) -> &[Key] {
    rendered.gateways.get(&object("main")).map_or(&[], |gateway| &gateway.config.keys)
}

fn with(parts: &[&str]) -> Manifests {
    world(&[&[GATEWAY], parts].concat().concat())
}

#[test]
fn a_key_is_known_by_its_digest_and_nothing_else_of_it_leaves() {
    let imported = "importFrom: {secretKeyRef: {name: theirs, key: apiKey}}";
    let rendered = render(&with(&[&made("a", ONE, ""), &secret("theirs", TWO, ""), &key("b", imported)]));
    assert_eq!(rendered.findings, []);
    let hashes: Vec<_> = keys(&rendered).iter().map(|key| (&key.id, key.hashes.as_slice())).collect();
    let [one, two] = [ONE, TWO].map(|material| [KeyHash::of(material.as_bytes())]);
    assert_eq!(hashes, [(&object("a"), &one[..]), (&object("b"), &two[..])]);
    assert!(!format!("{rendered:?}").contains("sk-"), "{rendered:?}");
    let order = Order {
        secret: object("a-key"),
        key: "apiKey".into(),
        base_url: None,
        retain: false,
        rotation: None,
    };
    assert_eq!(rendered.keys[&object("a")].order, Some(order));
    assert_eq!(rendered.keys[&object("b")].order, None, "nobody makes a Secret for an imported one");
}

#[test]
fn the_old_key_and_the_next_one_open_it_too() {
    let mut manifests = with(&[&secret("a-key", ONE, &format!("for: a u, before: {TWO} 99")), &key("a", "")]);
    let next = KeyHash::of(b"next");
    manifests.next_keys.insert(object("a"), next.clone());
    let rendered = render(&manifests);
    let mut expected =
        vec![KeyHash::of(ONE.as_bytes()), KeyHash { until: Some(99), ..KeyHash::of(TWO.as_bytes()) }, next];
    expected.sort();
    assert_eq!(keys(&rendered)[0].hashes, expected);
}

#[test]
fn what_is_noted_on_a_secret_and_is_no_digest_does_not_reach_the_config() {
    let current = KeyHash::of(ONE.as_bytes());
    for noted in
        ["".to_owned(), "zz".repeat(32), current.sha256.to_uppercase(), format!("{}0", current.sha256)]
    {
        let mut manifests = with(&[&made("a", ONE, "")]);
        let secret = manifests.secrets.get_mut(&object("a-key")).unwrap();
        secret.issue.as_mut().unwrap().previous = Some(KeyHash { sha256: noted, until: Some(99) });
        assert_eq!(keys(&render(&manifests))[0].hashes, std::slice::from_ref(&current));
    }
}

#[test]
fn the_next_key_is_no_longer_another_once_the_secret_holds_it() {
    let mut manifests = with(&[&made("a", ONE, "")]);
    manifests.next_keys.insert(object("a"), KeyHash::of(ONE.as_bytes()));
    assert_eq!(keys(&render(&manifests))[0].hashes, [KeyHash::of(ONE.as_bytes())]);
}

#[test]
fn what_it_may_do_is_sorted_and_complete() {
    let spec = "displayName: CI, team: red, user: ann, models: {allow: [b, a, b], deny: [c]}, \
                budgetRefs: [{name: z}, {name: y}], limits: {requestsPerMinute: 1, tokensPerMinute: 2, \
                maxConcurrent: 3}, ttl: 24h, suspend: true, metadata: {app: ci}";
    let policies = ["y", "z"].map(policy).concat();
    let rendered = render(&with(&[&policies, &made("a", ONE, spec)]));
    assert_eq!(rendered.findings, [], "a suspended key is known to the gateway, which refuses it");
    let [key] = keys(&rendered) else { panic!("{rendered:?}") };
    assert_eq!(key.models, Access { allow: vec!["a".into(), "b".into()], deny: vec!["c".into()] });
    assert_eq!(key.budgets, [object("y"), object("z")]);
    let midnight = 1_795_564_800;
    assert_eq!((key.expires_at, key.suspended), (Some(midnight + 24 * 3600), true));
    assert_eq!(rendered.keys[&object("a")].expires_at, key.expires_at);
    assert_eq!(key.limits.tokens_per_minute, Some(2));
}

#[test]
fn a_budget_that_is_not_there_is_told_and_the_key_works_without_it() {
    let spec = "budgetRefs: [{name: gone}, {name: y}, {name: lifted}]";
    let lifted = policy("lifted").replace("spec:", "spec:\n  suspend: true");
    let rendered = render(&with(&[&policy("y"), &lifted, &made("a", ONE, spec)]));
    assert_eq!(reasons(&rendered, "a"), [(Reason::BudgetNotFound, Effect::Partly)]);
    assert_eq!(keys(&rendered)[0].budgets, [object("y")], "what limits nothing is not in the config");
    assert_eq!(reasons(&rendered, "y"), [], "a key names it, so it needs no targets");
}

#[test]
fn policies_choose_keys_by_label_and_are_told_of_those_that_are_not_there() {
    let gold = made("a", ONE, "").replace("uid: u,", "uid: u, labels: {tier: gold},");
    let named = |target: &str| policy("y").replace("  limits:", &format!("  targets: [{target}]\n  limits:"));
    for (target, found, reason) in [
        ("{kind: VirtualKey, selector: {matchLabels: {tier: gold}}}", vec!["a"], None),
        ("{kind: VirtualKey, namespace: ai, selector: {matchLabels: {tier: gold}}}", vec!["a"], None),
        (
            "{kind: VirtualKey, selector: {matchLabels: {tier: tin}}}",
            vec![],
            Some((Reason::NoMatchingTarget, Effect::Partly)),
        ),
        ("{kind: VirtualKey, name: gone}", vec!["gone"], Some((Reason::NoMatchingTarget, Effect::Served))),
        ("{kind: VirtualKey, name: b}", vec!["b"], None),
    ] {
        let rendered = render(&with(&[&gold, &made("b", TWO, ""), &named(target)]));
        let targets = &rendered.gateways[&object("main")].config.budgets[0].targets;
        let names: Vec<_> = targets.iter().filter_map(|target| target.name.as_deref()).collect();
        assert_eq!(names, found, "{target}");
        assert_eq!(reasons(&rendered, "y"), Vec::from_iter(reason), "{target}");
    }
}

#[test]
fn a_broken_key_is_told_what_is_wrong() {
    let import = "importFrom: {secretKeyRef: {name: a-key, key: apiKey}}";
    for (material, spec, reason) in [
        (ONE, "ttl: 1d", Reason::InvalidSpec),
        (ONE, "ttl: 1h, expiresAt: '2027-01-01T00:00:00Z'", Reason::InvalidSpec),
        (ONE, "team: 'two words'", Reason::InvalidSpec),
        (ONE, "models: {allow: ['']}", Reason::InvalidSpec),
        (ONE, "limits: {requestsPerMinute: 0}", Reason::InvalidSpec),
        (ONE, "rotation: {interval: 1h, overlap: 1h}", Reason::InvalidSpec),
        (ONE, "rotation: {interval: 5s, overlap: 1s}", Reason::InvalidSpec),
        (ONE, "secret: {extraData: {baseURL: true}}", Reason::InvalidSpec),
        (ONE, &format!("{import}, rotation: {{interval: 24h}}"), Reason::InvalidSpec),
        (ONE, "importFrom: {secretKeyRef: {name: gone, key: apiKey}}", Reason::SecretNotFound),
        (ONE, "importFrom: {secretKeyRef: {name: a-key, key: gone}}", Reason::SecretKeyMissing),
        ("sk-1234", import, Reason::WeakKey),
        ("sk-tooShortToHide", import, Reason::WeakKey),
        ("ghp_Zk3vQ0pB7nXw5LrT9-_a1Q", import, Reason::WeakKey),
        ("two words", import, Reason::SecretUnusable),
    ] {
        let rendered = render(&with(&[&made("a", material, spec)]));
        assert_eq!(reasons(&rendered, "a"), [(reason, Effect::NotServed)], "{material} {spec}");
        assert_eq!(keys(&rendered), []);
        assert!(!rendered.findings[0].message.contains(material), "{:?}", rendered.findings);
    }
}

#[test]
fn a_broken_edit_leaves_the_key_as_it_was_but_a_suspension_always_counts() {
    let before = render(&with(&[&made("a", ONE, "team: red")]));
    let edit = render(&after(&before, with(&[&made("a", ONE, "team: red, ttl: soon")])));
    assert_eq!(edit.gateways, before.gateways);
    assert_eq!(reasons(&edit, "a"), [(Reason::InvalidSpec, Effect::LastGoodServes)]);
    let suspended = render(&after(&before, with(&[&made("a", ONE, "ttl: soon, suspend: true")])));
    assert!(keys(&suspended)[0].suspended);
    let successor = made("a", ONE, "ttl: soon").replace("uid: u", "uid: other");
    assert_eq!(keys(&render(&after(&before, with(&[&successor])))), [], "of another object");
}

#[test]
fn a_key_whose_secret_is_deleted_is_refused_until_it_is_made_anew() {
    let before = render(&with(&[&made("a", ONE, "")]));
    let gone = render(&after(&before, with(&[&key("a", "")])));
    assert_eq!(reasons(&gone, "a"), [(Reason::KeyNotIssued, Effect::NotServed)]);
    assert_eq!(keys(&gone), []);
    assert!(gone.keys[&object("a")].order.is_some());
    assert!(!Reason::KeyNotIssued.is_fault(), "`fairlead check` must not complain");
}

#[test]
fn a_key_that_is_being_deleted_is_refused_at_once() {
    let mut manifests = with(&[&made("a", ONE, "")]);
    let before = render(&manifests);
    let object = std::sync::Arc::make_mut(&mut manifests.keys[0]);
    object.metadata.deletion_timestamp = object.metadata.creation_timestamp.clone();
    let rendered = render(&after(&before, manifests));
    assert_eq!((keys(&rendered), rendered.keys.len(), rendered.findings.len()), (&[][..], 0, 0));
}

#[test]
fn a_secret_that_was_made_for_something_else_is_nobodys_key() {
    for annotations in ["", "for: b u", "for: a former"] {
        let rendered = render(&with(&[&secret("a-key", ONE, annotations), &key("a", "")]));
        assert_eq!(reasons(&rendered, "a"), [(Reason::SecretNotOwned, Effect::NotServed)], "{annotations}");
    }
}

#[test]
fn who_came_first_keeps_a_key_that_two_want() {
    let import = |name: &str, year: &str| {
        let spec = "importFrom: {secretKeyRef: {name: shared, key: apiKey}}";
        key(name, spec).replace("2026-", year)
    };
    let rendered = render(&with(&[&secret("shared", ONE, ""), &import("a", "2026-"), &import("b", "2025-")]));
    assert_eq!(reasons(&rendered, "a"), [(Reason::DuplicateKey, Effect::NotServed)]);
    assert_eq!(keys(&rendered).iter().map(|key| &key.id).collect::<Vec<_>>(), [&object("b")]);

    let gateway =
        GATEWAY.replace("spec: {}", "spec: {auth: {masterKeySecretRef: {name: shared, key: apiKey}}}");
    let rendered = render(&world(&[gateway, secret("shared", ONE, ""), import("a", "2026-")].concat()));
    assert_eq!(reasons(&rendered, "a"), [(Reason::DuplicateKey, Effect::NotServed)]);
    assert!(rendered.findings[0].message.contains("the master key"), "{:?}", rendered.findings);
}

#[test]
fn a_gateway_says_whose_keys_open_it_apart_from_whose_models_it_serves() {
    let theirs = made("team/a", ONE, "")
        .replace("name: team/a", "name: a")
        .replace("namespace: ai, ann", "namespace: team, ann")
        .replace("for: team/a", "for: a");
    for (spec, expected) in [
        ("{}", vec![(Reason::GatewayNotFound, Effect::NotServed)]),
        ("{models: {namespaces: {from: All}}}", vec![(Reason::GatewayNotFound, Effect::NotServed)]),
        ("{keys: {namespaces: {from: All}}}", vec![]),
    ] {
        let gateway = GATEWAY.replace("spec: {}", &format!("spec: {spec}"));
        let rendered = render(&world(&[gateway, theirs.clone()].concat()));
        assert_eq!(reasons(&rendered, "team/a"), expected, "{spec}: {:?}", rendered.findings);
    }
    let open = GATEWAY.replace("spec: {}", "spec: {keys: {namespaces: {from: All}}}");
    let before = render(&world(&[open, theirs.clone()].concat()));
    let withdrawn = render(&after(&before, world(&[GATEWAY.to_owned(), theirs].concat())));
    assert_eq!(keys(&withdrawn), [], "what was given must stop");
}

#[test]
fn a_secret_holds_the_address_on_request() {
    let gateway = GATEWAY.replace("spec: {}", "spec: {baseURL: 'https://llm.example.com/v1'}");
    let spec = "secret: {name: mine, key: token, extraData: {baseURL: true}, deletionPolicy: Retain}, \
                rotation: {interval: 720h}";
    let rendered = render(&world(&[gateway, key("a", spec)].concat()));
    let order = rendered.keys[&object("a")].order.clone().unwrap();
    assert_eq!((order.secret, order.key.as_str(), order.retain), (object("mine"), "token", true));
    assert_eq!(order.base_url.as_deref(), Some("https://llm.example.com/v1"));
    assert_eq!(order.rotation.unwrap().overlap.as_secs(), 3600, "the default");
}

proptest! {
    #[test]
    fn whatever_people_write_no_two_keys_share_material_and_order_does_not_matter(
        written in proptest::collection::vec((0..3usize, "[a-c]{0,2}", any::<bool>()), 0..10),
        cut in any::<prop::sample::Index>(),
    ) {
        let shared: String = (0..3).map(|n| secret(&format!("s{n}"), &format!("{ONE}{n}"), "")).collect();
        let each = written.iter().enumerate().map(|(n, (from, team, suspend))| {
            let import = format!("importFrom: {{secretKeyRef: {{name: s{from}, key: apiKey}}}}");
            key(&format!("k{n}"), &format!("{import}, team: '{team}', suspend: {suspend}"))
        });
        let mut manifests = with(&[&shared, &each.collect::<String>(), &made("sound", TWO, "")]);
        let rendered = render(&manifests);
        prop_assert!(keys(&rendered).iter().any(|key| key.id == object("sound")));
        let mut hashes: Vec<_> = keys(&rendered).iter().flat_map(|key| &key.hashes).collect();
        let all = hashes.len();
        hashes.sort();
        hashes.dedup();
        prop_assert_eq!(hashes.len(), all);
        let place = cut.index(manifests.keys.len());
        manifests.keys.rotate_left(place);
        prop_assert_eq!(&render(&manifests), &rendered);
    }
}

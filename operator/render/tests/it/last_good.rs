//! An object that was programmed keeps its last good version when an edit breaks it.

use render::{Effect, Reason, Rendered};

use crate::support::{GATEWAY, after, mock, object, reasons, render, served, world};

const KEYED: &str = "
kind: Secret
metadata: {name: keys, namespace: ai, resourceVersion: '7'}
stringData: {master: sk-Zk3vQ0pB7nXw5LrT, apiKey: sk-openai}
---
kind: ModelGateway
metadata: {name: main, namespace: ai}
spec: {auth: {masterKeySecretRef: {name: keys, key: master}}}
---
kind: ProviderSecret
metadata: {name: openai, namespace: ai}
spec: {kubernetes: {secretRef: {name: keys}}}
---
kind: ModelDeployment
metadata: {name: gpt, namespace: ai, uid: one}
spec: {provider: {type: openai}, credentialsRef: {name: openai}, weight: 5}
---
";

fn edited(from: &str, to: &str) -> (Rendered, Rendered) {
    assert!(KEYED.contains(from), "{from}");
    let before = render(&world(KEYED));
    let edit = render(&after(&before, world(&KEYED.replace(from, to))));
    (before, edit)
}

#[test]
fn a_broken_edit_leaves_the_version_before_serving() {
    for (from, to, reason) in [
        ("type: openai", "type: opneai", Reason::UnknownProvider),
        ("weight: 5", "weight: -1", Reason::InvalidSpec),
        ("weight: 5", "weight: 9, headers: [{name: Authorization, value: x}]", Reason::InvalidSpec),
        ("weight: 5", "timeouts: {request: soon}", Reason::InvalidSpec),
        ("type: openai", "type: openai, baseURL: 'ftp://x'", Reason::InvalidSpec),
        ("credentialsRef: {name: openai}", "credentialsRef: {name: gone}", Reason::RefNotPermitted),
        (", credentialsRef: {name: openai}", "", Reason::InvalidSpec),
    ] {
        let (before, edit) = edited(from, to);
        assert_eq!(edit.gateways, before.gateways, "{to}: nothing may change for clients");
        assert_eq!(reasons(&edit, "gpt"), [(reason, Effect::LastGoodServes)], "{to}");
    }
}

#[test]
fn a_new_object_that_is_broken_serves_nothing_and_harms_nobody() {
    let yaml = [GATEWAY, &mock("good", ""), &mock("bad", "weight: -1")].concat();
    let rendered = render(&world(&yaml));
    assert!(served(&rendered, "good").is_some());
    assert_eq!(reasons(&rendered, "bad"), [(Reason::InvalidSpec, Effect::NotServed)]);
}

#[test]
fn a_successor_of_the_same_name_does_not_inherit() {
    let (_, edit) =
        edited("uid: one}\nspec: {provider: {type: openai}", "uid: two}\nspec: {provider: {type: x}");
    assert_eq!(reasons(&edit, "gpt"), [(Reason::UnknownProvider, Effect::NotServed)]);
    assert!(served(&edit, "gpt").is_none());
}

#[test]
fn a_deleted_object_is_gone() {
    let before = render(&world(KEYED));
    let cut = KEYED.split("kind: ModelDeployment").next().unwrap();
    let rendered = render(&after(&before, world(cut)));
    assert!(served(&rendered, "gpt").is_none());
}

#[test]
fn a_secret_that_is_gone_keeps_or_revokes_as_its_owner_says() {
    let (before, keep) = edited("{secretRef: {name: keys}}", "{secretRef: {name: gone}}");
    assert_eq!(keep.gateways, before.gateways, "the last material serves");
    assert_eq!(reasons(&keep, "openai"), [(Reason::SecretNotFound, Effect::LastGoodServes)]);
    assert_eq!(reasons(&keep, "gpt"), [(Reason::CredentialNotReady, Effect::LastGoodServes)]);

    let (_, revoke) = edited("{secretRef: {name: keys}}", "{secretRef: {name: gone}}, onSourceError: Revoke");
    assert!(served(&revoke, "gpt").is_none(), "revoked means now");
    assert_eq!(reasons(&revoke, "gpt"), [(Reason::CredentialNotReady, Effect::NotServed)]);
}

#[test]
fn last_good_without_its_material_cannot_serve() {
    let before = render(&world(KEYED));
    let mut manifests = after(&before, world(&KEYED.replace("type: openai", "type: x")));
    manifests
        .previous
        .get_mut(&object("main"))
        .unwrap()
        .credentials
        .retain(|file, _| file.contains("master"));
    let rendered = render(&manifests);
    assert_eq!(reasons(&rendered, "gpt"), [(Reason::UnknownProvider, Effect::NotServed)]);
}

#[test]
fn a_gateway_with_a_bad_master_key_keeps_the_one_before() {
    for (from, to, reason) in [
        ("master: sk-Zk3vQ0pB7nXw5LrT", "master: sk-1234", Reason::WeakMasterKey),
        ("master: sk-Zk3vQ0pB7nXw5LrT", "master: ''", Reason::SecretKeyMissing),
        ("master: sk-Zk3vQ0pB7nXw5LrT", "master: 'two words'", Reason::SecretUnusable),
        ("{name: keys, key: master}", "{name: keys, key: other}", Reason::SecretKeyMissing),
        ("{name: keys, key: master}", "{name: gone, key: master}", Reason::SecretNotFound),
    ] {
        let (before, edit) = edited(from, to);
        let (old, new) = (&before.gateways[&object("main")], &edit.gateways[&object("main")]);
        assert_eq!(new.config.settings, old.config.settings, "{to}");
        assert_eq!(reasons(&edit, "main"), [(reason, Effect::LastGoodServes)], "{to}");
        assert!(served(&edit, "gpt").is_some(), "{to}: models go on");

        let fresh = render(&world(&KEYED.replace(from, to)));
        assert!(fresh.gateways.is_empty(), "{to}: nothing to fall back to, so nothing is served");
        assert_eq!(reasons(&fresh, "main"), [(reason, Effect::NotServed)]);
    }
}

#[test]
fn a_rotated_secret_is_a_new_version_of_the_same_credential() {
    let before = render(&world(KEYED));
    let rotated =
        KEYED.replace("resourceVersion: '7'", "resourceVersion: '8'").replace("sk-openai", "sk-new");
    let after = render(&after(&before, world(&rotated)));
    let files = |rendered: &Rendered| -> Vec<String> {
        rendered.gateways[&object("main")].credentials.keys().cloned().collect()
    };
    assert_eq!(files(&before), ["credential-mgw.ai.main.masterKey-7", "credential-psec.ai.openai.apiKey-7"]);
    assert_eq!(files(&after), ["credential-mgw.ai.main.masterKey-8", "credential-psec.ai.openai.apiKey-8"]);
}

//! Attaching and using what belongs to others, by consent.

use render::{Effect, Kind, ObjectRef, Reason};

use crate::support::{GATEWAY, after, mock, object, reasons, render, served, world};

const OWNED: &str = "
kind: Secret
metadata: {name: keys, namespace: ai}
stringData: {apiKey: sk-openai}
---
kind: ModelGateway
metadata: {name: main, namespace: ai}
spec: {models: {namespaces: {from: All}}}
---
kind: ProviderSecret
metadata: {name: openai, namespace: ai}
spec: {kubernetes: {secretRef: {name: keys}}, consumers: {namespaces: {from: All}}}
---
kind: ModelDeployment
metadata: {name: gpt, namespace: team}
spec:
  gatewayRef: {name: main, namespace: ai}
  provider: {type: openai}
  credentialsRef: {name: openai, namespace: ai}
";

#[test]
fn a_deployment_uses_what_its_owners_let_it() {
    let rendered = render(&world(OWNED));
    assert_eq!(rendered.findings, []);
    assert!(served(&rendered, "team/gpt").is_some());
    assert_eq!(
        rendered.attached[&ObjectRef { kind: Kind::ModelDeployment, name: object("team/gpt") }],
        object("ai/main")
    );
    assert!(rendered.users[&object("ai/openai")].contains(&object("team/gpt")));
}

#[test]
fn withdrawn_consent_stops_at_once() {
    let before = render(&world(OWNED));
    let rendered =
        render(&after(&before, world(&OWNED.replace(", consumers: {namespaces: {from: All}}", ""))));
    assert!(served(&rendered, "team/gpt").is_none());
    assert_eq!(reasons(&rendered, "team/gpt"), [(Reason::RefNotPermitted, Effect::NotServed)]);
    assert!(rendered.users.is_empty());
}

#[test]
fn absent_and_not_permitted_read_alike() {
    let message = |yaml: &str| render(&world(yaml)).findings[0].message.clone();
    let refused = message(&OWNED.replace(", consumers: {namespaces: {from: All}}", ""));
    let absent = message(&OWNED.replace("metadata: {name: openai,", "metadata: {name: another,"));
    assert_eq!(refused, absent, "else one could probe for names in another namespace");
    let refused = message(&OWNED.replace("spec: {models: {namespaces: {from: All}}}", "spec: {}"));
    let absent = message(&OWNED.replace("metadata: {name: main,", "metadata: {name: another,"));
    assert_eq!(refused, absent);
}

#[test]
fn a_deployment_without_a_gateway_says_so() {
    let rendered = render(&world(&mock("lonely", "")));
    assert_eq!(reasons(&rendered, "lonely"), [(Reason::GatewayNotFound, Effect::NotServed)]);
    assert!(rendered.attached.is_empty());
}

#[test]
fn consent_by_label_needs_a_view_of_namespaces() {
    let yaml = OWNED.replace(
        "spec: {models: {namespaces: {from: All}}}",
        "spec: {models: {namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}}",
    );
    let mut manifests = world(&yaml);
    manifests.namespaces = None;
    let rendered = render(&manifests);
    assert_eq!(reasons(&rendered, "main"), [(Reason::SelectorNeedsClusterScope, Effect::NotServed)]);
    assert_eq!(reasons(&rendered, "team/gpt"), [(Reason::GatewayNotFound, Effect::NotServed)]);
}

#[test]
fn a_gateway_outside_the_operators_namespaces_is_told() {
    let mut manifests = world(&[GATEWAY, &mock("m", "")].concat());
    manifests.gateway_namespaces = Some(["other".to_owned()].into());
    let rendered = render(&manifests);
    assert!(rendered.gateways.is_empty());
    assert_eq!(reasons(&rendered, "main"), [(Reason::GatewayNamespaceNotServed, Effect::NotServed)]);
}

#[test]
fn a_finding_names_the_object_and_the_way_out_and_no_secret() {
    let yaml = OWNED.replace("type: openai", "type: openai, baseURL: 'https://user:hunter2@host/v1'");
    let finding = &render(&world(&yaml)).findings[0];
    let text = finding.to_string();
    assert!(
        text.starts_with("ModelDeployment/gpt: InvalidSpec: provider.baseURL carries a user name"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
}

/// Where the requests of a deployment of `provider` go.
fn upstream(provider: &str) -> config::HttpUpstream {
    let yaml = format!(
        "{OWNED}---\nkind: ModelDeployment\nmetadata: {{name: one, namespace: ai}}\nspec: {{gatewayRef: {{name: main}}, \
         provider: {provider}, credentialsRef: {{name: openai}}}}\n"
    );
    let rendered = render(&world(&yaml));
    let deployment = served(&rendered, "ai/one").unwrap_or_else(|| panic!("{:?}", rendered.findings));
    let config::Upstream::Http(http) = &deployment.upstream else { panic!("{provider} has no upstream") };
    http.clone()
}

#[test]
fn who_keeps_responses_is_the_provider_itself_where_it_is_asked_for_them() {
    let keeps = |provider: &str| upstream(provider).keeps_responses;
    assert!(keeps("{type: openai}"));
    assert!(keeps("{type: openai, dialect: openai-responses, baseURL: 'https://eu.api.openai.com/v1'}"));
    assert!(keeps("{type: azure, baseURL: 'https://r.openai.azure.com/openai/v1'}"));
    assert!(!keeps("{type: openai, dialect: openai-chat}"), "it would keep something else");
    assert!(!keeps("{type: openai, baseURL: 'https://notapi.openai.com.example/v1'}"));
    assert!(!keeps("{type: openai, baseURL: 'https://fakeapi.openai.com/v1'}"));
    assert!(!keeps("{type: custom, dialect: openai-responses, baseURL: 'http://a.b/v1'}"));
}

#[test]
fn where_vectors_come_from_follows_the_provider_and_the_dialect() {
    let embeds = |provider: &str| upstream(provider).embeds.map(|dialect| dialect.name());
    assert_eq!(embeds("{type: openai}"), Some("openai-embeddings"));
    assert_eq!(embeds("{type: gemini}"), Some("gemini-embeddings"));
    assert_eq!(embeds("{type: anthropic}"), None);
    assert_eq!(embeds("{type: groq}"), None);
    let custom = |dialect: &str| embeds(&format!("{{type: custom, baseURL: 'http://a.b/v1'{dialect}}}"));
    assert_eq!(custom(""), Some("openai-embeddings"));
    assert_eq!(custom(", dialect: openai-responses"), Some("openai-embeddings"));
    assert_eq!(custom(", dialect: gemini"), Some("gemini-embeddings"));
    assert_eq!(custom(", dialect: anthropic"), None);
    assert_eq!(embeds("{type: openai, dialect: anthropic}"), None);
    assert_eq!(embeds("{type: groq, dialect: openai-chat}"), None, "a dialect makes no endpoint");
}

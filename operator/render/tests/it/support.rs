//! Worlds of manifests from YAML, and short questions about what they render to.

use std::sync::Arc;

use catalogue::Catalogue;
use config::{Budget, Deployment, KeyHash, ObjectName, Route, Secret, Target, TargetKind};
use render::{Effect, Finding, Issue, Manifests, Namespace, Previous, Reason, Rendered, SecretData};
use serde::Deserialize;

/// Only what tells documents apart, and Secrets and Namespaces, which have no type of ours.
#[derive(Deserialize)]
struct Document {
    kind: String,
    metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    #[serde(default)]
    data: std::collections::BTreeMap<String, String>,
    #[serde(default, rename = "stringData")]
    string_data: std::collections::BTreeMap<String, String>,
}

pub(crate) fn object(name: &str) -> ObjectName {
    let (namespace, name) = name.split_once('/').unwrap_or(("ai", name));
    ObjectName { namespace: namespace.into(), name: name.into() }
}

/// The manifests of a YAML text with several documents.
pub(crate) fn world(yaml: &str) -> Manifests {
    let mut world = Manifests { namespaces: Some(Default::default()), ..Manifests::default() };
    for text in yaml.split("\n---").map(str::trim).filter(|text| !text.is_empty()) {
        add(&mut world, text);
    }
    world
}

fn add(world: &mut Manifests, text: &str) {
    let head: Document = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    match head.kind.as_str() {
        "ModelGateway" => world.gateways.push(Arc::new(serde_saphyr::from_str(text).unwrap())),
        "ModelDeployment" => world.deployments.push(Arc::new(serde_saphyr::from_str(text).unwrap())),
        "ModelRoute" => world.routes.push(Arc::new(serde_saphyr::from_str(text).unwrap())),
        "VirtualKey" => world.keys.push(Arc::new(serde_saphyr::from_str(text).unwrap())),
        "ProviderSecret" => world.provider_secrets.push(Arc::new(serde_saphyr::from_str(text).unwrap())),
        "BudgetPolicy" => world.budget_policies.push(Arc::new(serde_saphyr::from_str(text).unwrap())),
        "Secret" => {
            let name = ObjectName {
                namespace: head.metadata.namespace.unwrap_or_else(|| "default".into()),
                name: head.metadata.name.unwrap(),
            };
            let data = head.string_data.into_iter().map(|(key, text)| (key, Secret::new(text.into_bytes())));
            let version = head.metadata.resource_version.unwrap_or_else(|| "1".into());
            let issue = head.metadata.annotations.as_ref().and_then(issue);
            world.secrets.insert(name, SecretData { version, data: data.collect(), issue });
        }
        "ConfigMap" => {
            let name = ObjectName {
                namespace: head.metadata.namespace.unwrap_or_else(|| "default".into()),
                name: head.metadata.name.unwrap(),
            };
            world.price_catalogs.insert(name, head.data);
        }
        "Namespace" => {
            let labels = head.metadata.labels.unwrap_or_default();
            world
                .namespaces
                .get_or_insert_default()
                .insert(head.metadata.name.unwrap(), Namespace { labels });
        }
        kind => panic!("no such kind in these tests: {kind}"),
    }
}

/// What the operator would have noted on a Secret, as annotations `for` (name and uid of the VirtualKey) and `before`
/// (a key and the time until which it is taken).
fn issue(annotations: &std::collections::BTreeMap<String, String>) -> Option<Issue> {
    let (key, uid) = annotations.get("for")?.split_once(' ').unwrap();
    let previous = annotations.get("before").map(|before| {
        let (material, until) = before.split_once(' ').unwrap();
        KeyHash { until: until.parse().ok(), ..KeyHash::of(material.as_bytes()) }
    });
    Some(Issue { key: key.into(), uid: uid.into(), issued_at: None, previous, retained: false })
}

pub(crate) fn render(world: &Manifests) -> Rendered {
    render::render(world, &Catalogue::builtin())
}

/// `world` after `rendered` was published.
pub(crate) fn after(rendered: &Rendered, mut world: Manifests) -> Manifests {
    for (name, gateway) in &rendered.gateways {
        let previous =
            Previous { config: Arc::new(gateway.config.clone()), credentials: gateway.credentials.clone() };
        world.previous.insert(name.clone(), previous);
    }
    world
}

/// Reason and effect of each finding on the object of this name, whatever its kind.
pub(crate) fn reasons(rendered: &Rendered, name: &str) -> Vec<(Reason, Effect)> {
    let own = rendered.findings.iter().filter(|finding| finding.object.name == object(name));
    own.map(|finding| (finding.reason, finding.effect)).collect()
}

/// The deployment `name` as gateway ai/main serves it.
pub(crate) fn served<'a>(rendered: &'a Rendered, name: &str) -> Option<&'a Deployment> {
    let gateway = rendered.gateways.get(&object("main"))?;
    let mut all = gateway.config.models.iter().flat_map(|model| &model.deployments);
    all.find(|deployment| deployment.id == object(name))
}

/// The route `name` as gateway ai/main serves it.
pub(crate) fn routed<'a>(rendered: &'a Rendered, name: &str) -> Option<&'a Route> {
    let gateway = rendered.gateways.get(&object("main"))?;
    gateway.config.routes.iter().find(|route| route.id == object(name))
}

/// The budget of policy `name` as gateway ai/main has it.
pub(crate) fn budget<'a>(rendered: &'a Rendered, name: &str) -> Option<&'a Budget> {
    let gateway = rendered.gateways.get(&object("main"))?;
    gateway.config.budgets.iter().find(|budget| budget.id == object(name))
}

pub(crate) const GATEWAY: &str = "
kind: ModelGateway
apiVersion: fairlead.dev/v1alpha1
metadata: {name: main, namespace: ai}
spec: {}
---
";

/// A deployment of the mock provider with the lines of `spec`.
pub(crate) fn mock(name: &str, spec: &str) -> String {
    let name = object(name);
    format!(
        "
kind: ModelDeployment
apiVersion: fairlead.dev/v1alpha1
metadata: {{name: {}, namespace: {}}}
spec: {{gatewayRef: {{name: main, namespace: ai}}, provider: {{type: mock}}, {spec}}}
---
",
        name.name, name.namespace
    )
}

/// A route with the lines of `spec`, born in second `born`.
pub(crate) fn route(name: &str, born: u8, spec: &str) -> String {
    let name = object(name);
    format!(
        "
kind: ModelRoute
apiVersion: fairlead.dev/v1alpha1
metadata: {{name: {}, namespace: {}, uid: uid-{}, creationTimestamp: '2026-11-01T12:00:{born:02}Z'}}
spec: {{gatewayRef: {{name: main, namespace: ai}}, {spec}}}
---
",
        name.name, name.namespace, name.name
    )
}

/// A policy of `limits` with the lines of `spec`, born in second `born`.
pub(crate) fn policy(name: &str, born: u8, spec: &str) -> String {
    let name = object(name);
    format!(
        "
kind: BudgetPolicy
apiVersion: fairlead.dev/v1alpha1
metadata: {{name: {}, namespace: {}, uid: uid-{}, creationTimestamp: '2026-11-01T12:00:{born:02}Z'}}
spec: {{gatewayRef: {{name: main, namespace: ai}}, {spec}}}
---
",
        name.name, name.namespace, name.name
    )
}

/// The limits of a policy.
pub(crate) const MINUTE: &str = "limits: [{name: rpm, unit: Requests, amount: 60, window: {rolling: 1m}}]";

/// A gateway that every namespace may attach to.
pub(crate) fn shared() -> String {
    GATEWAY.replace("spec: {}", "spec: {models: {namespaces: {from: All}}}")
}

pub(crate) fn target(kind: TargetKind, name: Option<&str>, namespace: Option<&str>) -> Target {
    Target { kind, name: name.map(str::to_owned), namespace: namespace.map(str::to_owned) }
}

/// The only finding on the object of this name.
pub(crate) fn the_finding<'a>(rendered: &'a Rendered, name: &str) -> &'a Finding {
    let mut own = rendered.findings.iter().filter(|finding| finding.object.name == object(name));
    let first = own.next().unwrap_or_else(|| panic!("{name} has no finding"));
    assert_eq!(own.next(), None, "{name} has one finding");
    first
}

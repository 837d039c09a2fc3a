//! What wakes whom.

use kube::core::{ObjectMeta, PartialObjectMeta};

use super::*;

fn deployment(generation: i64, version: &str) -> ModelDeployment {
    let mut object = ModelDeployment::new("gpt", crds::ModelDeploymentSpec::default());
    object.metadata = ObjectMeta {
        name: Some("gpt".into()),
        namespace: Some("team".into()),
        uid: Some("u".into()),
        generation: Some(generation),
        resource_version: Some(version.into()),
        ..ObjectMeta::default()
    };
    object
}

fn secret(name: &str, version: &str) -> PartialObjectMeta<k8s_openapi::api::core::v1::Secret> {
    PartialObjectMeta {
        metadata: ObjectMeta {
            name: Some(name.into()),
            namespace: Some("team".into()),
            resource_version: Some(version.into()),
            ..ObjectMeta::default()
        },
        ..PartialObjectMeta::default()
    }
}

#[test]
fn a_spec_wakes_the_renderer_and_a_status_does_not() {
    let mut index = Index::default();
    assert_eq!(deployment(1, "5").keep(&mut index, Origin::Event), Touch::Manifests);
    assert_eq!(deployment(1, "6").keep(&mut index, Origin::Event), Touch::Statuses);
    assert_eq!(deployment(2, "7").keep(&mut index, Origin::Event), Touch::Manifests);
}

#[test]
fn labels_and_a_reset_wake_the_renderer_though_they_are_no_spec() {
    let mut index = Index::default();
    let policy = |version: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]| {
        let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let mut object = BudgetPolicy::new("b", crds::BudgetPolicySpec::default());
        object.metadata = ObjectMeta {
            labels: Some(owned(labels)),
            annotations: Some(owned(annotations)),
            resource_version: Some(version.into()),
            ..deployment(1, version).metadata
        };
        object
    };
    let reset = [(crds::RESET_ANNOTATION, "2026-11-01T12:00:00Z")];
    policy("1", &[], &[]).keep(&mut index, Origin::Event);
    assert_eq!(policy("2", &[], &[("other", "x")]).keep(&mut index, Origin::Event), Touch::Statuses);
    assert_eq!(policy("3", &[], &reset).keep(&mut index, Origin::Event), Touch::Manifests);
    assert_eq!(policy("4", &[("tier", "gold")], &reset).keep(&mut index, Origin::Event), Touch::Manifests);
    assert_eq!(policy("5", &[("tier", "gold")], &reset).keep(&mut index, Origin::Event), Touch::Statuses);
}

#[test]
fn an_event_that_was_overtaken_is_ignored() {
    let mut index = Index::default();
    deployment(2, "10").keep(&mut index, Origin::Event);
    assert_eq!(deployment(1, "9").keep(&mut index, Origin::Event), Touch::Nothing);
    let generation =
        |index: &Index| index.deployments.values().next().and_then(|kept| kept.metadata.generation);
    assert_eq!(generation(&index), Some(2), "the newer one must stay");
    deployment(1, "9").keep(&mut index, Origin::List);
    assert_eq!(generation(&index), Some(1), "but a list is how things are");
}

#[test]
fn a_list_removes_what_it_lacks_in_its_namespace_only() {
    let index = SharedIndex::default();
    index.apply(deployment(1, "5"));
    index.replace::<ModelDeployment>(Some("other"), Vec::new());
    assert_eq!(index.lock().deployments.len(), 1);
    index.replace::<ModelDeployment>(Some("team"), Vec::new());
    assert_eq!(index.lock().deployments.len(), 0);
}

#[test]
fn a_secret_that_nobody_names_wakes_nobody() {
    let mut index = Index::default();
    assert_eq!(secret("other", "1").keep(&mut index, Origin::Event), Touch::Nothing);
    let mut source = ProviderSecret::new("p", crds::ProviderSecretSpec::default());
    source.metadata.namespace = Some("team".into());
    source.spec.kubernetes = Some(crds::KubernetesSource {
        secret_ref: crds::SecretName { name: "other".into() },
        data: Vec::new(),
    });
    source.keep(&mut index, Origin::Event);
    assert_eq!(
        secret("other", "1").keep(&mut index, Origin::Event),
        Touch::Nothing,
        "the same version is no change"
    );
    assert_eq!(secret("other", "2").keep(&mut index, Origin::Event), Touch::Manifests);
    let mut policy = BudgetPolicy::new("b", crds::BudgetPolicySpec::default());
    policy.metadata.namespace = Some("team".into());
    let reference = crds::SecretKeyRef { name: "hook".into(), key: "url".into() };
    policy.spec.alerts =
        vec![crds::BudgetAlert { at_percent: 80, event: false, webhook_secret_ref: Some(reference) }];
    policy.keep(&mut index, Origin::Event);
    assert_eq!(secret("hook", "1").keep(&mut index, Origin::Event), Touch::Manifests, "a webhook's address");
}

#[test]
fn a_price_catalogue_wakes_the_renderer_when_its_data_change() {
    let mut index = Index::default();
    let catalog = |version: &str, text: &str| {
        let data = std::collections::BTreeMap::from([("prices.yaml".to_owned(), text.to_owned())]);
        let metadata = secret("prices", version).metadata;
        k8s_openapi::api::core::v1::ConfigMap { metadata, data: Some(data), ..Default::default() }
    };
    assert_eq!(catalog("1", "a: {input: '1'}").keep(&mut index, Origin::Event), Touch::Manifests);
    assert_eq!(catalog("2", "a: {input: '1'}").keep(&mut index, Origin::Event), Touch::Nothing);
    assert_eq!(catalog("3", "a: {input: '2'}").keep(&mut index, Origin::Event), Touch::Manifests);
    let moment = index.moment(&Default::default(), false);
    assert_eq!(moment.manifests.price_catalogs.len(), 1);
    let name = ObjectName { namespace: "team".into(), name: "prices".into() };
    assert_eq!(k8s_openapi::api::core::v1::ConfigMap::forget(&name, &mut index), Touch::Manifests);
}

#[test]
fn our_own_objects_are_reported_once_to_the_publisher() {
    let index = SharedIndex::default();
    let gateway = ObjectName { namespace: "team".into(), name: "main".into() };
    let object = ModelGateway::new("main", crds::ModelGatewaySpec::default());
    index.lock().gateways.insert(gateway, Arc::new(object));
    index.apply(secret("main-credentials", "3"));
    let name = ObjectName { namespace: "team".into(), name: "main-credentials".into() };
    assert_eq!(index.lock().take_touched(), [(name, Some("3".into()))]);
    assert_eq!(index.lock().take_touched(), []);
}

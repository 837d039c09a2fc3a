//! The Secret of a VirtualKey: how it is written, and what is noted on it. All that a rotation needs to know stands
//! on the Secret itself, so that one write changes the key and what becomes of the one before.

use std::collections::BTreeMap;

use config::{KeyHash, Secret};
use crds::VirtualKey;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret as KubeSecret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use k8s_openapi::jiff::Timestamp;
use kube::Resource as _;
use rand::RngExt as _;
use render::{Issue, Order};
use serde_json::{Map, Value, json};

use crate::names;

/// Name of the VirtualKey that a Secret was made for.
const KEY: &str = "fairlead.dev/virtual-key";
/// Its uid.
const UID: &str = "fairlead.dev/virtual-key-uid";
/// When the key in it was made.
const ISSUED_AT: &str = "fairlead.dev/issued-at";
/// What the key before is compared with.
const PREVIOUS: &str = "fairlead.dev/previous-key-sha256";
/// Until when it is taken.
const PREVIOUS_UNTIL: &str = "fairlead.dev/previous-key-expires-at";

/// The key in the data that holds the gateway's address.
const BASE_URL: &str = "baseURL";

/// `sk-` and 256 random bits. The thread's generator is a cryptographic one, seeded by the system.
pub(crate) fn make_key() -> Secret {
    let bits: [u8; 32] = rand::rng().random();
    let key = bits.iter().fold("sk-".to_owned(), |key, byte| format!("{key}{byte:02x}"));
    Secret::new(key.into_bytes())
}

/// What is noted on a Secret, if it was made for a VirtualKey.
pub(crate) fn issue_of(metadata: &ObjectMeta) -> Option<Issue> {
    let ours = metadata.labels.as_ref()?.get(names::MANAGED_BY).is_some_and(|by| by == names::MANAGER);
    let annotations = metadata.annotations.as_ref().filter(|_| ours)?;
    let seconds = |name: &str| {
        let at: Timestamp = annotations.get(name)?.parse().ok()?;
        u64::try_from(at.as_second()).ok()
    };
    let uid = annotations.get(UID)?;
    let mut owners = metadata.owner_references.iter().flatten();
    let previous = annotations.get(PREVIOUS).zip(seconds(PREVIOUS_UNTIL));
    Some(Issue {
        key: annotations.get(KEY)?.clone(),
        uid: uid.clone(),
        issued_at: seconds(ISSUED_AT),
        previous: previous.map(|(sha256, until)| KeyHash { sha256: sha256.clone(), until: Some(until) }),
        retained: !owners.any(|owner| owner.uid == *uid),
    })
}

/// A Secret that is not there yet.
pub(super) fn new(object: &VirtualKey, order: &Order, key: &Secret, now: Timestamp) -> KubeSecret {
    let metadata = &object.metadata;
    let annotations = [
        (KEY, metadata.name.clone().unwrap_or_default()),
        (UID, metadata.uid.clone().unwrap_or_default()),
        (ISSUED_AT, second(now)),
        // Argo CD must not call an object of ours a stray of the app that made its owner.
        ("argocd.argoproj.io/compare-options", "IgnoreExtraneous".to_owned()),
    ];
    let text = |text: &str| ByteString(text.as_bytes().to_vec());
    let mut data = BTreeMap::from([(order.key.clone(), ByteString(key.expose().to_vec()))]);
    data.extend(order.base_url.as_deref().map(|url| (BASE_URL.to_owned(), text(url))));
    KubeSecret {
        metadata: ObjectMeta {
            name: Some(order.secret.name.clone()),
            namespace: Some(order.secret.namespace.clone()),
            labels: Some(BTreeMap::from([(names::MANAGED_BY.to_owned(), names::MANAGER.to_owned())])),
            annotations: Some(annotations.map(|(name, value)| (name.to_owned(), value)).into()),
            owner_references: owners(object, order),
            ..ObjectMeta::default()
        },
        data: Some(data),
        ..KubeSecret::default()
    }
}

/// A merge patch of a Secret in the version `version`: what is not named stays as it is. `fresh` is the key that takes
/// the place of the one in it, and `previous` that one, while it is taken.
pub(super) fn patch(
    object: &VirtualKey,
    order: &Order,
    version: &str,
    fresh: Option<(&Secret, Timestamp)>,
    previous: Option<&KeyHash>,
) -> Value {
    let (mut data, mut metadata) = (Map::new(), Map::new());
    if order.key != BASE_URL {
        let url = order.base_url.as_ref().map(|url| ByteString(url.as_bytes().to_vec()));
        data.insert(BASE_URL.into(), json!(url));
    }
    metadata.insert("resourceVersion".into(), json!(version));
    metadata.insert("ownerReferences".into(), json!(owners(object, order).unwrap_or_default()));
    if let Some((key, now)) = fresh {
        data.insert(order.key.clone(), json!(ByteString(key.expose().to_vec())));
        let until = previous.and_then(|hash| hash.until).and_then(|until| i64::try_from(until).ok());
        let until = until.and_then(|until| Timestamp::from_second(until).ok()).map(second);
        let notes = json!({
            ISSUED_AT: second(now),
            PREVIOUS: previous.map(|hash| &hash.sha256),
            PREVIOUS_UNTIL: until,
        });
        metadata.insert("annotations".into(), notes);
    }
    json!({ "metadata": metadata, "data": data })
}

/// What the patch of a Secret would say of its address, if it says otherwise now.
pub(super) fn has_other_url(data: &BTreeMap<String, Secret>, order: &Order) -> bool {
    let written = data.get(BASE_URL).map(Secret::expose);
    order.key != BASE_URL && written != order.base_url.as_deref().map(str::as_bytes)
}

/// With its owner goes a Secret that is not to stay.
fn owners(object: &VirtualKey, order: &Order) -> Option<Vec<OwnerReference>> {
    let owner = || OwnerReference {
        api_version: VirtualKey::api_version(&()).into_owned(),
        kind: VirtualKey::kind(&()).into_owned(),
        name: object.metadata.name.clone().unwrap_or_default(),
        uid: object.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    };
    (!order.retain).then(|| vec![owner()])
}

/// People read it: no fractions.
fn second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

//! VirtualKeys to keys of a config: each as written, or the version before, or nothing but a finding. What one asks
//! for is read in `keys/spec.rs`, what it is compared with in `keys/material.rs`.

mod material;
mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use config::{Key, KeyHash, ObjectName};
use crds::{ConditionType, VirtualKey};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub use spec::key_secret;

use crate::budgets::Budgets;
use crate::gateways::{Gateway, object_name};
use crate::upstream::Fault;
use crate::{Effect, Finding, Kind, Manifests, ObjectRef, Reason};

/// What becomes of a VirtualKey that may open a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlan {
    /// Which one.
    pub gateway: ObjectName,
    /// When it ends. Unix seconds.
    pub expires_at: Option<u64>,
    /// The Secret that is made for it; `None` where the key is imported or the spec is broken.
    pub order: Option<Order>,
}

/// A Secret that whoever renders must see to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Namespace and name.
    pub secret: ObjectName,
    /// The key in its data that holds the `sk-...`.
    pub key: String,
    /// What its key `baseURL` holds, if anything.
    pub base_url: Option<String>,
    /// Whether it stays when the VirtualKey goes.
    pub retain: bool,
    /// When the key in it is replaced, if ever.
    pub rotation: Option<Rotation>,
}

/// When a key is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// How long a key is in use.
    pub interval: Duration,
    /// How long the old one is still taken.
    pub overlap: Duration,
}

/// A key that wants a place in a gateway's config.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Who came first keeps material that two want to use.
    created: Option<Time>,
    key: Key,
}

/// What is wrong, where it shows, and whether the version before may stand in.
struct Objection {
    condition: ConditionType,
    fault: Fault,
    effect: Effect,
}

/// The candidate that `object` makes for `gateway`, if any, and what becomes of it.
pub(crate) fn candidate(
    manifests: &Manifests,
    gateway: &Gateway,
    object: &VirtualKey,
    findings: &mut Vec<Finding>,
) -> (KeyPlan, Option<Candidate>) {
    let name = object_name(&object.metadata);
    let mut plan = KeyPlan { gateway: gateway.name.clone(), expires_at: None, order: None };
    let created = object.metadata.creation_timestamp.clone();
    let objection = match fresh(manifests, gateway, object, &mut plan) {
        Ok(key) => return (plan, Some(Candidate { created, key })),
        Err(objection) => objection,
    };
    let before = match objection.effect {
        Effect::LastGoodServes => last_good(manifests, gateway, object, &name),
        Effect::NotServed | Effect::Partly | Effect::Served => None,
    };
    let effect = if before.is_some() { Effect::LastGoodServes } else { Effect::NotServed };
    let (reason, message) = objection.fault;
    findings.push(Finding {
        object: reference(name),
        condition: objection.condition,
        reason,
        message,
        effect,
    });
    (plan, before.map(|key| Candidate { created, key }))
}

/// The key as written. Notes in `plan` what is known on the way.
fn fresh(
    manifests: &Manifests,
    gateway: &Gateway,
    object: &VirtualKey,
    plan: &mut KeyPlan,
) -> Result<Key, Objection> {
    let not_accepted =
        |fault| Objection { condition: ConditionType::Accepted, fault, effect: Effect::LastGoodServes };
    let key = spec::key(object).map_err(not_accepted)?;
    plan.expires_at = key.expires_at;
    plan.order = spec::order(object, gateway).map_err(not_accepted)?;
    let hashes = match (&object.spec.import_from, &plan.order) {
        (Some(import), _) => material::imported(manifests, object, import),
        (None, Some(order)) => material::made(manifests, object, order),
        (None, None) => Ok(Vec::new()),
    };
    let unresolved = |missing: material::Unusable| Objection {
        condition: missing.condition,
        fault: (missing.reason, missing.message),
        effect: missing.effect,
    };
    Ok(Key { hashes: hashes.map_err(unresolved)?, ..key })
}

/// The key as it was rendered last, if it was: of the same object. Whether it is suspended needs no sound spec.
fn last_good(
    manifests: &Manifests,
    gateway: &Gateway,
    object: &VirtualKey,
    name: &ObjectName,
) -> Option<Key> {
    let previous = manifests.previous.get(&gateway.name)?;
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let key = previous.config.keys.iter().find(|key| key.id == *name && key.uid == uid)?;
    Some(Key { suspended: object.spec.suspend, ..key.clone() })
}

/// The keys of a gateway, sorted. No two share material, and none has that of the master key.
pub(crate) fn form(
    mut candidates: Vec<Candidate>,
    master: Option<KeyHash>,
    findings: &mut Vec<Finding>,
) -> Vec<Key> {
    candidates.sort_by(|a, b| (&a.created, &a.key.id).cmp(&(&b.created, &b.key.id)));
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    owners.extend(master.map(|hash| (hash.sha256, "the master key".to_owned())));
    let mut keys = Vec::new();
    for Candidate { mut key, .. } in candidates {
        let own: BTreeSet<_> = key.hashes.iter().map(|hash| hash.sha256.clone()).collect();
        if let Some(owner) = own.iter().find_map(|hash| owners.get(hash)) {
            refuse(findings, key.id, owner);
            continue;
        }
        let owner = format!("VirtualKey {}", key.id);
        owners.extend(own.into_iter().map(|hash| (hash, owner.clone())));
        key.hashes.sort();
        keys.push(key);
    }
    keys.sort_by(|a, b| a.id.cmp(&b.id));
    keys
}

/// Leaves out the budgets that are not there, and says so. A key is not refused for one that goes, or comes later.
pub(crate) fn resolve_budgets(keys: &mut [Key], budgets: &Budgets, findings: &mut Vec<Finding>) {
    for key in keys {
        let missing: Vec<_> = key.budgets.iter().filter(|name| !budgets.knows(name)).cloned().collect();
        key.budgets.retain(|name| budgets.counts(name));
        findings.extend(missing.into_iter().map(|name| Finding {
            object: reference(key.id.clone()),
            condition: ConditionType::ResolvedRefs,
            reason: Reason::BudgetNotFound,
            message: format!(
                "no BudgetPolicy {name} is attached to the key's gateway, so it limits nothing: create it, or take it \
                 out of budgetRefs"
            ),
            effect: Effect::Partly,
        }));
    }
}

fn refuse(findings: &mut Vec<Finding>, name: ObjectName, owner: &str) {
    let object = reference(name);
    // One that serves its last good version has two faults: the later one decides.
    findings.retain(|finding| finding.object != object);
    findings.push(Finding {
        object,
        condition: ConditionType::ResolvedRefs,
        reason: Reason::DuplicateKey,
        message: format!("its key is that of {owner}: a key opens a gateway for one only; write another"),
        effect: Effect::NotServed,
    });
}

/// A VirtualKey, for findings.
pub(crate) fn reference(name: ObjectName) -> ObjectRef {
    ObjectRef { kind: Kind::VirtualKey, name }
}

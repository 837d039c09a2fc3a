//! What a key is compared with: from its Secret to hashes. Here is where the material ends.

use config::{KeyHash, ObjectName, WeakKey};
use crds::{ConditionType, ImportSpec, VirtualKey};

use super::Order;
use crate::credentials::lookup;
use crate::gateways::object_name;
use crate::{Effect, Manifests, Reason};

/// Why there is no material.
pub(super) struct Unusable {
    pub condition: ConditionType,
    pub reason: Reason,
    pub message: String,
    pub effect: Effect,
}

/// Those of a key that exists already.
pub(super) fn imported(
    manifests: &Manifests,
    object: &VirtualKey,
    import: &ImportSpec,
) -> Result<Vec<KeyHash>, Unusable> {
    let from = &import.secret_key_ref;
    let namespace = object_name(&object.metadata).namespace;
    let secret = ObjectName { namespace, name: from.name.clone() };
    Ok(vec![read(manifests, &secret, &from.key)?])
}

/// Those of a key that was made: the one in its Secret, the one before while it is taken, and the next one once it is
/// on its way.
pub(super) fn made(
    manifests: &Manifests,
    object: &VirtualKey,
    order: &Order,
) -> Result<Vec<KeyHash>, Unusable> {
    let name = object_name(&object.metadata);
    let Order { secret, key, .. } = order;
    let Some(found) = manifests.secrets.get(secret) else { return Err(not_issued(secret)) };
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let issue = found.issue.as_ref().filter(|issue| issue.key == name.name && issue.uid == uid);
    let Some(issue) = issue else {
        let message = format!(
            "Secret {secret} exists, and was not made for this VirtualKey: name another in secret.name, delete it, or \
             take the key in it with importFrom"
        );
        return Err(unresolved(Reason::SecretNotOwned, message));
    };
    if !found.data.contains_key(key) {
        return Err(not_issued(secret));
    }
    let current = read(manifests, secret, key)?;
    let others = issue.previous.iter().chain(manifests.next_keys.get(&name));
    // Whoever may write the Secret may write anything there, and gateways refuse a config with a digest that is none.
    let others = others.filter(|other| other.is_digest() && other.sha256 != current.sha256).cloned();
    Ok(others.chain([current.clone()]).collect())
}

fn read(manifests: &Manifests, secret: &ObjectName, key: &str) -> Result<KeyHash, Unusable> {
    let found = lookup(manifests, secret, key, String::new())
        .map_err(|missing| unresolved(missing.reason, missing.message))?;
    let material = found.material.expose();
    match WeakKey::judge_virtual(material) {
        None => Ok(KeyHash::of(material)),
        Some(why) => {
            let message = format!("the key in Secret {secret} is refused: {why}");
            Err(unresolved(Reason::WeakKey, message))
        }
    }
}

fn not_issued(secret: &ObjectName) -> Unusable {
    let message = format!("Secret {secret} with the key is not made yet");
    // What people delete to have it made anew must not go on opening anything.
    Unusable { effect: Effect::NotServed, ..unresolved(Reason::KeyNotIssued, message) }
}

fn unresolved(reason: Reason, message: String) -> Unusable {
    Unusable { condition: ConditionType::ResolvedRefs, reason, message, effect: Effect::LastGoodServes }
}

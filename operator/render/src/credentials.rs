//! ProviderSecrets and master keys: from a reference to a credential with its material.

use std::collections::BTreeMap;

use config::{CredentialRef, ObjectName, Secret};
use crds::{ConditionType, CredentialField, ProviderSecret};

use crate::{Effect, Finding, Kind, Manifests, ObjectRef, Reason};

/// A credential and what it is made of.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub reference: CredentialRef,
    pub material: Secret,
}

/// Why there is no credential: which condition of the object that names the Secret, and why.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    pub reason: Reason,
    pub message: String,
}

/// A ProviderSecret and what it came to.
pub(crate) struct Resolved<'a> {
    pub object: &'a ProviderSecret,
    pub credential: Result<Credential, Missing>,
}

/// Every ProviderSecret, resolved or not, by name.
pub(crate) fn resolve_all<'a>(
    manifests: &'a Manifests,
    findings: &mut Vec<Finding>,
) -> BTreeMap<ObjectName, Resolved<'a>> {
    let mut all = BTreeMap::new();
    for object in &manifests.provider_secrets {
        let name = crate::gateways::object_name(&object.metadata);
        let credential = resolve(manifests, object, &name);
        if let Err(missing) = &credential {
            let condition = match missing.reason {
                Reason::InvalidSpec => ConditionType::Accepted,
                _ => ConditionType::ResolvedRefs,
            };
            findings.push(Finding {
                object: ObjectRef { kind: Kind::ProviderSecret, name: name.clone() },
                condition,
                reason: missing.reason,
                message: missing.message.clone(),
                effect: match object.spec.on_source_error {
                    crds::OnSourceError::KeepLast => Effect::LastGoodServes,
                    crds::OnSourceError::Revoke => Effect::NotServed,
                },
            });
        }
        all.insert(name, Resolved { object, credential });
    }
    all
}

fn resolve(manifests: &Manifests, object: &ProviderSecret, name: &ObjectName) -> Result<Credential, Missing> {
    let Some(source) = &object.spec.kubernetes else {
        let message = "names no source: set spec.kubernetes.secretRef.name".to_owned();
        return Err(Missing { reason: Reason::InvalidSpec, message });
    };
    let Some(data) = source.data.iter().find(|data| data.field == CredentialField::ApiKey) else {
        let message = "spec.kubernetes.data has no entry for field apiKey".to_owned();
        return Err(Missing { reason: Reason::InvalidSpec, message });
    };
    let secret = ObjectName { namespace: name.namespace.clone(), name: source.secret_ref.name.clone() };
    let id = credential_id("psec", name, data.field.as_str());
    lookup(manifests, &secret, &data.key, id)
}

/// The value under `key` of a Secret, as the credential `id`.
pub(crate) fn lookup(
    manifests: &Manifests,
    secret: &ObjectName,
    key: &str,
    id: String,
) -> Result<Credential, Missing> {
    let Some(found) = manifests.secrets.get(secret) else {
        let message = format!("Secret {secret} does not exist: create it with the key {key}");
        return Err(Missing { reason: Reason::SecretNotFound, message });
    };
    match found.data.get(key) {
        Some(material) => match material.expose().trim_ascii() {
            [] => Err(key_missing(format!("the key {key} of Secret {secret} is empty"))),
            text if text.iter().all(u8::is_ascii_graphic) => Ok(Credential {
                reference: CredentialRef { id, version: found.version.clone() },
                material: material.clone(),
            }),
            _ => {
                let message = format!(
                    "the key {key} of Secret {secret} has characters that no HTTP header can carry: \
                     write the plain key, on one line"
                );
                Err(Missing { reason: Reason::SecretUnusable, message })
            }
        },
        None => Err(key_missing(format!("Secret {secret} has no key {key}"))),
    }
}

fn key_missing(message: String) -> Missing {
    Missing { reason: Reason::SecretKeyMissing, message }
}

/// Readable, and unique: namespaces and fields have no dots. Kept short of a Secret key's 253 characters.
pub(crate) fn credential_id(kind: &str, name: &ObjectName, field: &str) -> String {
    let readable = format!("{kind}.{}.{}.{field}", name.namespace, name.name);
    if readable.len() <= 160 {
        return readable;
    }
    let digest = config::short_digest(readable.as_bytes());
    format!("{kind}.{}.{digest}.{field}", name.namespace)
}

//! Who is told when. A webhook that is not at hand holds up nothing else: the one before is used, or none.

use std::collections::{BTreeMap, BTreeSet};

use config::{Alert, CredentialRef, ObjectName, Secret};
use crds::{BudgetAlert, BudgetPolicy};
use url::Url;

use super::limits::at_most;
use super::{Complaint, Context, previous, unresolved};
use crate::Reason;
use crate::credentials::{Credential, Missing, credential_id, lookup};
use crate::upstream::{Fault, invalid};

/// The alerts of one policy.
#[derive(Default)]
pub(super) struct Alerts {
    /// Sorted by threshold.
    pub alerts: Vec<Alert>,
    pub credentials: BTreeMap<String, Secret>,
    pub complaints: Vec<Complaint>,
}

pub(super) fn resolve(
    context: &Context<'_>,
    object: &BudgetPolicy,
    name: &ObjectName,
) -> Result<Alerts, Fault> {
    at_most("alerts", object.spec.alerts.len(), 8)?;
    let mut thresholds = BTreeSet::new();
    let mut found = Alerts::default();
    for written in &object.spec.alerts {
        let percent = u16::try_from(written.at_percent).ok().filter(|percent| (1..=1_000).contains(percent));
        let Some(at_percent) = percent else {
            return Err(invalid(format!(
                "alerts: atPercent {} is not between 1 and 1000",
                written.at_percent
            )));
        };
        if !thresholds.insert(at_percent) {
            return Err(invalid(format!("alerts: atPercent {at_percent} is there twice: keep one")));
        }
        if !written.event && written.webhook_secret_ref.is_none() {
            return Err(invalid(format!(
                "alerts: the one at {at_percent} % tells nobody: set event, or webhookSecretRef"
            )));
        }
        let material = webhook(context, name, written).unwrap_or_else(|missing| {
            let message = format!("alert at {at_percent} %: {}", missing.message);
            found.complaints.push(unresolved((missing.reason, message)));
            last_webhook(context, object, (name, at_percent))
        });
        let webhook = material.map(|credential| {
            found.credentials.insert(credential.reference.file(), credential.material);
            credential.reference
        });
        found.alerts.push(Alert { at_percent, event: written.event, webhook });
    }
    found.alerts.sort_by_key(|alert| alert.at_percent);
    Ok(found)
}

/// The file and the content of a webhook that was published before.
pub(super) fn material(context: &Context<'_>, reference: &CredentialRef) -> Option<(String, Secret)> {
    let file = reference.file();
    let material = context.manifests.previous.get(context.gateway)?.credentials.get(&file)?.clone();
    Some((file, material))
}

fn webhook(
    context: &Context<'_>,
    name: &ObjectName,
    alert: &BudgetAlert,
) -> Result<Option<Credential>, Missing> {
    let Some(reference) = &alert.webhook_secret_ref else { return Ok(None) };
    let secret = ObjectName { namespace: name.namespace.clone(), name: reference.name.clone() };
    let id = credential_id("bpol", name, &format!("alert-{}", alert.at_percent));
    let found = lookup(context.manifests, &secret, &reference.key, id)?;
    let text = std::str::from_utf8(found.material.expose()).unwrap_or_default().trim();
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if url.is_none() {
        let message = format!(
            "the key {} of Secret {secret} is no http or https URL: write it as https://host/path",
            reference.key
        );
        return Err(Missing { reason: Reason::SecretUnusable, message });
    }
    if url.is_some_and(|url| context.egress.refuses(&url)) {
        let message = format!(
            "the URL in key {} of Secret {secret} is at a local address: egress.localAddresses of the ModelGateway \
             allows it",
            reference.key
        );
        return Err(Missing { reason: Reason::SecretUnusable, message });
    }
    Ok(Some(found))
}

fn last_webhook(
    context: &Context<'_>,
    object: &BudgetPolicy,
    (name, at_percent): (&ObjectName, u16),
) -> Option<Credential> {
    let alerts = &previous(context, object, name)?.alerts;
    let reference = alerts.iter().find(|alert| alert.at_percent == at_percent)?.webhook.clone()?;
    let (_, material) = material(context, &reference)?;
    // What was allowed before may be so no more.
    let url = Url::parse(std::str::from_utf8(material.expose()).ok()?.trim()).ok()?;
    if context.egress.refuses(&url) {
        return None;
    }
    Some(Credential { reference, material })
}

//! The status that a VirtualKey should have. Times come from its Secret, so that nobody has to remember them.

use crds::{ConditionType, SecretName, ServingGateway, VirtualKey, VirtualKeyStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use render::{KeyPlan, Kind, ObjectRef, Reason, SecretData};

use super::conditions::{Outlook, Verdict, hindered};
use super::objects::{Patience, Progressing, Scene, name_of};
use crate::secrets::secret_of_key;

/// What is shown of a key: enough to tell two apart, and of no use to anybody else.
const SHOWN: usize = 4;

impl Scene<'_> {
    /// The status of a VirtualKey.
    pub(super) fn key(&self, object: &VirtualKey, before: &[Condition]) -> (VirtualKeyStatus, Patience) {
        let name = name_of(&object.metadata);
        let own = ObjectRef { kind: Kind::VirtualKey, name: name.clone() };
        let findings = self.findings(&own);
        let plan = self.round.rendered.keys.get(&name);
        let expires_at = plan.and_then(|plan| plan.expires_at).and_then(time);
        let closed = self.closed(object, expires_at.as_ref());
        let is_on_its_way = findings.iter().any(|finding| finding.reason == Reason::KeyNotIssued);
        let mut progressing = match (hindered(&findings), self.key_troubles.get(&name)) {
            (Some(_), Some(trouble)) if is_on_its_way => Progressing::hindered(
                Verdict::no("SecretNotWritten", trouble.clone()),
                Outlook::Waiting,
                "no key yet".into(),
            ),
            (Some(_), None) if is_on_its_way => {
                Progressing::not_yet(Verdict::no(Reason::KeyNotIssued.as_str(), "its Secret is on its way"))
            }
            (Some((verdict, outlook)), _) => {
                let summary = verdict.message.clone();
                Progressing::hindered(verdict, outlook, summary)
            }
            // What pods take goes on; a rotation, say, does not.
            (None, Some(trouble)) => Progressing { summary: trouble.clone(), ..self.served(&own) },
            (None, None) => self.served(&own),
        };
        if let Some((_, verdict)) = &closed {
            progressing.summary.clone_from(&verdict.message);
        }
        let (conditions, generation) =
            self.conditions(&object.metadata, before, (&findings, closed), &progressing);
        let found = secret_of_key(object).and_then(|secret| self.round.manifests.secrets.get(&secret));
        let status = self.with_secret(object, plan, found);
        let (observed_generation, summary) = (generation, progressing.summary);
        (
            VirtualKeyStatus { observed_generation, conditions, expires_at, summary, ..status },
            progressing.patience,
        )
    }

    /// Why a key that is served as written does not open the gateway all the same.
    fn closed(&self, object: &VirtualKey, expires_at: Option<&Time>) -> Option<(ConditionType, Verdict)> {
        if expires_at.is_some_and(|end| end.0 <= self.now) {
            return Some((ConditionType::Expired, Verdict::no("Expired", "expired")));
        }
        let suspended = || (ConditionType::Suspended, Verdict::no("Suspended", "suspended"));
        object.spec.suspend.then(suspended)
    }

    /// What its Secret says.
    fn with_secret(
        &self,
        object: &VirtualKey,
        plan: Option<&KeyPlan>,
        found: Option<&SecretData>,
    ) -> VirtualKeyStatus {
        let import = object.spec.import_from.as_ref().map(|import| &import.secret_key_ref);
        let order = plan.and_then(|plan| plan.order.as_ref());
        let issue = found.and_then(|found| found.issue.as_ref()).filter(|_| order.is_some());
        let uid = object.metadata.uid.as_deref().unwrap_or_default();
        // One that was made for something else says nothing of this key.
        let found = found.filter(|_| import.is_some() || issue.is_some_and(|issue| issue.uid == uid));
        let issue = issue.filter(|issue| issue.uid == uid);
        let field = order.map(|order| &order.key).or(import.map(|import| &import.key));
        let material = found.zip(field).and_then(|(found, field)| found.data.get(field));
        let issued_at = issue.and_then(|issue| issue.issued_at);
        let rotates_at = issued_at.zip(order.and_then(|order| order.rotation));
        let previous = issue.and_then(|issue| issue.previous.as_ref()?.until).and_then(time);
        VirtualKeyStatus {
            observed_generation: 0,
            conditions: Vec::new(),
            gateway: plan.map(|plan| ServingGateway {
                name: plan.gateway.name.clone(),
                namespace: plan.gateway.namespace.clone(),
            }),
            key_id: material.map(|material| shown(material.expose())),
            secret_ref: found.and(secret_of_key(object)).map(|secret| SecretName { name: secret.name }),
            issued_at: issued_at.and_then(time),
            expires_at: None,
            rotates_at: rotates_at
                .and_then(|(at, rotation)| time(at.saturating_add(rotation.interval.as_secs()))),
            previous_key_expires_at: previous.filter(|until| until.0 > self.now),
            summary: String::new(),
        }
    }
}

/// When the status of a key will be another with no change but that of time.
pub(super) fn next_change(status: &VirtualKeyStatus, now: Timestamp) -> Option<Timestamp> {
    let times = [&status.expires_at, &status.previous_key_expires_at];
    times.into_iter().flatten().map(|time| time.0).filter(|time| *time > now).min()
}

/// `sk-...` and the end of the key, as LiteLLM shows it.
fn shown(key: &[u8]) -> String {
    let key = key.trim_ascii();
    let end = key.len().checked_sub(SHOWN).and_then(|start| key.get(start..)).unwrap_or_default();
    format!("sk-...{}", String::from_utf8_lossy(end))
}

fn time(seconds: u64) -> Option<Time> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok().map(Time)
}

#[cfg(test)]
mod tests;

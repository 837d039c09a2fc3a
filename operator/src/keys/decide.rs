//! What is to be done for one VirtualKey. Pure: from the object, what was rendered for it and what its Secret says to
//! the next deed, and when to look again.
//!
//! A rotation goes like this. When the key's time is over, the next one is made, and its digest rendered: now the
//! gateway takes both. Once every Ready pod does, the Secret gets the new key, and notes the old one with the end of
//! its overlap. A leader that dies before the Secret is written takes a key with it that nobody had.

use std::time::Duration;

use config::{KeyHash, Secret};
use crds::VirtualKey;
use render::{KeyPlan, Order, SecretData};

use super::secret;

/// What is known of one VirtualKey.
pub(super) struct View<'a> {
    pub object: &'a VirtualKey,
    /// `None` if it may not open a gateway.
    pub plan: Option<&'a KeyPlan>,
    /// As it was rendered with.
    pub secret: Option<&'a SecretData>,
    /// Whether the API server has one by that name, rendered with or not.
    pub exists: bool,
    /// The digest of the next key, if one was made.
    pub next: Option<&'a KeyHash>,
    /// Whether every Ready pod takes the next key.
    pub is_served: bool,
    /// Unix seconds.
    pub now: u64,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Make the Secret.
    Issue,
    /// Put a new key into it at once: it has none.
    Reissue,
    /// Write all of it but the key anew.
    Amend,
    /// Make the next key.
    Prepare,
    /// Put the next key into the Secret, and note the old one.
    Replace { old: KeyHash },
    /// The Secret holds the next key, or none is wanted any more.
    Forget,
}

/// The deeds, in order, and the Unix second to look again at.
pub(super) fn decide(view: &View<'_>) -> (Vec<Deed>, Option<u64>) {
    let metadata = &view.object.metadata;
    let mut deeds = Vec::new();
    if metadata.deletion_timestamp.is_some() {
        return (forgetting(view, deeds), None);
    }
    let Some(plan) = view.plan else { return (forgetting(view, deeds), None) };
    let Some(order) = &plan.order else { return (forgetting(view, deeds), None) };
    let Some(found) = view.secret else {
        deeds.extend((!view.exists).then_some(Deed::Issue));
        return (forgetting(view, deeds), None);
    };
    let (name, uid) = (metadata.name.as_deref(), metadata.uid.as_deref());
    let is_ours = |issue: &&render::Issue| name == Some(&issue.key) && uid == Some(&issue.uid);
    let Some(issue) = found.issue.as_ref().filter(is_ours) else { return (deeds, None) };
    let Some(current) = found.data.get(&order.key) else {
        deeds.push(Deed::Reissue);
        return (forgetting(view, deeds), None);
    };
    if issue.retained != order.retain || secret::has_other_url(&found.data, order) {
        // What is due of a rotation is done in the version that this leaves.
        deeds.push(Deed::Amend);
        return (deeds, None);
    }
    let (deed, again) = rotate(view, order, (issue.issued_at, current), plan.expires_at);
    deeds.extend(deed);
    (deeds, again)
}

/// What is due of a rotation, and when the next is.
fn rotate(
    view: &View<'_>,
    order: &Order,
    (issued_at, current): (Option<u64>, &Secret),
    expires_at: Option<u64>,
) -> (Option<Deed>, Option<u64>) {
    let is_over = expires_at.is_some_and(|end| end <= view.now);
    let rotation = order.rotation.filter(|_| !is_over && !view.object.spec.suspend);
    let due = rotation.map(|rotation| issued_at.unwrap_or(0).saturating_add(rotation.interval.as_secs()));
    match (rotation.zip(due), view.next) {
        (None, Some(_)) => (Some(Deed::Forget), None),
        (_, Some(next)) if next.sha256 == KeyHash::of(current.expose()).sha256 => (Some(Deed::Forget), due),
        (Some((_, due)), None) if due <= view.now => (Some(Deed::Prepare), None),
        (Some((rotation, due)), Some(_)) if due <= view.now && view.is_served => {
            let until = Some(until(view.now, rotation.overlap));
            (Some(Deed::Replace { old: KeyHash { until, ..KeyHash::of(current.expose()) } }), None)
        }
        (Some((_, due)), _) => (None, (due > view.now).then_some(due)),
        (None, None) => (None, None),
    }
}

/// A fraction of a second counts as a whole one.
fn until(now: u64, overlap: Duration) -> u64 {
    now.saturating_add(overlap.as_secs()).saturating_add(u64::from(overlap.subsec_nanos() > 0))
}

/// `deeds`, and that a next key is of no use.
fn forgetting(view: &View<'_>, mut deeds: Vec<Deed>) -> Vec<Deed> {
    deeds.extend(view.next.map(|_| Deed::Forget));
    deeds
}

#[cfg(test)]
mod tests;

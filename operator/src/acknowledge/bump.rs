//! The annotation whose change makes the kubelet sync a pod's volumes at once.

use std::collections::BTreeMap;
use std::time::Duration;

use config::ObjectName;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde::Serialize;
use tokio::time::timeout;

use crate::leader::Context;
use crate::lease;
use crate::names;
use crate::publish::REQUEST;

/// After these the kubelet's own rhythm must do.
pub(super) const MOST: u32 = 8;

/// A kubelet syncs a pod at most once between two looks at its containers, which are a second apart (it waits
/// for its cache to be newer than the last sync: `podWorkerLoop` and `GetNewerThan`, Kubernetes 1.36, read
/// 2026-11-21). So a bump soon after another takes up to that long, and one too many delays the next change.
const SYNC: Duration = Duration::from_millis(1_400);

/// A pod at rest is synced in 50 to 250 ms. If it was not, the kubelet had not seen the new ConfigMap yet.
const SYNC_AT_REST: Duration = Duration::from_millis(450);

/// How long to wait for the effect of a bump. `last` is how long ago the one before it was.
pub(super) fn pause(count: u32, last: Option<Duration>) -> Duration {
    match count.checked_sub(1) {
        None if last.is_none_or(|last| last > SYNC) => SYNC_AT_REST,
        None => SYNC,
        Some(again) => SYNC * 2_u32.saturating_pow(again),
    }
}

/// The value to write, or `None` if the first bump was made already.
pub(super) fn next(annotation: Option<&str>, revision: &str, first: bool) -> Option<String> {
    let suffix = annotation.and_then(|value| value.strip_prefix(revision));
    match suffix {
        Some(_) if first => None,
        Some(suffix) => {
            let bumps: u32 = suffix.strip_prefix('.').and_then(|bumps| bumps.parse().ok()).unwrap_or(0);
            Some(format!("{revision}.{}", bumps.saturating_add(1)))
        }
        None => Some(revision.to_owned()),
    }
}

#[derive(Debug, Serialize)]
struct Bump<'a> {
    metadata: Metadata<'a>,
}

#[derive(Debug, Serialize)]
struct Metadata<'a> {
    annotations: BTreeMap<&'a str, &'a str>,
}

/// Writes it. A failure is left to the next bump.
pub(super) async fn write(context: &Context, pod: &ObjectName, value: &str) {
    if !lease::leads(&context.leadership) {
        return;
    }
    let api: Api<Pod> = Api::namespaced(context.client.clone(), &pod.namespace);
    let patch =
        Patch::Merge(Bump { metadata: Metadata { annotations: BTreeMap::from([(names::REVISION, value)]) } });
    let params = PatchParams { field_manager: Some(names::MANAGER.into()), ..PatchParams::default() };
    match timeout(REQUEST, api.patch_metadata(&pod.name, &params, &patch)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(%pod, class = crate::publish::class_of(&error), "not bumped: {error}")
        }
        Err(_) => tracing::warn!(%pod, "not bumped: the API server did not answer in time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bump_always_changes_the_annotation() {
        assert_eq!(next(None, "r2", true).as_deref(), Some("r2"));
        assert_eq!(next(Some("r1.3"), "r2", true).as_deref(), Some("r2"));
        assert_eq!(next(Some("r2"), "r2", false).as_deref(), Some("r2.1"));
        assert_eq!(next(Some("r2.1"), "r2", false).as_deref(), Some("r2.2"));
    }

    #[test]
    fn a_pod_at_rest_is_bumped_again_soon_and_a_busy_one_is_not() {
        let waits = |last| (0..3).map(|count| pause(count, last).as_millis()).collect::<Vec<_>>();
        assert_eq!(waits(None), [450, 1_400, 2_800]);
        assert_eq!(waits(Some(Duration::from_millis(300))), [1_400, 1_400, 2_800]);
    }

    #[test]
    fn the_bump_of_the_leader_before_is_not_made_again_at_first() {
        assert_eq!(next(Some("r2"), "r2", true), None);
        assert_eq!(next(Some("r2.4"), "r2", true), None);
    }
}

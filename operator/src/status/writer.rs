//! Writes statuses from the queue: some at a time, at a bounded rate, each only if it still differs.

use std::fmt::Debug;
use std::time::Duration;

use crds::{ConditionType, StatusConditions};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource};
use render::{Kind, ObjectRef};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::budgets;
use super::conditions::find;
use super::queue::{Desired, Next, Queue, Statused};
use super::until;
use crate::events::News;
use crate::index::Kept;
use crate::leader::Context;
use crate::names;

/// Writes at a time.
const CONCURRENT: usize = 8;
/// One write in this time, over all objects …
const INTERVAL: Duration = Duration::from_millis(20);
/// … but so many at once after a rest.
const BURST: u32 = 100;
/// Of one request.
const REQUEST: Duration = Duration::from_secs(5);

/// Writes what the queue holds.
pub(crate) struct Writer {
    context: Context,
    queue: Queue,
    bucket: Bucket,
}

/// Allows so many writes in so much time.
#[derive(Debug)]
struct Bucket {
    /// When all tokens would be back.
    full_at: Instant,
}

impl Bucket {
    /// When the next write may start.
    fn next(&self) -> Instant {
        self.full_at.checked_sub(INTERVAL * (BURST - 1)).unwrap_or(self.full_at)
    }

    fn take(&mut self, now: Instant) {
        self.full_at = self.full_at.max(now) + INTERVAL;
    }
}

impl Writer {
    pub(crate) fn new(context: Context, queue: Queue) -> Self {
        Self { context, queue, bucket: Bucket { full_at: Instant::now() } }
    }

    /// Runs until `stop`; writes that have begun are finished.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut writes = JoinSet::new();
        while let Some(due) = stop.run_until_cancelled(self.start_writes(&mut writes)).await {
            let next = async {
                tokio::select! {
                    () = self.queue.added() => {}
                    () = until(due) => {}
                    Some(_) = writes.join_next() => {}
                }
            };
            if stop.run_until_cancelled(next).await.is_none() {
                break;
            }
        }
        while writes.join_next().await.is_some() {}
    }

    /// Starts as many as may run; returns when the next may.
    async fn start_writes(&mut self, writes: &mut JoinSet<()>) -> Option<Instant> {
        loop {
            if writes.len() >= CONCURRENT {
                return None;
            }
            let now = Instant::now();
            let allowed = self.bucket.next();
            if allowed > now {
                return Some(allowed);
            }
            match self.queue.next(now) {
                Next::At(due) => return due,
                Next::Write(object, desired) => {
                    self.bucket.take(now);
                    let (context, queue) = (self.context.clone(), self.queue.clone());
                    writes.spawn(async move {
                        write(&context, &object, *desired).await;
                        queue.finish(&object);
                    });
                }
            }
        }
    }
}

async fn write(context: &Context, object: &ObjectRef, desired: Desired) {
    let name = &object.name;
    match desired {
        Desired::Gateway(status) => {
            let cached = context.index.lock().gateways.get(name).cloned();
            write_if_new(context, object.kind, cached.as_deref(), &status).await;
        }
        Desired::Deployment(status) => {
            let cached = context.index.lock().deployments.get(name).cloned();
            write_if_new(context, object.kind, cached.as_deref(), &status).await;
        }
        Desired::Route(status) => {
            let cached = context.index.lock().routes.get(name).cloned();
            write_if_new(context, object.kind, cached.as_deref(), &status).await;
        }
        Desired::Key(status) => {
            let cached = context.index.lock().keys.get(name).cloned();
            write_if_new(context, object.kind, cached.as_deref(), &status).await;
        }
        Desired::ProviderSecret(status) => {
            let cached = context.index.lock().provider_secrets.get(name).cloned();
            write_if_new(context, object.kind, cached.as_deref(), &status).await;
        }
        Desired::BudgetPolicy(status) => {
            let cached = context.index.lock().budget_policies.get(name).cloned();
            let is_written = write_if_new(context, object.kind, cached.as_deref(), &status).await;
            if let Some(cached) = cached.filter(|_| is_written) {
                budgets::announce(&context.herald, &cached, &status);
            }
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Apply<'a, S> {
    api_version: &'a str,
    kind: &'a str,
    metadata: ApplyMetadata<'a>,
    status: &'a S,
}

/// With the uid, so that a successor of the same name does not inherit the status.
#[derive(Debug, Serialize)]
struct ApplyMetadata<'a> {
    name: &'a str,
    uid: &'a str,
}

/// Whether it was written.
async fn write_if_new<K>(context: &Context, kind: Kind, cached: Option<&K>, status: &K::Status) -> bool
where
    K: Statused + Resource<DynamicType = (), Scope = NamespaceResourceScope> + Kept,
    K: Clone + Debug + DeserializeOwned,
    K::Status: Serialize + Debug,
{
    let Some(cached) = cached.filter(|cached| cached.status() != Some(status)) else { return false };
    let metadata = cached.meta();
    let (name, uid) =
        (metadata.name.as_deref().unwrap_or_default(), metadata.uid.as_deref().unwrap_or_default());
    let api: Api<K> =
        Api::namespaced(context.client.clone(), metadata.namespace.as_deref().unwrap_or_default());
    let version = K::api_version(&());
    let body =
        Apply { api_version: &version, kind: kind.as_str(), metadata: ApplyMetadata { name, uid }, status };
    let params = PatchParams::apply(names::STATUS_MANAGER).force();
    match timeout(REQUEST, api.patch_status(name, &params, &Patch::Apply(&body))).await {
        Ok(Ok(written)) => {
            context.metrics.status_patch("written");
            announce(context, cached, status);
            context.index.apply_answer(written);
            return true;
        }
        Ok(Err(error)) => failed(context, name, &error),
        Err(_) => {
            context.metrics.status_patch("timeout");
            tracing::warn!(
                kind = kind.as_str(),
                name,
                "status not written: the API server did not answer in time"
            );
            context.index.bells().statuses.notify_one();
        }
    }
    false
}

/// What is gone needs no status; all else is tried again by the next pass.
fn failed(context: &Context, name: &str, error: &kube::Error) {
    let class = crate::publish::class_of(error);
    if matches!(class, "NotFound" | "Conflict") {
        context.metrics.status_patch("gone");
        return;
    }
    context.metrics.status_patch("failed");
    context.metrics.failed("Status", class);
    tracing::warn!(name, class, "status not written: {error}");
    context.index.bells().statuses.notify_one();
}

/// Tells people of a transition.
fn announce<K>(context: &Context, cached: &K, status: &K::Status)
where
    K: Statused + Resource<DynamicType = ()>,
{
    let before = cached.status().map_or(&[][..], |status| status.conditions());
    for (good, condition) in transitions(before, status.conditions()) {
        let reason = if good { condition.type_.clone() } else { condition.reason.clone() };
        let (object, note) = (cached.object_ref(&()), condition.message.clone());
        context.herald.tell(News { object, good, reason, note });
    }
}

/// The conditions that flipped, and whether that is good news.
fn transitions<'a>(before: &[Condition], after: &'a [Condition]) -> Vec<(bool, &'a Condition)> {
    let changed = |type_: ConditionType| {
        let new = find(after, type_)?;
        let same =
            find(before, type_).is_some_and(|old| old.status == new.status && old.reason == new.reason);
        (!same).then_some(new)
    };
    let bad = [ConditionType::Accepted, ConditionType::ResolvedRefs].into_iter().filter_map(changed);
    let mut news: Vec<_> = bad.filter(|new| new.status == "False").map(|new| (false, new)).collect();
    let programmed = changed(ConditionType::Programmed);
    match programmed.filter(|new| new.status == "True") {
        Some(new) => news.push((true, new)),
        // Else the reason was just told.
        None if news.is_empty() => news.extend(programmed.map(|new| (false, new))),
        None => {}
    }
    news
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn condition(type_: &str, status: &str, reason: &str) -> Condition {
        Condition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.into(),
            message: String::new(),
            observed_generation: Some(1),
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
        }
    }

    fn told(before: &[Condition], after: &[Condition]) -> Vec<(bool, String)> {
        transitions(before, after).into_iter().map(|(good, new)| (good, new.reason.clone())).collect()
    }

    #[test]
    fn only_a_transition_is_news() {
        let current = [condition("Programmed", "True", "AllPodsCurrent")];
        let lagging = [condition("Programmed", "False", "PodsLagging")];
        assert_eq!(told(&[], &current), [(true, "AllPodsCurrent".into())]);
        assert_eq!(told(&current, &current), []);
        assert_eq!(told(&current, &lagging), [(false, "PodsLagging".into())]);
        assert_eq!(told(&lagging, &lagging), []);
    }

    #[test]
    fn a_refusal_is_told_once() {
        let refused = [
            condition("Accepted", "False", "UnknownProvider"),
            condition("Programmed", "False", "UnknownProvider"),
        ];
        assert_eq!(told(&[], &refused), [(false, "UnknownProvider".into())]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_bounded_after_a_burst() {
        let start = Instant::now();
        let mut bucket = Bucket { full_at: start };
        for _ in 0..BURST {
            assert!(bucket.next() <= start);
            bucket.take(start);
        }
        assert_eq!(bucket.next(), start + INTERVAL);
    }
}

//! Keeps the Secrets of VirtualKeys: makes them, and rotates what is in them. A key that is deleted is revoked by the
//! next config. `keys/decide.rs` says what is due, `keys/secret.rs` what is written, `keys/perform.rs` writes.
//!
//! What it needs to know stands in the cluster, but for the next key of a rotation: see `decide.rs`.

mod decide;
mod perform;
mod secret;

pub(crate) use secret::issue_of;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use config::{KeyHash, ObjectName, Secret};
use crds::VirtualKey;
use futures::StreamExt as _;
use render::{KeyPlan, Kind, ObjectRef};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::board::{self, Round};
use crate::index::Index;
use crate::leader::Context;
use crate::status::{Reached, Standing, pods_of, until};
use decide::{View, decide};
use perform::{Done, Work};

/// VirtualKeys that are seen to at a time.
const AT_ONCE: usize = 8;
/// Between two passes.
const REST: Duration = Duration::from_millis(50);
/// Passes take at most this share of the time.
const SHARE: u32 = 10;
/// A clock may be set: look at least this often.
const LONGEST: Duration = Duration::from_secs(600);
/// Between two attempts for one VirtualKey, growing.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Keeps the Secrets during one leadership.
pub(crate) struct KeyKeeper {
    context: Context,
    /// The next keys, whose digests are on the board.
    next: BTreeMap<ObjectName, Next>,
    failures: HashMap<ObjectName, Failure>,
}

/// The next key of a rotation.
#[derive(Clone)]
pub(super) struct Next {
    uid: String,
    key: Secret,
    hash: KeyHash,
}

/// Since an attempt failed.
struct Failure {
    count: u32,
    again: Instant,
}

impl KeyKeeper {
    pub(crate) fn new(context: Context) -> Self {
        Self { context, next: BTreeMap::new(), failures: HashMap::new() }
    }

    /// Runs until `stop`; what has begun is finished.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let started = Instant::now();
            let due = self.pass(started).await;
            let rest = REST.max(started.elapsed() * SHARE);
            let next = async {
                sleep(rest).await;
                tokio::select! {
                    () = self.context.board.changed_for_keys() => {}
                    () = until(Some(due)) => {}
                }
            };
            if stop.run_until_cancelled(next).await.is_none() {
                return;
            }
        }
    }

    /// Does all that is due; returns when to look again if nothing happens.
    async fn pass(&mut self, now: Instant) -> Instant {
        let (works, due) = self.survey(now);
        let context = self.context.clone();
        let mut done = futures::stream::iter(works.into_iter().map(|work| perform::perform(&context, work)))
            .buffer_unordered(AT_ONCE);
        let mut due = due;
        while let Some((name, result)) = done.next().await {
            due = due.min(self.note(name, result, now));
        }
        due
    }

    /// What is to be done, seen from one moment, and when there is more.
    fn survey(&mut self, now: Instant) -> (Vec<Work>, Instant) {
        let (board, shared) = (self.context.board.clone(), self.context.index.clone());
        let (state, index) = (board.lock(), shared.lock());
        let mut due = now + LONGEST;
        let Some(round) = state.round.clone() else { return (Vec::new(), due) };
        let clock = (self.context.clock)();
        let seconds = u64::try_from(clock.as_second()).unwrap_or(0);
        let lanes = lanes(&state, &index);
        let mut works = Vec::new();
        for (name, object) in &index.keys {
            if !self.context.scope.gateways.contains(&gateway_of(object).namespace) {
                continue;
            }
            let next = self.next.get(name).filter(|next| Some(&next.uid) == object.metadata.uid.as_ref());
            let view = view(&round, (name, object), next, (&lanes, &index), seconds);
            let (deeds, again) = decide(&view);
            if let Some(again) = again {
                due = due.min(now + Duration::from_secs(again.saturating_sub(seconds)));
            }
            if deeds.is_empty() {
                continue;
            }
            if let Some(failure) = self.failures.get(name).filter(|failure| failure.again > now) {
                due = due.min(failure.again);
                continue;
            }
            works.push(Work {
                name: name.clone(),
                object: Arc::clone(object),
                order: view.plan.and_then(|plan| plan.order.clone()),
                version: view.secret.map(|secret| secret.version.clone()).unwrap_or_default(),
                next: next.cloned(),
                deeds,
                now: clock,
            });
        }
        let known = self.next.keys().chain(self.failures.keys());
        let strangers: BTreeSet<_> = known.filter(|name| !index.keys.contains_key(*name)).cloned().collect();
        drop((state, index));
        strangers.iter().for_each(|name| self.forget_stranger(name));
        (works, due)
    }

    /// What was kept for a VirtualKey that is gone is of no use, least of all to a successor of its name.
    fn forget_stranger(&mut self, name: &ObjectName) {
        if self.failures.remove(name).is_some() {
            self.context.board.update(|state| state.key_troubles.remove(name));
        }
        if self.next.contains_key(name) {
            self.forget(name);
        }
    }

    /// Takes note of what became of one; returns when to look again.
    fn note(&mut self, name: ObjectName, result: Result<Done, String>, now: Instant) -> Instant {
        let problem = match result {
            Ok(done) => {
                match done {
                    Done::Written => {}
                    Done::Prepared(next) => {
                        let hash = next.hash.clone();
                        self.next.insert(name.clone(), next);
                        self.context.board.update(|state| state.next_keys.insert(name.clone(), hash));
                        self.context.index.render_again();
                    }
                    Done::Forgotten => self.forget(&name),
                }
                if self.failures.remove(&name).is_some() {
                    self.context.board.update(|state| state.key_troubles.remove(&name));
                }
                return now + LONGEST;
            }
            Err(problem) => problem,
        };
        self.context.board.update(|state| state.key_troubles.insert(name.clone(), problem));
        let failure = self.failures.entry(name).or_insert(Failure { count: 0, again: now });
        failure.again = now + (RETRY_MIN * 2_u32.saturating_pow(failure.count)).min(RETRY_MAX);
        failure.count = (failure.count + 1).min(10);
        failure.again
    }

    fn forget(&mut self, name: &ObjectName) {
        self.next.remove(name);
        self.context.board.update(|state| state.next_keys.remove(name));
        self.context.index.render_again();
    }
}

/// How the pods of each gateway stand.
type Lanes<'a> = BTreeMap<&'a ObjectName, (&'a board::Line, Standing)>;

fn lanes<'a>(state: &'a board::State, index: &Index) -> Lanes<'a> {
    let standing = |(name, line): (&'a ObjectName, &'a board::Line)| {
        let progress = line.progress.as_ref();
        let standing = progress.map(|it| Standing::of(it, pods_of(name, index, &state.pods)));
        (name, (line, standing.unwrap_or_default()))
    };
    state.lines.iter().map(standing).collect()
}

fn view<'a>(
    round: &'a Round,
    (name, object): (&'a ObjectName, &'a VirtualKey),
    next: Option<&'a Next>,
    (lanes, index): (&Lanes<'_>, &Index),
    now: u64,
) -> View<'a> {
    let plan = round.rendered.keys.get(name);
    let order = plan.and_then(|plan| plan.order.as_ref());
    let there = order.and_then(|order| index.secrets.get(&order.secret));
    let read = order.and_then(|order| round.manifests.secrets.get(&order.secret));
    View {
        object,
        plan,
        // One that has changed since is looked at after the next round.
        secret: read.filter(|read| there == Some(&read.version)),
        exists: there.is_some(),
        next: next.map(|next| &next.hash),
        // Asked of a few only: there may be ten thousand keys.
        is_served: match (plan, next) {
            (Some(plan), Some(next)) => is_served(round, (name, plan), next, lanes.get(&plan.gateway)),
            _ => false,
        },
        now,
    }
}

/// Whether every Ready pod takes the key as it was rendered last, with the next one.
fn is_served(
    round: &Round,
    (name, plan): (&ObjectName, &KeyPlan),
    next: &Next,
    lane: Option<&(&board::Line, Standing)>,
) -> bool {
    let Some((line, standing)) = lane else { return false };
    let Some(progress) = &line.progress else { return false };
    let Some(rendered) = round.rendered.gateways.get(&plan.gateway).and_then(|it| key_of(&it.config, name))
    else {
        return false;
    };
    let has_next = rendered.hashes.iter().any(|hash| hash.sha256 == next.hash.sha256);
    let is_published = key_of(&progress.config, name) == Some(rendered);
    let since = progress.since(&ObjectRef { kind: Kind::VirtualKey, name: name.clone() });
    has_next && is_published && since.is_some_and(|since| matches!(standing.reached(since), Reached::Yes(_)))
}

/// Keys are sorted in every config.
fn key_of<'c>(config: &'c config::Config, name: &ObjectName) -> Option<&'c config::Key> {
    let at = config.keys.binary_search_by(|key| key.id.cmp(name)).ok()?;
    config.keys.get(at)
}

/// The gateway that a VirtualKey names.
pub(crate) fn gateway_of(object: &VirtualKey) -> ObjectName {
    let reference = &object.spec.gateway_ref;
    let own = || object.metadata.namespace.clone().unwrap_or_default();
    ObjectName { namespace: reference.namespace.clone().unwrap_or_else(own), name: reference.name.clone() }
}

#[cfg(test)]
mod tests;

//! Tells people: compares the status that each object should have with the one it has, and queues what
//! differs. `status/objects.rs` says what it should be, `status/queue.rs` holds what waits, and
//! `status/writer.rs` writes it.

mod budgets;
mod conditions;
mod keys;
mod objects;
mod queue;
mod routes;
mod standing;
mod writer;

pub(crate) use queue::Queue;
pub(crate) use standing::{Reached, Standing};
pub(crate) use writer::Writer;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use config::ObjectName;
use crds::{ConditionType, GatewayRef, StatusConditions};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;
use render::{Kind, ObjectRef};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::board::{self, Heard, Round};
use crate::index::{Index, PodView};
use crate::keys::gateway_of;
use crate::leader::Context;
use objects::{Lane, Patience, Scene};
use queue::{Place, Statused};

/// How long a new generation may be on its way before its status says so.
const GRACE: Duration = Duration::from_secs(2);
/// How long what was programmed may be behind before its status says so: pods come and go.
const GRACE_OF_PROGRAMMED: Duration = Duration::from_secs(10);
/// The same of gateways, which is what alerts look at.
const GRACE_OF_GATEWAY: Duration = Duration::from_secs(3);
/// A clock may be set: look at least this often.
const LONGEST: Duration = Duration::from_secs(600);
/// Between two passes.
const REST: Duration = Duration::from_millis(50);
/// Passes take at most this share of the time.
const SHARE: u32 = 10;

/// Computes all statuses whenever something may have changed them.
pub(crate) struct StatusPass {
    context: Context,
    queue: Queue,
    /// Objects whose status says what may be over in a moment, and since when it would.
    waiting: HashMap<ObjectRef, Instant>,
}

impl StatusPass {
    pub(crate) fn new(context: Context, queue: Queue) -> Self {
        Self { context, queue, waiting: HashMap::new() }
    }

    /// Runs until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let started = Instant::now();
            let due = self.pass(started);
            let rest = REST.max(started.elapsed() * SHARE);
            let next = async {
                sleep(rest).await;
                tokio::select! {
                    () = self.context.board.changed() => {}
                    () = self.context.index.bells().statuses.notified() => {}
                    () = until(due) => {}
                }
            };
            if stop.run_until_cancelled(next).await.is_none() {
                // What was published last is told before we go.
                self.pass(Instant::now());
                return;
            }
        }
    }

    /// Queues what differs; returns when to look again if nothing happens.
    fn pass(&mut self, now: Instant) -> Option<Instant> {
        let board = self.context.board.clone();
        let index = self.context.index.clone();
        let (mut state, index) = (board.lock(), index.lock());
        let round = state.round.clone()?;
        self.measure(&mut state, &index, now);
        let scene = scene(&round, &state, &index, (self.context.clock)());
        let mut sweep = Sweep { now, due: None, known: BTreeSet::new() };
        self.look_at_all(&scene, &index, &mut sweep);
        self.settle_keys(&scene, &index, &mut sweep);
        self.waiting.retain(|object, _| sweep.known.contains(object));
        self.queue.retain(&sweep.known);
        self.context.metrics.queue_depth(self.queue.len());
        sweep.due
    }

    /// Queues what differs, of all kinds.
    fn look_at_all(&mut self, scene: &Scene<'_>, index: &Index, sweep: &mut Sweep) {
        let round = scene.round;
        for object in &round.manifests.gateways {
            let ours = self.context.scope.gateways.contains(&name_of(&**object).namespace);
            let cached = live(&index.gateways, object).filter(|cached| ours || is_nobodys(cached));
            let should = cached.map(|cached| scene.gateway(object, before(cached)));
            self.settle(Kind::ModelGateway, cached, should, sweep);
        }
        for object in &round.manifests.deployments {
            let ours = self.is_ours(&object.spec.gateway_ref, &**object);
            let cached = live(&index.deployments, object).filter(|cached| ours || is_nobodys(cached));
            let should = cached.map(|cached| scene.deployment(object, before(cached)));
            self.settle(Kind::ModelDeployment, cached, should, sweep);
        }
        for object in &round.manifests.routes {
            let ours = self.is_ours(&object.spec.gateway_ref, &**object);
            let cached = live(&index.routes, object).filter(|cached| ours || is_nobodys(cached));
            let should = cached.map(|cached| scene.route(object, before(cached)));
            self.settle(Kind::ModelRoute, cached, should, sweep);
        }
        for object in &round.manifests.budget_policies {
            let ours = self.is_ours(&object.spec.gateway_ref, &**object);
            let cached = live(&index.budget_policies, object).filter(|cached| ours || is_nobodys(cached));
            let should = cached.map(|cached| {
                let (mut status, patience) = scene.budget_policy(cached);
                let name = name_of(&**cached);
                let is_counted = scene.budgets.contains_key(&name);
                let reading = self.context.readings.of(&name).filter(|_| is_counted);
                budgets::show(reading, cached, &mut status, scene.now);
                (status, patience)
            });
            self.settle(Kind::BudgetPolicy, cached, should, sweep);
        }
        for object in &round.manifests.provider_secrets {
            let name = name_of(&**object);
            let attached = |users: &BTreeSet<ObjectName>| users.iter().any(|user| is_attached(round, user));
            let used = round.rendered.users.get(&name).is_some_and(attached);
            let ours = used || self.context.scope.gateways.contains(&name.namespace);
            let cached = live(&index.provider_secrets, object).filter(|cached| ours || is_nobodys(cached));
            let should = cached.map(|cached| scene.provider_secret(object, before(cached)));
            self.settle(Kind::ProviderSecret, cached, should, sweep);
        }
    }

    /// Whether the gateway that `object` names lives where we serve gateways.
    fn is_ours(&self, reference: &GatewayRef, object: &impl kube::Resource) -> bool {
        let namespace = reference.namespace.clone().unwrap_or_else(|| name_of(object).namespace);
        self.context.scope.gateways.contains(&namespace)
    }

    /// VirtualKeys, whose statuses change with time alone too. One that is being deleted needs none.
    fn settle_keys(&mut self, scene: &Scene<'_>, index: &Index, sweep: &mut Sweep) {
        for object in &scene.round.manifests.keys {
            let ours = self.context.scope.gateways.contains(&gateway_of(object).namespace);
            let cached = live(&index.keys, object).filter(|cached| {
                cached.metadata.deletion_timestamp.is_none() && (ours || is_nobodys(cached))
            });
            let should = cached.map(|cached| scene.key(object, before(cached)));
            let change = should.as_ref().and_then(|(status, _)| keys::next_change(status, scene.now));
            let wait = change.and_then(|change| Duration::try_from(change.duration_since(scene.now)).ok());
            sweep.due = sweep.due.into_iter().chain(wait.map(|wait| sweep.now + wait.min(LONGEST))).min();
            self.settle(Kind::VirtualKey, cached, should, sweep);
        }
    }

    /// Queues the status that an object should have, unless it has it, or may not need it in a moment.
    fn settle<K: Statused>(
        &mut self,
        kind: Kind,
        cached: Option<&Arc<K>>,
        should: Option<(K::Status, Patience)>,
        sweep: &mut Sweep,
    ) {
        let (Some(cached), Some((status, patience))) = (cached, should) else { return };
        let object = ObjectRef { kind, name: name_of(&**cached) };
        sweep.known.insert(object.clone());
        if cached.status() == Some(&status) {
            self.waiting.remove(&object);
            return self.queue.drop_one(&object);
        }
        if patience == Patience::Wait {
            let since = *self.waiting.entry(object.clone()).or_insert(sweep.now);
            let due = since + grace(kind, cached.status(), status.observed_generation());
            if due > sweep.now {
                sweep.due = Some(sweep.due.map_or(due, |before| before.min(due)));
                return;
            }
        } else {
            self.waiting.remove(&object);
        }
        let place = place(kind, cached.status(), status.observed_generation());
        self.queue.put(object, K::desired(status), place);
    }

    /// Notes how long changes took to reach all pods, and how many pods are behind.
    fn measure(&self, state: &mut board::State, index: &Index, now: Instant) {
        let board::State { lines, pods, .. } = state;
        for (name, line) in lines {
            let Some(progress) = &mut line.progress else { continue };
            let standing = Standing::of(progress, pods_of(name, index, pods));
            let lagging = i64::try_from(standing.lagging.len()).unwrap_or(i64::MAX);
            self.context.metrics.lagging(name, lagging);
            for took in progress.reached(standing.floor().unwrap_or(0), now) {
                self.context.metrics.propagated(name, took);
            }
        }
    }
}

/// What one pass collects.
struct Sweep {
    now: Instant,
    /// When to look again.
    due: Option<Instant>,
    known: BTreeSet<ObjectRef>,
}

/// How long a status that may be over in a moment is held back.
fn grace(kind: Kind, before: Option<&impl StatusConditions>, generation: i64) -> Duration {
    let before = before.map_or(&[][..], StatusConditions::conditions);
    let programmed = conditions::is_true(before, ConditionType::Programmed, generation);
    match (programmed, kind) {
        (false, _) => GRACE,
        (true, Kind::ModelGateway) => GRACE_OF_GATEWAY,
        (
            true,
            Kind::ModelDeployment
            | Kind::ModelRoute
            | Kind::ProviderSecret
            | Kind::BudgetPolicy
            | Kind::VirtualKey,
        ) => GRACE_OF_PROGRAMMED,
    }
}

/// People wait for the edit they just made, and for gateways; a thousand new objects can wait behind them.
fn place(kind: Kind, before: Option<&impl StatusConditions>, generation: i64) -> Place {
    let seen = before.map_or(-1, StatusConditions::observed_generation);
    if kind == Kind::ModelGateway || (0..generation).contains(&seen) { Place::First } else { Place::Last }
}

fn scene<'a>(round: &'a Round, state: &'a board::State, index: &Index, now: Timestamp) -> Scene<'a> {
    let mut findings: HashMap<_, Vec<_>> = HashMap::new();
    for finding in &round.rendered.findings {
        findings.entry(&finding.object).or_default().push(finding);
    }
    let models = round.rendered.gateways.values().flat_map(|gateway| &gateway.config.models);
    let entries = models.flat_map(|model| model.deployments.iter().map(move |one| (&one.id, (model, one))));
    let lanes = state.lines.iter().map(|(name, line)| {
        let rendered = round.rendered.gateways.get(name).map(|gateway| &gateway.config);
        let both = line.progress.as_ref().zip(rendered);
        let lane = Lane {
            line,
            standing: line
                .progress
                .as_ref()
                .map(|it| Standing::of(it, pods_of(name, index, &state.pods)))
                .unwrap_or_default(),
            unpublished: both.map(|(progress, rendered)| progress.unpublished(rendered)).unwrap_or_default(),
            settings_unpublished: both
                .is_some_and(|(progress, rendered)| progress.differs_in_settings(rendered)),
        };
        (name, lane)
    });
    let budgets = round.rendered.gateways.values().flat_map(|gateway| &gateway.config.budgets);
    let routes = round.rendered.gateways.values().flat_map(|gateway| &gateway.config.routes);
    Scene {
        round,
        lanes: lanes.collect(),
        findings,
        key_troubles: &state.key_troubles,
        entries: entries.collect(),
        routes: routes.map(|route| (&route.id, route)).collect(),
        budgets: budgets.map(|budget| (&budget.id, budget)).collect(),
        now,
    }
}

/// The pods of a gateway with what they said.
pub(crate) fn pods_of<'a>(
    gateway: &'a ObjectName,
    index: &'a Index,
    heard: &'a BTreeMap<ObjectName, Heard>,
) -> impl Iterator<Item = (&'a ObjectName, &'a PodView, Option<&'a Heard>)> {
    let own = index.pods.iter().filter(move |(_, pod)| pod.gateway == *gateway);
    own.map(|(name, pod)| (name, pod, heard.get(name)))
}

/// The object as it is now, unless a successor has its name.
fn live<'a, K: Statused>(table: &'a BTreeMap<ObjectName, Arc<K>>, object: &Arc<K>) -> Option<&'a Arc<K>> {
    table.get(&name_of(&**object)).filter(|cached| cached.meta().uid == object.meta().uid)
}

fn is_attached(round: &Round, deployment: &ObjectName) -> bool {
    let object = ObjectRef { kind: Kind::ModelDeployment, name: deployment.clone() };
    round.rendered.attached.contains_key(&object)
}

/// Whether no other operator speaks for an object whose gateway is not ours: nobody has yet, or what stands there
/// is our own word that its gateway is not served here. Else two operators of one cluster would write each other's
/// statuses over for ever.
fn is_nobodys<K: Statused>(cached: &Arc<K>) -> bool {
    let Some(status) = cached.status().filter(|status| status.observed_generation() >= 0) else {
        return true;
    };
    let not_served = render::Reason::GatewayNamespaceNotServed.as_str();
    status.conditions().iter().any(|condition| condition.reason == not_served)
}

/// The conditions of a status that may not be there yet.
fn before<K: Statused>(object: &Arc<K>) -> &[Condition] {
    object.status().map_or(&[], StatusConditions::conditions)
}

fn name_of(object: &impl kube::Resource) -> ObjectName {
    let metadata = object.meta();
    let namespace = metadata.namespace.clone().unwrap_or_default();
    ObjectName { namespace, name: metadata.name.clone().unwrap_or_default() }
}

/// At `due`, or never.
pub(crate) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;

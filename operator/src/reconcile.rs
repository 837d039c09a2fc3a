//! The leader's loop: wait for a change, take the index as it is, render all of it, publish what differs.
//! Level-based: a round depends on what is, never on what happened. `reconcile/pace.rs` says when.

mod pace;

use std::collections::BTreeMap;
use std::sync::Arc;

use catalogue::Catalogue;
use config::ObjectName;
use crds::ModelGateway;
use futures::StreamExt as _;
use kube::ResourceExt as _;
use render::{GatewayConfig, Manifests, Previous, Rendered};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::board::{Line, Problem, Round};
use crate::leader::Context;
use crate::names;
use crate::progress::Progress;
use crate::publish::{self, Children, Outcome, PublishError, Scribe};
use crate::secrets::{self, Material};
use pace::{Pace, Retry};

/// Gateways that are published at a time.
const GATEWAYS: usize = 4;

/// The state of one leadership.
pub(crate) struct Reconciler {
    context: Context,
    catalogue: Catalogue,
    material: Material,
    /// What the API server has. A gateway is missing until it is read, and after a conflict.
    children: BTreeMap<ObjectName, Children>,
    /// The source of last good versions. Outlives what somebody else does to the objects.
    last: BTreeMap<ObjectName, Previous>,
}

/// By gateway.
type Errors = Vec<(ObjectName, PublishError)>;

/// What became of one gateway in one round.
struct Report {
    gateway: ObjectName,
    children: Option<Children>,
    result: Result<Outcome, PublishError>,
}

impl Reconciler {
    pub(crate) fn new(context: Context) -> Self {
        let catalogue = Catalogue::builtin();
        Self {
            context,
            catalogue,
            material: Material::default(),
            children: BTreeMap::new(),
            last: BTreeMap::new(),
        }
    }

    /// Runs until `stop`; a round that has begun is finished.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut pace = Pace::new(Instant::now());
        let mut retry = Retry::default();
        let mut due = Some(Instant::now());
        loop {
            let Some(()) = stop.run_until_cancelled(self.wake(due)).await else { return };
            let Some(()) = stop.run_until_cancelled(sleep_until(pace.next())).await else { return };
            let started = Instant::now();
            let errors = self.round().await;
            let now = Instant::now();
            self.context.metrics.round(now - started);
            pace.ran(started, now);
            due = retry.after(&errors, now, rand::random());
        }
    }

    /// Waits until a round has something to do, at the latest until `due`.
    async fn wake(&mut self, due: Option<Instant>) {
        loop {
            let index = self.context.index.clone();
            let rung = index.bells().manifests.notified();
            let timer = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = rung => {}
                () = timer => return,
            }
            if self.drop_edited() || self.context.index.lock().is_pending() {
                return;
            }
        }
    }

    /// Forgets what is known of gateways whose objects somebody else wrote or deleted.
    fn drop_edited(&mut self) -> bool {
        let touched = self.context.index.lock().take_touched();
        let before = self.children.len();
        for (object, version) in touched {
            self.children.retain(|gateway, children| {
                gateway.namespace != object.namespace
                    || !is_edited(children, &gateway.name, &object.name, version.as_deref())
            });
        }
        self.children.len() < before
    }

    pub(crate) async fn round(&mut self) -> Vec<PublishError> {
        self.drop_edited();
        let (mut manifests, since) = {
            let mut index = self.context.index.lock();
            let scope = &self.context.scope;
            let moment = index.moment(&scope.gateways, scope.watched.is_none());
            (moment.manifests, moment.since)
        };
        manifests.next_keys = self.context.board.lock().next_keys.clone();
        let unread = self.fill(&mut manifests).await;
        let mut errors = self.read(&mut manifests).await;
        let started = Instant::now();
        let rendered = render::render(&manifests, &self.catalogue);
        self.context.metrics.rendered(started.elapsed());
        let reports = self.publish(&rendered, &manifests).await;
        self.tell(&reports);
        self.report(Round { manifests, rendered }, reports, since, &mut errors);
        for (gateway, error) in &errors {
            self.context.metrics.failed("ModelGateway", error.class());
            tracing::warn!(%gateway, class = error.class(), "not published: {error}");
        }
        let mut errors: Vec<_> = errors.into_iter().map(|(_, error)| error).collect();
        if unread > 0 {
            errors.push(PublishError::TimedOut(format!("{unread} Secrets were not read")));
        }
        errors
    }

    /// Adds the Secrets that the manifests name.
    async fn fill(&mut self, manifests: &mut Manifests) -> usize {
        let wanted = secrets::referred_to(manifests);
        let seen = {
            let index = self.context.index.lock();
            let seen =
                wanted.into_iter().filter_map(|name| Some((name.clone(), index.secrets.get(&name)?.clone())));
            seen.collect()
        };
        self.material.fill(&self.context.client, &seen, manifests).await
    }

    /// Reads what is published for gateways that are not known yet, and adds it to the manifests.
    async fn read(&mut self, manifests: &mut Manifests) -> Errors {
        let mut errors = Vec::new();
        let mut known = BTreeMap::new();
        for gateway in &manifests.gateways {
            let scribe = self.scribe(gateway);
            let name = scribe.gateway.clone();
            if !self.context.scope.gateways.contains(&name.namespace) {
                continue;
            }
            if let Some(children) = self.children.remove(&name) {
                known.insert(name, children);
                continue;
            }
            match scribe.read().await {
                Ok(children) => drop(known.insert(name, children)),
                Err(error) => errors.push((name, error)),
            }
        }
        self.children = known;
        self.last.retain(|name, _| manifests.gateways.iter().any(|gateway| is_named(gateway, name)));
        for (name, children) in &self.children {
            remember(&mut self.last, name, children);
        }
        manifests.previous = self.last.clone();
        errors
    }

    /// Publishes every gateway whose objects are known. They do not wait for each other.
    async fn publish(&mut self, rendered: &Rendered, manifests: &Manifests) -> Vec<Report> {
        let mut work = Vec::new();
        for gateway in &manifests.gateways {
            let scribe = self.scribe(gateway);
            let Some(config) = rendered.gateways.get(&scribe.gateway) else { continue };
            let Some(children) = self.children.remove(&scribe.gateway) else { continue };
            work.push(publish_one(scribe, children, config));
        }
        futures::stream::iter(work).buffer_unordered(GATEWAYS).collect().await
    }

    fn scribe(&self, gateway: &ModelGateway) -> Scribe {
        Scribe {
            client: self.context.client.clone(),
            gateway: ObjectName {
                namespace: gateway.namespace().unwrap_or_default(),
                name: gateway.name_any(),
            },
            uid: gateway.uid().unwrap_or_default(),
            leadership: self.context.leadership.clone(),
        }
    }

    /// Puts the round and what became of it on the board, all at once: a reader must not take a new
    /// generation for published because an old one is.
    fn report(&mut self, round: Round, reports: Vec<Report>, since: Option<Instant>, errors: &mut Errors) {
        let now = Instant::now();
        self.context.board.update(|state| {
            state
                .lines
                .retain(|name, _| round.manifests.gateways.iter().any(|gateway| is_named(gateway, name)));
            for report in reports {
                let line = state.lines.entry(report.gateway.clone()).or_default();
                if let Some(children) = report.children {
                    let changed = matches!(report.result, Ok(Outcome::Committed { .. }));
                    follow(line, &children, since.filter(|_| changed));
                    remember(&mut self.last, &report.gateway, &children);
                    self.children.insert(report.gateway.clone(), children);
                }
                match report.result {
                    Ok(_) => line.problem = None,
                    Err(error) => errors.push((report.gateway, error)),
                }
            }
            for (gateway, error) in &*errors {
                let line = state.lines.entry(gateway.clone()).or_default();
                let same = line.problem.as_ref().filter(|old| old.reason == reason_of(error));
                line.problem = Some(problem(error, same.map_or(now, |old| old.since)));
            }
            state.round = Some(Arc::new(round));
        });
        self.context.board.publish_wanted();
    }

    fn tell(&self, reports: &[Report]) {
        for Report { gateway, children, result } in reports {
            let result = match result {
                Ok(Outcome::Unchanged) => "unchanged",
                Ok(Outcome::Committed { took }) => {
                    let committed = children.as_ref().map(|children| &children.committed);
                    let revision = committed.and_then(|committed| committed.revision.as_deref());
                    tracing::info!(%gateway, revision, ?took, "published");
                    let sizes = children.as_ref().map(Children::sizes).unwrap_or_default();
                    self.context.metrics.published(gateway, *took, &sizes);
                    "published"
                }
                Err(_) => "failed",
            };
            self.context.metrics.reconciled(result);
        }
    }
}

async fn publish_one(scribe: Scribe, mut children: Children, config: &GatewayConfig) -> Report {
    let result = publish::publish(&scribe, &mut children, config).await;
    let known = matches!(result, Ok(_) | Err(PublishError::TooLarge(_) | PublishError::NotLeading));
    Report { gateway: scribe.gateway, children: known.then_some(children), result }
}

/// Takes what is committed for the last good. If it cannot be read, or lacks material, somebody broke it:
/// then what was known before still holds.
fn remember(last: &mut BTreeMap<ObjectName, Previous>, name: &ObjectName, children: &Children) {
    let Some(mut committed) = children.committed.previous() else { return };
    let before = last.get(name).into_iter().flat_map(|before| &before.credentials);
    for (file, material) in before.filter(|(file, _)| children.committed.files.contains(*file)) {
        committed.credentials.entry(file.clone()).or_insert_with(|| material.clone());
    }
    last.insert(name.clone(), committed);
}

/// Brings a gateway's line to what is published.
fn follow(line: &mut Line, children: &Children, since: Option<Instant>) {
    let committed = &children.committed;
    let (Some(revision), Some(config)) = (&committed.revision, &committed.config) else { return };
    (line.bytes, line.shards) = (committed.bytes, committed.shards);
    match &mut line.progress {
        None => {
            let mut progress = Progress::new(revision.clone(), Arc::clone(config));
            progress.await_current(since);
            line.progress = Some(progress);
        }
        Some(progress) if progress.revision() == revision => {}
        Some(progress) => progress.publish(revision.clone(), Arc::clone(config), since),
    }
}

fn problem(error: &PublishError, since: Instant) -> Problem {
    let passing = !matches!(error, PublishError::TooLarge(_) | PublishError::Foreign(_));
    Problem { reason: reason_of(error), message: error.to_string(), passing, since }
}

fn reason_of(error: &PublishError) -> &'static str {
    match error {
        PublishError::TooLarge(_) => "ConfigTooLarge",
        PublishError::Foreign(_) => "NameTaken",
        _ => "PublishFailed",
    }
}

/// Whether an object is not as we left it. `version` is what the watch saw, which may lag behind us.
fn is_edited(children: &Children, gateway: &str, object: &str, version: Option<&str>) -> bool {
    match (children.version_of(gateway, object), version) {
        (None, None) => false,
        (Some(ours), Some(seen)) => !secrets::is_newer_or_same(ours, seen),
        (Some(_), None) => true,
        (None, Some(_)) => names::is_child(gateway, object),
    }
}

fn is_named(gateway: &ModelGateway, name: &ObjectName) -> bool {
    gateway.metadata.name.as_ref() == Some(&name.name)
        && gateway.metadata.namespace.as_ref() == Some(&name.namespace)
}

#[cfg(test)]
mod tests;

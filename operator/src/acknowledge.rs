//! Follows every running gateway pod: bumps its annotation so that the kubelet syncs its volume, and asks its
//! admin port until it serves the revision that is published. One task per run of a pod; what it hears goes
//! on the board. `acknowledge/ask.rs` is the question, `acknowledge/bump.rs` the annotation.

mod ask;
mod bump;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use config::ObjectName;
use crds::PodState;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::board::{Heard, Wanted};
use crate::index::PodInstance;
use crate::leader::Context;
pub(crate) use ask::client;

use ask::Answer;

/// A pod that serves what it should is asked again this often: nobody tells if it comes back with less.
const RECHECK: Duration = Duration::from_secs(30);
/// A pod that refused a revision is asked again this often.
const REFUSED: Duration = Duration::from_secs(15);
/// Between two attempts to reach a pod, growing.
const REACH_MIN: Duration = Duration::from_millis(250);
const REACH_MAX: Duration = Duration::from_secs(2);
/// Bumps at a time, over all pods.
const BUMPS: usize = 16;

/// Starts and stops the followers as pods come and go.
pub(crate) struct Followers {
    context: Context,
    running: HashMap<ObjectName, (PodInstance, DropGuard)>,
    tasks: TaskTracker,
    bumps: Arc<Semaphore>,
}

/// Follows one run of one pod.
struct Follower {
    context: Context,
    pod: ObjectName,
    gateway: ObjectName,
    instance: PodInstance,
    wanted: watch::Receiver<Arc<Wanted>>,
    bumps: Arc<Semaphore>,
}

impl Followers {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            context,
            running: HashMap::new(),
            tasks: TaskTracker::new(),
            bumps: Arc::new(Semaphore::new(BUMPS)),
        }
    }

    /// Runs until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            self.sync(&stop);
            let index = self.context.index.clone();
            let rung = index.bells().pods.notified();
            if stop.run_until_cancelled(rung).await.is_none() {
                break;
            }
        }
        self.running.clear();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn sync(&mut self, stop: &CancellationToken) {
        let pods: HashMap<_, _> = {
            let index = self.context.index.lock();
            let running = index.pods.iter();
            running
                .filter_map(|(name, pod)| Some((name.clone(), (pod.gateway.clone(), pod.running.clone()?))))
                .collect()
        };
        let same = |name: &ObjectName, instance: &PodInstance| {
            pods.get(name).is_some_and(|(_, now)| now == instance)
        };
        self.running.retain(|name, (instance, _)| same(name, instance));
        // Also a change of readiness is one that the status pass must see.
        self.context.board.update(|state| state.pods.retain(|name, _| pods.contains_key(name)));
        for (pod, (gateway, instance)) in pods {
            if !self.running.contains_key(&pod) {
                self.follow(pod, gateway, instance, stop);
            }
        }
    }

    fn follow(
        &mut self,
        pod: ObjectName,
        gateway: ObjectName,
        instance: PodInstance,
        stop: &CancellationToken,
    ) {
        let heard = Heard { gateway: gateway.clone(), serves: None, trouble: None };
        self.context.board.update(|state| state.pods.insert(pod.clone(), heard));
        let end = stop.child_token();
        self.running.insert(pod.clone(), (instance.clone(), end.clone().drop_guard()));
        let wanted = self.context.board.wanted();
        let (context, bumps) = (self.context.clone(), Arc::clone(&self.bumps));
        let follower = Follower { context, pod, gateway, instance, wanted, bumps };
        self.tasks.spawn(async move { end.run_until_cancelled(follower.run()).await });
    }
}

impl Follower {
    async fn run(mut self) {
        let mut bumped = None;
        loop {
            let revision = self.wanted.borrow_and_update().get(&self.gateway).cloned();
            let mut changes = self.wanted.clone();
            let Some(revision) = revision else {
                if changes.changed().await.is_err() {
                    return;
                }
                continue;
            };
            tokio::select! {
                () = self.pursue(&revision, &mut bumped) => {}
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Until the pod serves `revision`; then keeps watching, and returns when it no longer does.
    async fn pursue(&self, revision: &str, bumped: &mut Option<Instant>) {
        tokio::select! {
            () = self.ask(revision) => {}
            () = self.bump(revision, bumped) => {}
        }
        loop {
            sleep(RECHECK).await;
            match self.ask_once(None).await {
                Ok(answer) if answer.revision.as_deref() == Some(revision) => {}
                // Out of reach says nothing about what it serves: its readiness does.
                Err(_) => {}
                Ok(answer) => return self.note(answer.revision, Some((PodState::Lagging, String::new()))),
            }
        }
    }

    /// Asks until the pod serves `revision`.
    async fn ask(&self, revision: &str) {
        let mut pause = REACH_MIN;
        loop {
            match self.ask_once(Some(revision)).await {
                Ok(answer) if answer.revision.as_deref() == Some(revision) => {
                    return self.note(answer.revision, None);
                }
                Ok(Answer { revision: serves, problem, rejected }) => {
                    let refused = rejected.as_deref() == Some(revision);
                    let state = if refused { PodState::Rejected } else { PodState::Lagging };
                    self.note(serves, Some((state, problem.unwrap_or_default())));
                    sleep(if refused { REFUSED } else { REACH_MIN }).await;
                    pause = REACH_MIN;
                }
                Err(reason) => {
                    let serves =
                        self.context.board.lock().pods.get(&self.pod).and_then(|heard| heard.serves.clone());
                    self.note(serves, Some((PodState::Unreachable, reason)));
                    sleep(pause).await;
                    pause = (pause * 2).min(REACH_MAX);
                }
            }
        }
    }

    async fn ask_once(&self, wait_for: Option<&str>) -> Result<Answer, String> {
        let place = std::net::SocketAddr::new(self.instance.ip, self.context.admin_port);
        ask::ask(&self.context.http, place, wait_for).await
    }

    /// Puts it on the board, if it is news.
    fn note(&self, serves: Option<String>, trouble: Option<(PodState, String)>) {
        let heard = self.context.board.lock().pods.get(&self.pod).cloned();
        let Some(before) = heard else { return };
        let now = Heard { serves, trouble, ..before.clone() };
        if now != before {
            self.context.board.update(|state| state.pods.insert(self.pod.clone(), now));
        }
    }

    /// Bumps the pod until `ask` ends it, but not for ever. `bumped` is when it was last done.
    async fn bump(&self, revision: &str, bumped: &mut Option<Instant>) {
        for count in 0..bump::MOST {
            let pause = bump::pause(count, bumped.map(|last| last.elapsed()));
            if !self.has_refused() {
                let annotation =
                    self.context.index.lock().pods.get(&self.pod).and_then(|pod| pod.revision.clone());
                if let Some(value) = bump::next(annotation.as_deref(), revision, count == 0) {
                    let _slot = self.bumps.acquire().await;
                    *bumped = Some(Instant::now());
                    bump::write(&self.context, &self.pod, &value).await;
                }
            }
            sleep(pause).await;
        }
        std::future::pending().await
    }

    fn has_refused(&self) -> bool {
        let state = self.context.board.lock();
        let trouble = state.pods.get(&self.pod).and_then(|heard| heard.trouble.as_ref());
        trouble.is_some_and(|(state, _)| *state == PodState::Rejected)
    }
}

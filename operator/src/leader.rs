//! What runs only while this replica leads, and how it begins and ends. A standby has nothing of it but the
//! index, so a change of leader costs one round.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::acknowledge::Followers;
use crate::args::Scope;
use crate::board::Board;
use crate::events::Herald;
use crate::index::SharedIndex;
use crate::keys::KeyKeeper;
use crate::lease::{self, Candidacy, Leadership};
use crate::metrics::Metrics;
use crate::reconcile::Reconciler;
use crate::status::{Queue, StatusPass, Writer};
use crate::usage::{self, Readings};

/// How long statuses that wait may still be written at shutdown.
const FLUSH: Duration = Duration::from_secs(5);

/// What the leader's tasks share.
#[derive(Clone)]
pub(crate) struct Context {
    pub client: Client,
    pub index: SharedIndex,
    pub board: Board,
    /// How full budgets are.
    pub readings: Readings,
    pub metrics: Metrics,
    pub scope: Arc<Scope>,
    pub leadership: Leadership,
    pub herald: Herald,
    /// For times that people read; all else is measured with `Instant`.
    pub clock: fn() -> Timestamp,
    /// For the pods' admin ports.
    pub http: reqwest::Client,
    pub admin_port: u16,
}

/// Leads whenever the lease says so, until `stop`; then gives the lease back.
pub(crate) async fn run(context: Context, candidacy: Candidacy, stop: CancellationToken) {
    while stop.run_until_cancelled(begins(&context.leadership)).await.is_some() {
        tracing::info!("leading");
        context.metrics.leading(true);
        context.herald.leads();
        lead(&context, &candidacy, &stop).await;
        context.metrics.leading(false);
        context.board.clear();
        context.readings.clear();
        tracing::info!("no longer leading");
    }
    candidacy.give_up().await;
}

/// One leadership.
async fn lead(context: &Context, candidacy: &Candidacy, stop: &CancellationToken) {
    let (session, writing) = (stop.child_token(), CancellationToken::new());
    let (tasks, writers) = (TaskTracker::new(), TaskTracker::new());
    let queue = Queue::default();
    writers.spawn(Writer::new(context.clone(), queue.clone()).run(writing.clone()));
    tasks.spawn(Box::pin(Reconciler::new(context.clone()).run(session.clone())));
    tasks.spawn(Box::pin(KeyKeeper::new(context.clone()).run(session.clone())));
    tasks.spawn(Followers::new(context.clone()).run(session.clone()));
    tasks.spawn(usage::run(context.clone(), session.clone()));
    tasks.spawn(StatusPass::new(context.clone(), queue.clone()).run(session.clone()));
    let stopping = stop.run_until_cancelled(ends(&context.leadership)).await.is_none();
    session.cancel();
    if !stopping {
        // Another may lead from now on.
        writing.cancel();
    }
    tasks.close();
    tasks.wait().await;
    if stopping {
        candidacy.give_up().await;
        if tokio::time::timeout(FLUSH, queue.drained()).await.is_err() {
            tracing::warn!("some statuses were not written: the next leader does it");
        }
    }
    writing.cancel();
    writers.close();
    writers.wait().await;
}

/// Waits until we lead.
async fn begins(leadership: &Leadership) {
    let mut leadership = leadership.clone();
    while !lease::leads(&leadership) {
        if leadership.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Waits until we do not lead any more, be it that nobody told us.
async fn ends(leadership: &Leadership) {
    let mut leadership = leadership.clone();
    loop {
        let until = *leadership.borrow_and_update();
        let Some(until) = until.filter(|until| Instant::now() < *until) else { return };
        tokio::select! {
            () = sleep_until(until) => {}
            gone = leadership.changed() => if gone.is_err() { return },
        }
    }
}

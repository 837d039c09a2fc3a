//! Whole answers whose clients hang up before they begin. Their providers make and bill them all the same, so the call goes on
//! without its client: what it came to is recorded and counted. A stream ends with its client, at the provider too.

use std::fmt::{self, Debug, Formatter};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Call, Fault, Gateway, Record, Reply, ReplyBody};

/// No call goes on for longer without its client. Most deployments' own time limits end it before.
const LONGEST: Duration = Duration::from_secs(600);

/// About how many calls may go on at once. One more is cut off at its provider, and its cost is estimated.
const MOST: usize = 1024;

type Work = Pin<Box<dyn Future<Output = Served> + Send>>;

/// What a call has come to, with its record.
pub(crate) type Served = (Result<Reply, Fault>, Record);

/// What a call and its client know of each other.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// The client has hung up.
    is_gone: AtomicBool,
    /// A provider makes a whole answer.
    is_owed: AtomicBool,
}

impl Presence {
    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    /// Whether the call is to be finished without its client.
    pub(crate) fn owes(&self, is_owed: bool) {
        self.is_owed.store(is_owed, Ordering::Relaxed);
    }
}

/// The calls that go on without their clients.
#[derive(Debug, Default)]
pub(crate) struct Finisher {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Finisher {
    /// Returns when none goes on.
    pub(crate) async fn idle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Cuts off those that still go on.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.idle().await;
    }

    /// At the end of the process there is nobody to go on.
    fn take(&self, work: Work, running: Gauge) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.tasks.len() < MOST {
            running.inc();
            let stop = self.stop.clone();
            let finishing = async move {
                // Cut off or not, its record has ended with it.
                let _ended = stop.run_until_cancelled(timeout(LONGEST, finish(work))).await;
                running.dec();
            };
            self.tasks.spawn_on(finishing, &runtime);
        }
    }
}

async fn finish(work: Work) {
    let (served, mut record) = work.await;
    if let Ok(Reply { body: ReplyBody::Whole { usage, .. }, is_estimate, .. }) = served {
        record.outlived(usage, is_estimate);
    }
}

/// A call while its client waits. Dropped, its client has hung up.
pub(crate) struct Attended {
    gateway: Arc<Gateway>,
    presence: Arc<Presence>,
    work: Option<Work>,
}

/// See [`super::serve`]. To be finished even if what is returned is dropped, where a provider makes a whole answer.
pub(crate) fn attend(gateway: &Arc<Gateway>, call: Call, mut record: Record) -> Attended {
    let (own, presence) = (Arc::clone(gateway), record.presence());
    let work = Box::pin(async move {
        let served = super::serve(&own, call, &mut record).await;
        (served, record)
    });
    Attended { gateway: Arc::clone(gateway), presence, work: Some(work) }
}

impl Future for Attended {
    type Output = Served;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Served> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let served = ready!(work.as_mut().poll(context));
        self.work = None;
        Poll::Ready(served)
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        self.presence.is_gone.store(true, Ordering::Relaxed);
        if self.presence.is_owed.load(Ordering::Relaxed) {
            self.gateway.finisher.take(work, self.gateway.metrics.spend.unattended.clone());
        }
    }
}

impl Debug for Attended {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attended").field("presence", &self.presence).finish_non_exhaustive()
    }
}

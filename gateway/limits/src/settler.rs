//! Tells Redis what requests came to. Requests do not wait for that; what cannot be told now is told when Redis is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::ask::Settled;
use crate::backend::Backend;
use crate::redis::Redis;

/// What may wait: a minute of a thousand requests a second.
const ROOM: usize = 65_536;

/// Sent at a time; they share one write.
const BATCH: usize = 128;

/// After how many refusals by a Redis that answers a settlement is given up.
const REFUSALS: u32 = 20;

/// Between them.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Settler {
    queue: mpsc::Sender<Settled>,
    /// Those that are not told yet.
    waiting: watch::Sender<usize>,
    given_up: AtomicU64,
    /// Ends with it.
    _teller: JoinSet<()>,
}

impl Settler {
    pub(crate) fn new(redis: Arc<Redis>) -> Self {
        let (queue, queued) = mpsc::channel(ROOM);
        let waiting = watch::Sender::new(0);
        let mut teller = JoinSet::new();
        teller.spawn(tell(redis, queued, waiting.clone()));
        Self { queue, waiting, given_up: AtomicU64::new(0), _teller: teller }
    }

    pub(crate) fn push(&self, settled: Settled) {
        // Before it is queued, or it could be told before it is counted.
        self.waiting.send_modify(|waiting| *waiting += 1);
        if self.queue.try_send(settled).is_err() {
            self.waiting.send_modify(|waiting| *waiting -= 1);
            if self.given_up.fetch_add(1, Ordering::Relaxed).is_power_of_two() {
                tracing::error!(
                    "too many requests wait to be settled in Redis: their cost is missing in its counters"
                );
            }
        }
    }

    pub(crate) fn backlog(&self) -> (usize, u64) {
        (*self.waiting.borrow(), self.given_up.load(Ordering::Relaxed))
    }

    pub(crate) async fn settled(&self, at_most: Duration) -> bool {
        let mut waiting = self.waiting.subscribe();
        matches!(timeout(at_most, waiting.wait_for(|waiting| *waiting == 0)).await, Ok(Ok(_)))
    }
}

async fn tell(redis: Arc<Redis>, mut queued: mpsc::Receiver<Settled>, waiting: watch::Sender<usize>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queued.recv_many(&mut batch, BATCH).await > 0 {
        let mut refusals = 0;
        while !batch.is_empty() {
            let before = batch.len();
            settle(&redis, &mut batch).await;
            if !batch.is_empty() && redis.answers() {
                refusals += 1;
                sleep(PAUSE).await;
            }
            if refusals > REFUSALS {
                tracing::error!(requests = batch.len(), "Redis does not take what requests came to");
                batch.clear();
            }
            waiting.send_modify(|waiting| *waiting -= before - batch.len());
            redis.wait(Duration::from_secs(1)).await;
        }
    }
}

/// Leaves those that Redis has not taken. To repeat them is safe, also where it did and its answer was lost.
async fn settle(redis: &Redis, batch: &mut Vec<Settled>) {
    let told = join_all(
        batch
            .iter()
            .map(|settled| async { redis.settle(&settled.settlement(), Timestamp::now()).await.is_ok() }),
    );
    let mut told = told.await.into_iter();
    batch.retain(|_| !told.next().unwrap_or(false));
}

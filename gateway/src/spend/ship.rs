//! From the spool to the store. Files go one after the other, oldest first, and are deleted once the store has them; a file
//! whose fate is unknown goes again. While the store is away they wait, and what comes meanwhile goes into few files.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use limits::{Limiter, Unread};
use store::{SpendRecord, Store, StoreError};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::counted::Kept;
use super::folder::{self, Folder};
use super::segment::Segment;
use super::spool::Spool;
use crate::pipeline::Metrics;

/// Between two looks at what has come.
const PACE: Duration = Duration::from_secs(1);

/// Records in one transaction.
const BATCH: usize = 500;

/// A batch that takes longer is one at a store that is away.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest pause while the store is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What may still be shipped when the process ends.
const LAST: Duration = Duration::from_secs(10);

/// Between two looks for what others have left.
const BETWEEN_SEARCHES: Duration = Duration::from_secs(60);

/// Between two looks at the months, and at what is of no use any more.
const BETWEEN_UPKEEPS: Duration = Duration::from_secs(300);

/// Records that are dropped in one step.
const DROPPED: u32 = 1000;

/// Brings what is spooled to the store.
#[derive(Debug)]
pub(crate) struct Shipper {
    spool: Spool,
    store: Store,
    metrics: Arc<Metrics>,
    /// Who takes in what was counted, until it has. Counters in Redis take it in by themselves.
    begins: Option<Limiter>,
    /// Left by processes that were killed.
    left: VecDeque<Arc<Folder>>,
    searched: Option<Instant>,
    /// Tries that failed since one succeeded.
    failed: u32,
}

/// Why a file is not shipped.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Unread(#[from] Unread),
    #[error("the database took longer than {} s", PATIENCE.as_secs())]
    Slow,
    #[error("{file} cannot be read or deleted: {reason}")]
    File { file: PathBuf, reason: io::Error },
}

impl Shipper {
    /// `limiter` takes in what processes before this one have counted.
    pub(crate) fn new(spool: Spool, store: Store, metrics: Arc<Metrics>, limiter: Limiter) -> Self {
        let begins = Some(limiter).filter(|limiter| !limiter.is_shared());
        Self { spool, store, metrics, begins, left: VecDeque::new(), searched: None, failed: 0 }
    }

    /// Ships what comes, until `stop`. `begun` is told when what was counted before is taken in: nothing of this process
    /// is shipped until then, so that it is not taken in too.
    pub(crate) async fn run(&mut self, stop: &CancellationToken, begun: oneshot::Sender<()>) {
        let mut begun = Some(begun).filter(|_| self.begins.is_some());
        // A batch that is dropped half way goes again later.
        while let Some(shipped) = stop.run_until_cancelled(self.step()).await {
            let pause = match shipped {
                Ok(true) => Duration::ZERO,
                Ok(false) => PACE,
                Err(trouble) => self.wait(&trouble),
            };
            if self.begins.is_none() {
                begun.take();
            }
            self.metrics.spend.spooled.set(i64::try_from(self.spool.bytes()).unwrap_or(i64::MAX));
            stop.run_until_cancelled(sleep(pause)).await;
        }
    }

    /// Stops the spool, for which it has some `patience`, and ships all there is. What cannot be, stays for the next
    /// process.
    pub(crate) async fn finish(mut self, patience: Duration) {
        let shared = Arc::clone(&self.spool.shared);
        // What is still written would be shipped in part, and then be gone.
        let own = self.spool.stop(patience).await.then_some(&shared.folder);
        let shipped = timeout(LAST, self.rest(own)).await;
        let left = self.spool.bytes();
        let folder = shared.root.display();
        match shipped {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, left, %folder, "spend records stay in the spool"),
            Err(_) => tracing::error!(left, %folder, "spend records stay in the spool: there was no time"),
        }
    }

    async fn rest(&mut self, own: Option<&Folder>) -> Result<(), Trouble> {
        if let Some(own) = own {
            self.leave(own).await?;
        }
        while let Some(folder) = self.left.pop_front() {
            self.leave(&folder).await?;
        }
        Ok(())
    }

    /// Ships all of a folder that nobody writes.
    async fn leave(&mut self, folder: &Folder) -> Result<(), Trouble> {
        let fault = |reason| Trouble::File { file: folder.path().to_owned(), reason };
        let numbers = folder.segments().map_err(fault)?;
        for number in &numbers {
            // Only the last file knows what ran when its process ended.
            self.ship(folder.segment(*number), numbers.last() == Some(number)).await?;
        }
        folder.remove().map_err(fault)
    }

    /// Ships a file, if there is one. Says whether there was.
    async fn step(&mut self) -> Result<bool, Trouble> {
        self.search();
        // It stays in the list until it is done: this may be dropped half way.
        if let Some(folder) = self.left.front().cloned() {
            let shipped = self.leave(&folder).await;
            if shipped.is_ok() {
                tracing::info!(folder = %folder.path().display(), "a killed gateway's spend is shipped");
                self.left.pop_front();
            } else if let Err(Trouble::File { .. }) = shipped {
                // It is found again later.
                self.forget(folder.bytes());
                self.left.pop_front();
            }
            return shipped.map(|()| true);
        }
        self.begin().await?;
        self.spool.seal().await;
        let shared = Arc::clone(&self.spool.shared);
        let current = shared.current.load(Ordering::Acquire);
        let fault = |reason| Trouble::File { file: shared.folder.path().to_owned(), reason };
        let whole = shared.folder.segments().map_err(fault)?.into_iter().find(|number| *number < current);
        match whole {
            Some(number) => self.ship(shared.folder.segment(number), false).await.map(|()| true),
            None => Ok(false),
        }
    }

    async fn begin(&mut self) -> Result<(), Trouble> {
        let Some(limiter) = &self.begins else { return Ok(()) };
        let kept = Kept::new(self.store.clone(), "", self.spool.shared.clock);
        let counts = timeout(PATIENCE, limiter.fill(&kept)).await.map_err(|_| Trouble::Slow)??;
        tracing::info!(counts, "budgets go on from what was counted before");
        self.begins = None;
        Ok(())
    }

    /// Looks for what killed processes have left.
    fn search(&mut self) {
        if self.searched.is_some_and(|searched| searched.elapsed() < BETWEEN_SEARCHES) {
            return;
        }
        self.searched = Some(Instant::now());
        let found = Folder::leftovers(&self.spool.shared.root).unwrap_or_default();
        for folder in found {
            let bytes = folder.bytes();
            tracing::info!(folder = %folder.path().display(), bytes, "a killed gateway has left spend records");
            self.spool.shared.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.left.push_back(Arc::new(folder));
        }
    }

    /// Ships one file and deletes it.
    async fn ship(&mut self, file: PathBuf, with_open: bool) -> Result<(), Trouble> {
        let fault = |reason| Trouble::File { file: file.clone(), reason };
        let path = file.clone();
        let read = tokio::task::spawn_blocking(move || Segment::read(&path)).await;
        let segment = read.map_err(io::Error::other).and_then(|read| read).map_err(fault)?;
        let mut records = segment.closed;
        if with_open {
            records.extend(segment.open.into_values());
        }
        for batch in records.chunks(BATCH) {
            self.deliver(batch).await?;
        }
        for line in &segment.damaged {
            tracing::error!(file = %file.display(), "a spend record is damaged, and kept in refused.log");
            self.metrics.spend.refused.inc();
            folder::set_aside(&self.spool.shared.root, line).map_err(fault)?;
        }
        let bytes = std::fs::metadata(&file).map_err(fault)?.len();
        std::fs::remove_file(&file).map_err(fault)?;
        self.forget(bytes);
        Ok(())
    }

    fn forget(&self, bytes: u64) {
        self.spool.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Has the store write `records`. One that it never will is found by halves and set aside.
    async fn deliver(&mut self, records: &[SpendRecord]) -> Result<(), Trouble> {
        let mut parts = vec![records];
        while let Some(part) = parts.pop() {
            let inserted =
                timeout(PATIENCE, self.store.spend_insert(part)).await.map_err(|_| Trouble::Slow)?;
            match (inserted, part) {
                (Ok(new), _) => self.delivered(new),
                (Err(error), [one]) if error.is_lasting() => self.refuse(one, &error)?,
                (Err(error), _) if error.is_lasting() => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                (Err(error), _) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn delivered(&mut self, new: u64) {
        self.metrics.spend.shipped.inc_by(new);
        if std::mem::take(&mut self.failed) > 0 {
            tracing::info!(database = self.store.name(), "spend records are shipped again");
        }
    }

    fn refuse(&self, record: &SpendRecord, error: &StoreError) -> Result<(), Trouble> {
        let request_id = &record.request_id;
        tracing::error!(request_id, %error, "the database refuses a spend record, and it is kept in refused.log");
        self.metrics.spend.refused.inc();
        let root = &self.spool.shared.root;
        let line = serde_json::to_vec(record).unwrap_or_default();
        let set_aside = folder::set_aside(root, &line);
        set_aside.map_err(|reason| Trouble::File { file: root.clone(), reason })
    }

    /// How long to wait before the next try. Gateways that lost the store at once must not all come back at once.
    fn wait(&mut self, trouble: &Trouble) -> Duration {
        if self.failed == 0 {
            let waiting = self.spool.bytes();
            tracing::error!(error = %trouble, waiting, "spend records wait in the spool; trying again");
        } else {
            tracing::debug!(error = %trouble, "spend records wait in the spool");
        }
        self.failed = self.failed.saturating_add(1);
        self.metrics.spend.failures.inc();
        let longest = PACE.saturating_mul(1 << self.failed.min(8)).min(LONGEST_PAUSE);
        longest.mul_f64(rand::random_range(0.5..1.0))
    }
}

/// Makes the months to come and drops what is older than `keeps`, until it is dropped.
pub(crate) async fn upkeep(store: &Store, keeps: Option<Duration>, clock: fn() -> i64) {
    loop {
        let pause = match upkeep_once(store, keeps, clock()).await {
            Ok(0) => BETWEEN_UPKEEPS,
            Ok(dropped) => {
                tracing::info!(dropped, "spend records beyond their retention are dropped");
                BETWEEN_UPKEEPS
            }
            // It may not be there yet; whether it answers is told elsewhere.
            Err(error) => {
                tracing::debug!(%error, "no upkeep of spend records");
                LONGEST_PAUSE
            }
        };
        sleep(pause).await;
    }
}

async fn upkeep_once(store: &Store, keeps: Option<Duration>, now_us: i64) -> Result<u64, StoreError> {
    store.spend_prepare(now_us).await?;
    while store.counted_tidy(now_us, DROPPED).await? > 0 {}
    let Some(keeps) = keeps else { return Ok(0) };
    let before = now_us.saturating_sub(i64::try_from(keeps.as_micros()).unwrap_or(i64::MAX));
    let mut dropped = 0;
    loop {
        match store.spend_delete_before(before, DROPPED).await? {
            0 => return Ok(dropped),
            more => dropped += more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spend::spool::tests::stuck;

    #[tokio::test]
    async fn what_is_still_written_stays_for_the_next_process() {
        let root = tempfile::tempdir().expect("a folder");
        let spool = stuck(root.path()).await;
        let file = spool.shared.folder.segment(0);
        // Nothing in it is for the store, so it would go without being shipped.
        std::fs::remove_file(&file).expect("removed");
        std::fs::write(&file, "").expect("written");
        let store = Store::connect("postgres://nobody@127.0.0.1:1/none").expect("a URL");
        let shipper = Shipper::new(spool, store, Arc::default(), Limiter::local());
        shipper.finish(Duration::from_millis(20)).await;
        assert!(file.exists(), "its writer has it");
    }
}

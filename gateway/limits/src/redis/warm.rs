//! Whether the counters in Redis stand. A mark that never expires says so; where it is missing, Redis is new or has lost its
//! data, and all calls are refused until one pod, which holds a lock, has filled the counters from what others keep and
//! set the mark. Where nobody keeps anything, the mark is all there is to set.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use redis::{Cmd, Value};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::SETTLED_KNOWN;
use super::link::Link;
use super::script::Script;
use crate::backend::Away;
use crate::count::{Count, Page, Source, Unread};
use crate::counter::{MOST, whole_ms};

/// Between two looks whether another pod has filled them.
const PACE: Duration = Duration::from_millis(50);

/// The longest between two tries that fail.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A pod that says nothing for so long fills no more, and another begins.
const LOCKED: Duration = Duration::from_secs(10);

/// In one script: requests share the connection.
const BATCH: usize = 128;

/// What is known of it here.
#[derive(Debug)]
pub(super) struct Warmth {
    stands: watch::Sender<bool>,
    /// Ends with it.
    _filler: JoinSet<()>,
}

/// Fills them whenever they do not stand.
#[derive(Debug)]
struct Filler {
    link: Arc<Link>,
    prefix: Box<str>,
    script: Script,
    source: Option<Arc<dyn Source>>,
}

/// Why they cannot be filled.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Source(#[from] Unread),
    #[error(transparent)]
    Away(#[from] Away),
    #[error("what was counted is not read in {} s", LOCKED.as_secs())]
    Slow,
    #[error("another pod has gone on")]
    Overtaken,
}

/// The mark of a space.
pub(super) fn mark(prefix: &str) -> String {
    format!("{prefix}:stands")
}

impl Warmth {
    pub(super) fn new(link: &Arc<Link>, prefix: &str, source: Option<Arc<dyn Source>>) -> Self {
        let stands = watch::Sender::new(false);
        let filler = Filler {
            link: Arc::clone(link),
            prefix: prefix.into(),
            script: Script::new(include_str!("fill.lua")),
            source,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(filler.run(stands.clone()));
        Self { stands, _filler: tasks }
    }

    pub(super) fn stands(&self) -> bool {
        *self.stands.borrow()
    }

    /// Returns when they do.
    pub(super) async fn wait(&self) {
        // An error is that nobody fills them any more: then the process ends.
        self.stands.subscribe().wait_for(|stands| *stands).await.ok();
    }

    /// A script has missed the mark.
    pub(super) fn is_lost(&self) {
        if self.stands.send_replace(false) {
            tracing::error!("Redis has lost what budgets and rate limits have counted: it is filled anew");
        }
    }
}

impl Filler {
    async fn run(self, stands: watch::Sender<bool>) {
        let mut seen = stands.subscribe();
        let mut failed = 0_u32;
        while seen.wait_for(|stands| !stands).await.is_ok() {
            match self.look().await {
                Ok(true) => {
                    failed = 0;
                    stands.send_replace(true);
                }
                Ok(false) => sleep(PACE).await,
                Err(trouble) => {
                    failed = failed.saturating_add(1);
                    if failed.is_power_of_two() {
                        tracing::warn!(error = %trouble, "counters in Redis are not filled yet; trying again");
                    }
                    sleep(PACE.saturating_mul(failed).min(LONGEST_PAUSE)).await;
                }
            }
        }
    }

    /// Whether they stand, after an effort to make them.
    async fn look(&self) -> Result<bool, Trouble> {
        if !self.link.wait(LONGEST_PAUSE).await {
            return Ok(false);
        }
        let mut look = redis::cmd("EXISTS");
        look.arg(mark(&self.prefix));
        if self.ask(&look).await? == Value::Int(1) {
            return Ok(true);
        }
        let token = format!("{:016x}", RandomState::new().hash_one(Timestamp::now()));
        let mut lock = redis::cmd("SET");
        lock.arg(self.lock()).arg(&token).arg("NX").arg("PX").arg(whole_ms(LOCKED));
        if self.ask(&lock).await? == Value::Nil {
            return Ok(false);
        }
        let filled = self.fill(&token).await;
        if filled.is_err() {
            // Whoever tries next need not wait for it to expire.
            self.put(&token, "leave", &[]).await.ok();
        }
        filled.map(|()| true)
    }

    async fn fill(&self, token: &str) -> Result<(), Trouble> {
        let (mut counts, now) = (0, Timestamp::now());
        if let Some(source) = &self.source {
            let mut pages = source.pages();
            while let Some(page) = timeout(LOCKED, pages.next()).await.map_err(|_| Trouble::Slow)? {
                let page = page?;
                counts += page.counts.len();
                for some in self.entries(&page, now).chunks(BATCH) {
                    self.put(token, "more", some).await?;
                }
            }
        }
        self.put(token, "last", &[]).await?;
        tracing::info!(counts, "counters in Redis stand");
        Ok(())
    }

    fn entries(&self, page: &Page, now: Timestamp) -> Vec<Entry> {
        let counts = page.counts.iter().filter_map(|count| self.counted(count, now));
        let settled = page.settled.iter().map(|id| Entry {
            key: format!("{}:r:{id}", self.prefix),
            field: String::new(),
            amount: 0,
            kept_ms: whole_ms(SETTLED_KNOWN),
        });
        counts.chain(settled).collect()
    }

    fn counted(&self, count: &Count, now: Timestamp) -> Option<Entry> {
        let left = count.until.map(|until| until.as_millisecond().saturating_sub(now.as_millisecond()));
        left.is_none_or(|left| left > 0).then(|| Entry {
            key: format!("{}:c:{}:{}", self.prefix, count.counter.as_str(), count.window),
            field: format!("s{}", count.slot),
            amount: count.amount.min(MOST),
            kept_ms: left.unwrap_or(-1),
        })
    }

    async fn put(&self, token: &str, then: &str, entries: &[Entry]) -> Result<(), Trouble> {
        let fill = |cmd: &mut Cmd| {
            cmd.arg(entries.len() + 2).arg(self.lock()).arg(mark(&self.prefix));
            for entry in entries {
                cmd.arg(&entry.key);
            }
            cmd.arg(token).arg(whole_ms(LOCKED)).arg(then);
            for entry in entries {
                cmd.arg(&entry.field).arg(entry.amount).arg(entry.kept_ms);
            }
        };
        match self.script.run(&self.link, fill).await? {
            Value::Int(1) => Ok(()),
            _ => Err(Trouble::Overtaken),
        }
    }

    async fn ask(&self, cmd: &Cmd) -> Result<Value, Away> {
        self.link.query(cmd).await.map_err(|error| self.link.away(&error))
    }

    fn lock(&self) -> String {
        format!("{}:filling", self.prefix)
    }
}

/// One field of a counter, or a settled reservation's mark if it has no field.
#[derive(Debug)]
struct Entry {
    key: String,
    field: String,
    amount: u64,
    /// -1: for ever.
    kept_ms: i64,
}

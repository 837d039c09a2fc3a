//! Clients that never stop asking while something else happens, and a count of what went wrong for them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::calls::{Caller, Reuse, text_of};

/// How many failures are kept word for word.
const SHOWN: usize = 10;

/// What one client does over and over.
#[derive(Clone, Debug)]
pub enum Habit {
    /// A plain answer; the pause follows it.
    Plain {
        /// The public name.
        model: String,
        /// Whether the connection lives on.
        reuse: Reuse,
        /// Between two calls.
        pause: Duration,
    },
    /// A stream that must end as it should.
    Stream {
        /// The public name.
        model: String,
    },
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Calls that ended well.
    pub good: u64,
    /// Calls that did not.
    pub failed: u64,
    /// The first few failures.
    pub failures: Vec<String>,
    /// The longest call that ended well.
    pub slowest: Duration,
}

/// Clients at work.
pub struct Load {
    workers: JoinSet<()>,
    stop: CancellationToken,
    tally: Arc<Mutex<Tally>>,
    started: Instant,
}

impl Load {
    /// Starts one client per habit against the gateway at `base`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn start(base: &str, key: &str, habits: &[Habit]) -> Result<Self> {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let stop = CancellationToken::new();
        let started = Instant::now();
        let mut workers = JoinSet::new();
        for habit in habits {
            let reuse = match habit {
                Habit::Plain { reuse, .. } => *reuse,
                Habit::Stream { .. } => Reuse::Never,
            };
            let caller = Caller::new(base, key, reuse)?;
            let (habit, tally, stop) = (habit.clone(), Arc::clone(&tally), stop.clone());
            workers.spawn(async move {
                while !stop.is_cancelled() {
                    let begun = Instant::now();
                    let result = habit.call(&caller).await;
                    note(&tally, begun, started, &habit, result);
                    habit.rest().await;
                }
            });
        }
        Ok(Self { workers, stop, tally, started })
    }

    /// How many calls have ended well so far.
    #[must_use]
    pub fn good(&self) -> u64 {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).good
    }

    /// Lets every call that runs finish, and counts.
    pub async fn finish(mut self) -> Tally {
        self.stop.cancel();
        while self.workers.join_next().await.is_some() {}
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone();
        eprintln!(
            "    load: {} calls in {:.1} s, {} failed, slowest {:.2} s",
            tally.good + tally.failed,
            self.started.elapsed().as_secs_f64(),
            tally.failed,
            tally.slowest.as_secs_f64()
        );
        tally
    }
}

impl Tally {
    /// # Errors
    /// When any call failed, or so few were made that this says nothing.
    pub fn is_clean(&self, at_least: u64) -> Result<()> {
        ensure!(
            self.failed == 0,
            "{} of {} calls failed: {:#?}",
            self.failed,
            self.good + self.failed,
            self.failures
        );
        ensure!(self.good >= at_least, "only {} calls were made; expected {at_least}", self.good);
        Ok(())
    }
}

impl Habit {
    async fn call(&self, caller: &Caller) -> Result<()> {
        match self {
            Self::Plain { model, .. } => caller.ask(model).await?.content().map(|_| ()),
            Self::Stream { model } => {
                let text = text_of(&caller.stream(model).await?)?;
                ensure!(!text.is_empty(), "a stream without text");
                Ok(())
            }
        }
    }

    async fn rest(&self) {
        if let Self::Plain { pause, .. } = self {
            tokio::time::sleep(*pause).await;
        }
    }
}

fn note(tally: &Mutex<Tally>, begun: Instant, started: Instant, habit: &Habit, result: Result<()>) {
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    match result {
        Ok(()) => {
            tally.good += 1;
            tally.slowest = tally.slowest.max(begun.elapsed());
        }
        Err(problem) => {
            tally.failed += 1;
            if tally.failures.len() < SHOWN {
                let at = (begun - started).as_secs_f64();
                let took = begun.elapsed().as_secs_f64();
                tally.failures.push(format!("at {at:.2} s, after {took:.2} s, {habit:?}: {problem:#}"));
            }
        }
    }
}

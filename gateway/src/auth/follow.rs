//! How changes reach every process within a second: who writes says so on a channel in Redis, and each process looks twice
//! a second which changes the store has numbered since its last look. Neither needs the other: a message that is lost
//! is found at the next look, and while the database is away nothing can be written.

use std::sync::atomic::Ordering;
use std::time::Duration;

use store::StoreError;
use store::accounts::{Changes, Kind};
use tokio::time::{sleep, timeout};

use super::accounts::{Accounts, Inner};

/// Between two looks.
const PACE: Duration = Duration::from_millis(500);

/// A look that takes longer is one at a database that is away.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whoever writes does not wait longer until others are told.
const TELLING: Duration = Duration::from_secs(1);

/// Before listening anew.
const PAUSE: Duration = Duration::from_secs(1);

impl Accounts {
    /// Follows all changes, until it is dropped. `clock` tells the Unix second.
    pub(crate) async fn follow(&self, clock: fn() -> u64) {
        // Also of a database that nobody else uses: who writes may be dropped before it is told, as when a client leaves.
        tokio::join!(self.inner.look(clock), self.inner.listen());
    }

    /// Forgets what was made from the account, here and everywhere.
    pub(super) async fn changed(&self, kind: Kind, id: &str) {
        self.inner.forget(kind, id);
        let Some(channel) = &self.inner.channel else { return };
        let message = format!("{} {id}", kind.name());
        match timeout(TELLING, channel.say(&message)).await {
            Ok(Ok(())) => {}
            Ok(Err(away)) => tracing::debug!(%away, "other pods find the change at their next look"),
            Err(_) => {
                tracing::debug!("Redis does not take a change in time: other pods find it at their next look")
            }
        }
    }
}

impl Inner {
    async fn look(&self, clock: fn() -> u64) {
        let mut seen = None;
        loop {
            let looked = timeout(PATIENCE, self.catch_up(seen)).await;
            self.answers.store(matches!(looked, Ok(Ok(_))), Ordering::Relaxed);
            match looked {
                Ok(Ok(latest)) => {
                    self.heard.store(clock(), Ordering::Relaxed);
                    seen = Some(latest);
                }
                Ok(Err(error)) => tracing::debug!(%error, "the database does not say what has changed"),
                Err(_) => tracing::debug!("the database does not say in time what has changed"),
            }
            sleep(PACE).await;
        }
    }

    /// Forgets what has changed since the change `seen`; without one, everything. Returns the last change.
    async fn catch_up(&self, seen: Option<i64>) -> Result<i64, StoreError> {
        let Some(mut seen) = seen else {
            let latest = self.store.change_latest().await?;
            // What was read before that may have changed unseen.
            self.forget_all();
            return Ok(latest);
        };
        loop {
            match self.store.change_since(seen).await? {
                Changes::Unknown(latest) => {
                    self.forget_all();
                    return Ok(latest);
                }
                Changes::All(changes) => {
                    let Some(last) = changes.last().map(|change| change.seq) else { return Ok(seen) };
                    for change in changes {
                        match change.kind {
                            Some(kind) => self.forget(kind, &change.id),
                            None => self.forget_all(),
                        }
                    }
                    seen = last;
                }
            }
        }
    }

    async fn listen(&self) {
        let Some(channel) = &self.channel else { return };
        loop {
            match channel.listen().await {
                Ok(mut listener) => {
                    while let Some(message) = listener.next().await {
                        self.hear(&message);
                    }
                }
                Err(away) => tracing::debug!(%away, "changes of keys are found by looking"),
            }
            sleep(PAUSE).await;
        }
    }

    fn hear(&self, message: &str) {
        let Some((kind, id)) = message.split_once(' ') else { return };
        match Kind::named(kind) {
            Some(kind) => self.forget(kind, id),
            None => self.forget_all(),
        }
    }
}

//! What every backend does, and how it says no. `local.rs` is one.

use std::sync::Arc;

use jiff::Timestamp;

use crate::ask::{Ask, Settlement};
use crate::counter::{Counter, Level};

/// The answer to an [`Ask`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All counters hold it now; their levels with it, in the order of the ask.
    Granted(Vec<Level>),
    /// One has no room, and none has been charged.
    Refused {
        /// The first that has no room, by its place in the ask.
        which: usize,
        /// Of that counter.
        level: Level,
        /// When there is room for this ask if no other comes. `None` if only a reservation's end makes room, or none
        /// ever will because the ask is larger than the amount.
        resets_at: Option<Timestamp>,
    },
}

/// Why a backend does not answer. What it would have done may still happen; repeating the call is safe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limits cannot be checked: {place} {reason}")]
pub struct Away {
    pub(crate) place: Arc<str>,
    pub(crate) reason: Arc<str>,
}

/// Where counters are kept. Every call may be repeated.
pub trait Backend: Send + Sync {
    /// Grants the ask in all of its counters or in none.
    ///
    /// # Errors
    /// [`Away`].
    fn reserve(&self, ask: &Ask) -> impl Future<Output = Result<Verdict, Away>> + Send;

    /// Puts what was really used in the place of the estimates, in the windows of the time when the ask was made. The
    /// second settlement of an ask changes nothing. One that was never granted, or has expired, only adds.
    ///
    /// # Errors
    /// [`Away`].
    fn settle(
        &self,
        settlement: &Settlement<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Away>> + Send;

    /// How full the counters are, in their order.
    ///
    /// # Errors
    /// [`Away`].
    fn levels(
        &self,
        counters: &[Arc<Counter>],
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Level>, Away>> + Send;

    /// Forgets what the counter has spent in the window of `now`. Reservations stay, and count when they are settled.
    ///
    /// # Errors
    /// [`Away`].
    fn reset(&self, counter: &Counter, now: Timestamp) -> impl Future<Output = Result<(), Away>> + Send;
}

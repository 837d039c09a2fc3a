//! What counters have counted, as others keep it: who does tells it back to counters that have lost it. `local.rs` and
//! `redis/warm.rs` take it in.

use std::fmt::Debug;

use futures::stream::BoxStream;
use jiff::Timestamp;

use crate::ask::{Ask, ReservationId, Settlement};
use crate::counter::{Counter, CounterKey, Unit, whole_ms};
use crate::window::{WindowId, millis};

/// What was counted in one place of one counter. Counts of the same place add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Whose usage it is.
    pub counter: CounterKey,
    /// The span of its window.
    pub window: WindowId,
    /// Of a rolling window; else 0.
    pub slot: i64,
    /// In the counter's unit.
    pub amount: u64,
    /// From then on it is of no use, if that is ever so.
    pub until: Option<Timestamp>,
}

/// Some of what is kept.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Each place once.
    pub counts: Vec<Count>,
    /// Reservations that were settled of late, and are in the counts: settling them again must change nothing.
    pub settled: Vec<ReservationId>,
}

/// Why what is kept cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was counted cannot be read: {0}")]
pub struct Unread(pub String);

/// Who keeps what was counted beyond the counters.
pub trait Source: Debug + Send + Sync + 'static {
    /// All that is of use, as it was at one instant.
    fn pages(&self) -> BoxStream<'_, Result<Page, Unread>>;
}

impl Ask {
    /// What it comes to, as far as it is worth to be kept: of what only runs nothing is left, and a short window is over
    /// before anything is lost.
    pub(crate) fn counts(&self, actual: impl FnMut(&Counter, u64) -> u64) -> Vec<Count> {
        let settlement = Settlement::new(self, actual);
        let counted = settlement
            .parts()
            .filter(|(part, actual)| part.counter.unit() != Unit::Concurrency && *actual > 0)
            .filter(|(part, _)| !part.counter.window().is_short());
        let until = |kept| millis(self.id().made().as_millisecond().saturating_add(whole_ms(kept)));
        let counts = counted.map(|(part, amount)| Count {
            counter: part.counter.key().clone(),
            window: part.placement.id,
            slot: part.placement.slot,
            amount,
            until: part.kept(self).map(until),
        });
        counts.collect()
    }
}

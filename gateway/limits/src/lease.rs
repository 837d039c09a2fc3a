//! What an admitted request holds. It is settled when it is dropped, whatever happens.

use std::sync::Arc;

use jiff::Timestamp;

use crate::ask::{Ask, ReservationId, Settled, Settlement};
use crate::count::Count;
use crate::counter::{Counter, Level};
use crate::limiter::{Keeper, Limiter};
use crate::shares::Taken;

/// The reservations of one request. Dropped as it is, it is settled for its estimates: nobody knows better.
#[derive(Debug)]
pub struct Lease {
    limiter: Limiter,
    /// Until it is settled.
    ask: Option<Ask>,
    levels: Vec<Level>,
    held: Held,
}

/// Where its reservations are.
#[derive(Debug)]
enum Held {
    /// Where its limiter keeps counters.
    Kept,
    /// Redis was away, and this process has counted by itself.
    Estimated,
    /// In shares of this process.
    Taken(Taken),
}

impl Lease {
    pub(crate) fn new(limiter: Limiter, ask: Ask, levels: Vec<Level>) -> Self {
        Self { limiter, ask: Some(ask), levels, held: Held::Kept }
    }

    pub(crate) fn estimated(limiter: Limiter, ask: Ask) -> Self {
        Self { limiter, ask: Some(ask), levels: Vec::new(), held: Held::Estimated }
    }

    pub(crate) fn of_shares(limiter: Limiter, ask: Ask, levels: Vec<Level>, taken: Taken) -> Self {
        Self { limiter, ask: Some(ask), levels, held: Held::Taken(taken) }
    }

    /// Each counter with its level, this request's estimate included. Empty if Redis was away.
    pub fn levels(&self) -> impl Iterator<Item = (&Arc<Counter>, Level)> {
        let counters = self.ask.iter().flat_map(Ask::counters);
        counters.zip(self.levels.iter().copied()).map(|((counter, _), level)| (counter, level))
    }

    /// The space of Redis that its counters are in, if they are there.
    #[must_use]
    pub fn space(&self) -> Option<&str> {
        self.limiter.space()
    }

    /// Whose reservations Redis has. It knows nothing of those that were taken from shares.
    #[must_use]
    pub fn reservation(&self) -> Option<ReservationId> {
        let is_there = self.space().is_some() && !matches!(self.held, Held::Taken(_));
        self.ask.as_ref().filter(|_| is_there).map(Ask::id)
    }

    /// What [`Lease::settle`] puts into its counters for good.
    #[must_use]
    pub fn counts(&self, actual: impl FnMut(&Counter, u64) -> u64) -> Vec<Count> {
        self.ask.as_ref().map(|ask| ask.counts(actual)).unwrap_or_default()
    }

    /// Puts what was really used in the place of the estimates; see [`Settlement::new`]. It never waits: what Redis is to
    /// know is sent by a task.
    pub fn settle(mut self, actual: impl FnMut(&Counter, u64) -> u64, now: Timestamp) {
        self.finish(actual, now);
    }

    fn finish(&mut self, mut actual: impl FnMut(&Counter, u64) -> u64, now: Timestamp) {
        let Some(ask) = self.ask.take() else { return };
        match &*self.limiter.keeper {
            Keeper::Here(local) => local.settle_now(&Settlement::new(&ask, actual), now),
            Keeper::Shared { seen, settler, shares, .. } => match &self.held {
                Held::Taken(taken) => shares.settle(taken, &ask, actual),
                Held::Kept => settler.push(Settled::new(ask, actual)),
                Held::Estimated => {
                    seen.settle_now(&Settlement::new(&ask.estimated(), &mut actual), now);
                    settler.push(Settled::new(ask, actual));
                }
            },
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.finish(|_, estimate| estimate, Timestamp::now());
    }
}

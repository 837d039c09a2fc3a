//! What this process holds of counters that pods share, so that most requests need not ask Redis. Far from its limit, a
//! counter that is asked often lends the process a share: a reservation like any other, of what many requests may use.
//! Requests take from it in memory, and what they came to is settled with the share. So the guarantee is the same: what
//! is let in was reserved in Redis first, and a share that is lost with its process is free again when it expires.
//!
//! A share is open to new requests for a second, and no longer than its window or slot lasts; then it is settled with
//! what was used so far. What still runs then holds a reservation of its own, the rest of the share, until the last of it
//! has ended. Near the limit there are no shares: each request asks Redis, once for all of its counters.
//! `shares.rs` has all shares of a process.

use std::time::Duration;

use jiff::Timestamp;

use crate::ask::{Ask, Hold, Part, Settled};
use crate::counter::{AtLimit, Counter, Level, Unit};

/// How long a share is open: what is told of levels may be so old.
pub(crate) const OPEN: Duration = Duration::from_secs(1);

/// A share is at most this part of the room there is: other pods want some too, and a process that is killed keeps its
/// shares until they expire.
const PART: u64 = 64;

/// It is for so many requests at least.
const REQUESTS: u64 = 4;

/// A share while it is open, and what is left of it until all that runs has ended.
#[derive(Debug)]
pub(crate) struct Share {
    ask: Ask,
    /// Of the counter without this share, when it was lent.
    base: Level,
    open_until: Timestamp,
    /// From then on the next one is due.
    late_from: Timestamp,
    /// Settled requests came to that.
    used: u64,
    /// Estimates of those that run.
    held: u64,
    running: u32,
}

/// What is to be told Redis of a share that is closed.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) settled: Settled,
    /// What runs on holds this.
    pub(crate) rest: Option<Ask>,
}

impl Share {
    /// The share that `ask` was granted, and the level of its counter with it.
    pub(crate) fn new(ask: Ask, level: Level) -> Self {
        let Hold { spent, reserved } = ask.parts().first().map(Part::hold).unwrap_or_default();
        let (spent, reserved) = (level.spent.saturating_sub(spent), level.reserved.saturating_sub(reserved));
        let made = ask.id().made();
        let open_until = made.checked_add(OPEN).unwrap_or(Timestamp::MIN);
        let late_from = made.checked_add(OPEN / 4 * 3).unwrap_or(Timestamp::MIN);
        let base = Level { spent, reserved, ..level };
        Self { ask, base, open_until, late_from, used: 0, held: 0, running: 0 }
    }

    /// Whether a request's part may be taken from it.
    pub(crate) fn has_room(&self, part: &Part, now: Timestamp) -> bool {
        let Some(own) = self.ask.parts().first() else { return false };
        self.is_open(now)
            && is_same(own, part)
            && self.taken().saturating_add(part.room_needed()) <= own.estimate
    }

    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        now < self.open_until
    }

    /// How much the next one should be, once three quarters of this one, or of its time, are over.
    pub(crate) fn wants_next(&self, now: Timestamp) -> Option<u64> {
        let taken = self.taken();
        if taken > self.amount() / 4 * 3 {
            return Some(taken.saturating_mul(4));
        }
        (now >= self.late_from && taken > 0).then(|| taken.saturating_mul(2))
    }

    pub(crate) fn hold(&mut self, estimate: u64) {
        self.held = self.held.saturating_add(estimate);
        self.running = self.running.saturating_add(1);
    }

    pub(crate) fn settle(&mut self, part: &Part, actual: u64) {
        self.held = self.held.saturating_sub(part.estimate);
        if part.counter.unit() != Unit::Concurrency {
            self.used = self.used.saturating_add(actual);
        }
        self.running = self.running.saturating_sub(1);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.open_until == Timestamp::MIN
    }

    /// Nothing of it runs.
    pub(crate) fn is_over(&self) -> bool {
        self.running == 0
    }

    /// How full its counter is, as far as this process knows.
    pub(crate) fn level(&self) -> Level {
        let spent = self.base.spent.saturating_add(self.used);
        Level { spent, reserved: self.base.reserved.saturating_add(self.held), ..self.base }
    }

    fn amount(&self) -> u64 {
        self.ask.parts().first().map_or(0, |part| part.estimate)
    }

    fn taken(&self) -> u64 {
        self.used.saturating_add(self.held)
    }

    /// Settles what was used. The share goes on as a reservation of what runs, in the same window, if anything does.
    pub(crate) fn close(&mut self, noise: u128) -> Closed {
        self.open_until = Timestamp::MIN;
        let used = std::mem::take(&mut self.used);
        let rest = (self.running > 0).then(|| self.ask.rest(self.held, noise));
        let ask = match &rest {
            Some(rest) => std::mem::replace(&mut self.ask, rest.clone()),
            None => self.ask.clone(),
        };
        Closed { settled: Settled::new(ask, |_, _| used), rest }
    }

    /// What the rest came to.
    pub(crate) fn end(self) -> Settled {
        let used = self.used;
        Settled::new(self.ask, |_, _| used)
    }
}

/// How much of a counter to borrow for requests of `estimate` each and `wanted` together; `None` near its limit.
pub(crate) fn size(counter: &Counter, level: Level, estimate: u64, wanted: u64) -> Option<u64> {
    if !counter.window().is_steady() {
        return None;
    }
    let least = estimate.max(1).saturating_mul(REQUESTS);
    if counter.at_limit() == AtLimit::Count {
        return Some(wanted.max(least));
    }
    let room = level.amount.saturating_sub(level.spent).saturating_sub(level.reserved);
    let most = room / PART;
    (most >= least).then(|| wanted.clamp(least, most))
}

/// A config may have changed what the counter of a key is; and each share is for one slot of one window.
fn is_same(own: &Part, other: &Part) -> bool {
    let (mine, theirs) = (&own.counter, &other.counter);
    (own.placement.id, own.placement.slot) == (other.placement.id, other.placement.slot)
        && (mine.unit(), mine.amount(), mine.at_limit())
            == (theirs.unit(), theirs.amount(), theirs.at_limit())
}

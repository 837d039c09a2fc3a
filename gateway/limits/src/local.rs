//! Counters of one process, in its memory. One lock for all of them makes an ask atomic; it is held for about a
//! microsecond and never across an await.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::ask::{Ask, Held, Part, ReservationId, Settlement, signed};
use crate::backend::{Away, Backend, Verdict};
use crate::book::Book;
use crate::count::Count;
use crate::counter::{Counter, CounterKey, Level, whole_ms};
use crate::notice::Notices;
use crate::roll::Rolls;
use crate::window::{Placement, WindowId};

/// How long a settled reservation is known at least, so that settling it again changes nothing. Inside one process that
/// happens at once or never.
const SETTLED_KNOWN_MS: i64 = 15_000;

/// Books dropped in one call at most, so that no call waits for a crowd of them.
const DROPS: usize = 8;

/// Counters in memory.
#[derive(Debug, Default)]
pub struct Local {
    state: Mutex<State>,
    pub(crate) rolls: Rolls,
    pub(crate) notices: Notices,
}

#[derive(Debug, Default)]
struct State {
    books: HashMap<Place, Kept>,
    /// When to look whether a book is still of use.
    due: BinaryHeap<Reverse<(i64, Place)>>,
    /// Until when each is known, in milliseconds since 1970.
    open: HashMap<ReservationId, i64>,
    settled: HashSet<ReservationId>,
    settled_before: HashSet<ReservationId>,
    forgets_at_ms: i64,
}

type Place = (CounterKey, WindowId);

#[derive(Debug, Default)]
struct Kept {
    book: Book,
    until_ms: Option<i64>,
}

impl Local {
    /// Without any usage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many books and reservations there are, for metrics.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        let state = self.lock();
        (state.books.len(), state.open.len())
    }

    pub(crate) fn reserve_now(&self, ask: &Ask) -> Verdict {
        self.lock().reserve(ask)
    }

    pub(crate) fn settle_now(&self, settlement: &Settlement<'_>, now: Timestamp) {
        self.lock().settle(settlement, now);
    }

    /// Adds what others have kept of what was counted.
    pub(crate) fn fill(&self, counts: impl IntoIterator<Item = Count>) {
        let mut state = self.lock();
        for Count { counter, window, slot, amount, until } in counts {
            let kept = state.kept_at((counter, window), until.map(Timestamp::as_millisecond));
            kept.book.charge(slot, signed(amount));
        }
    }

    /// What another backend has told of the counters of an ask takes the place of what is known of them here. Only of those
    /// that are estimated while it is away.
    pub(crate) fn note(&self, ask: &Ask, levels: &[Level]) {
        let mut noted = ask.parts().iter().zip(levels).filter(|(part, _)| part.is_estimated()).peekable();
        if noted.peek().is_none() {
            return;
        }
        let mut state = self.lock();
        state.forget(ask.id().made());
        for (part, level) in noted {
            let kept = state.kept(part, ask);
            kept.book = Book::default();
            // In the slot that runs, so it leaves a rolling window late rather than early.
            let slot = part.placement.slot;
            kept.book.charge(slot, signed(level.spent.saturating_add(level.reserved)));
        }
    }

    /// A panic elsewhere must not end all limits; each change is whole by itself.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Local {
    fn reserve(&self, ask: &Ask) -> impl Future<Output = Result<Verdict, Away>> + Send {
        ready(Ok(self.reserve_now(ask)))
    }

    fn settle(
        &self,
        settlement: &Settlement<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), Away>> + Send {
        self.settle_now(settlement, now);
        ready(Ok(()))
    }

    fn levels(
        &self,
        counters: &[Arc<Counter>],
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Level>, Away>> + Send {
        let state = self.lock();
        let levels =
            counters.iter().map(|counter| state.level(counter, &counter.window().placement(now), now));
        ready(Ok(levels.collect()))
    }

    fn reset(&self, counter: &Counter, now: Timestamp) -> impl Future<Output = Result<(), Away>> + Send {
        let place = place(counter, &counter.window().placement(now));
        if let Some(kept) = self.lock().books.get_mut(&place) {
            kept.book.forget_spent();
        }
        ready(Ok(()))
    }
}

impl State {
    fn reserve(&mut self, ask: &Ask) -> Verdict {
        let now = ask.id().made();
        self.forget(now);
        if !self.is_known(ask.id()) {
            if let Some(refused) = self.refusal(ask) {
                return refused;
            }
            for part in ask.parts() {
                let kept = self.kept(part, ask);
                kept.book.trim(&part.placement, now);
                kept.book.hold(part.hold(), part.placement.slot, ask.expires_ms());
            }
            self.open.insert(ask.id(), now.as_millisecond().saturating_add(whole_ms(ask.known_for())));
        }
        let levels = ask.parts().iter().map(|part| self.level(&part.counter, &part.placement, now));
        Verdict::Granted(levels.collect())
    }

    fn refusal(&self, ask: &Ask) -> Option<Verdict> {
        let now = ask.id().made();
        let empty = Book::default();
        ask.parts().iter().enumerate().find_map(|(which, part)| {
            let kept = self.books.get(&place(&part.counter, &part.placement));
            let book = kept.map_or(&empty, |kept| &kept.book);
            let level = book.level(&part.counter, &part.placement, now);
            let is_refused = part.is_refused(level.spent.saturating_add(level.reserved));
            is_refused.then(|| Verdict::Refused { which, level, resets_at: book.reopens(part, now) })
        })
    }

    fn settle(&mut self, settlement: &Settlement<'_>, now: Timestamp) {
        self.forget(now);
        let ask = settlement.ask();
        if self.settled_before.contains(&ask.id()) || !self.settled.insert(ask.id()) {
            return;
        }
        let is_held = self.open.remove(&ask.id()).is_some() || ask.is_forgotten(now);
        let held = if is_held { Held::Known } else { Held::Never };
        for (part, actual) in settlement.parts() {
            let slot = part.placement.slot;
            let kept = self.kept(part, ask);
            if is_held {
                kept.book.release(part.hold(), slot, ask.expires_ms());
            }
            kept.book.charge(slot, part.charge(actual, held));
        }
    }

    fn level(&self, counter: &Counter, placement: &Placement, now: Timestamp) -> Level {
        let kept = self.books.get(&place(counter, placement));
        let none = Level { spent: 0, reserved: 0, amount: counter.amount() };
        kept.map_or(none, |kept| kept.book.level(counter, placement, now))
    }

    fn is_known(&self, id: ReservationId) -> bool {
        self.open.contains_key(&id) || self.settled.contains(&id) || self.settled_before.contains(&id)
    }

    fn kept(&mut self, part: &Part, ask: &Ask) -> &mut Kept {
        let made = ask.id().made();
        let until_ms = part.kept(ask).map(|kept| made.as_millisecond().saturating_add(whole_ms(kept)));
        self.kept_at(place(&part.counter, &part.placement), until_ms)
    }

    fn kept_at(&mut self, place: Place, until_ms: Option<i64>) -> &mut Kept {
        let due = &mut self.due;
        let kept = self.books.entry(place).or_insert_with_key(|place| {
            due.extend(until_ms.map(|until| Reverse((until, place.clone()))));
            Kept { book: Book::default(), until_ms }
        });
        kept.until_ms = kept.until_ms.max(until_ms);
        kept
    }

    fn forget(&mut self, now: Timestamp) {
        let now_ms = now.as_millisecond();
        for _ in 0..DROPS {
            if self.due.peek().is_none_or(|Reverse((due, _))| *due > now_ms) {
                break;
            }
            let Some(Reverse((_, place))) = self.due.pop() else { break };
            match self.books.get(&place).and_then(|kept| kept.until_ms) {
                Some(until) if until > now_ms => self.due.push(Reverse((until, place))),
                _ => drop(self.books.remove(&place)),
            }
        }
        if now_ms >= self.forgets_at_ms {
            self.forgets_at_ms = now_ms.saturating_add(SETTLED_KNOWN_MS);
            self.settled_before = std::mem::take(&mut self.settled);
            // As many as run, and those that were never settled.
            self.open.retain(|_, until| *until > now_ms);
        }
    }
}

fn place(counter: &Counter, placement: &Placement) -> Place {
    (counter.key().clone(), placement.id)
}

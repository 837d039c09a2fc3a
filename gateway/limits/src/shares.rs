//! All shares of this process: what is open, and what runs on of those that are closed. A task borrows and settles;
//! requests only take, in memory. One lock, held for about a microsecond and never across an await.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::ask::{Ask, Part, ReservationId, Settled};
use crate::backend::{Backend, Verdict};
use crate::counter::{Counter, CounterKey, Level};
use crate::local::Local;
use crate::redis::Redis;
use crate::settler::Settler;
use crate::share::{self, Closed, Share};

/// A counter that Redis is asked about as often in a second lends a share.
const OFTEN: u32 = 4;

/// The first share of a counter is for so many times what it was asked for until then.
const FIRST: u64 = 16;

/// Counters whose calls are counted to find those at most.
const WATCHED: usize = 65_536;

/// Asked for at a time; they share one write.
const BATCH: usize = 128;

/// How late a share is settled after it has ended by time, at most.
const TICK: Duration = Duration::from_millis(100);

/// Shares of one process.
#[derive(Debug)]
pub(crate) struct Shares {
    book: Arc<Book>,
    settler: Arc<Settler>,
    /// Ends with it.
    _borrower: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Book {
    state: Mutex<State>,
    work: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// By the reservation that they were lent by.
    all: HashMap<ReservationId, Share>,
    open: HashMap<CounterKey, ReservationId>,
    /// What Redis was asked of late.
    asked: HashMap<CounterKey, Asked>,
    wanted: Vec<Ask>,
    /// Those of `wanted`, and those on their way.
    borrowing: HashSet<CounterKey>,
    closed: Vec<Closed>,
    noise: u64,
}

/// Borrows what is wanted, and settles what is closed.
#[derive(Debug)]
struct Borrower {
    book: Arc<Book>,
    redis: Arc<Redis>,
    settler: Arc<Settler>,
    seen: Arc<Local>,
}

/// Of one counter, in one second.
#[derive(Debug)]
struct Asked {
    second: i64,
    count: u32,
    amount: u64,
}

/// Where the parts of a request were taken from, in their order.
#[derive(Debug)]
pub(crate) struct Taken {
    shares: Vec<ReservationId>,
}

impl Shares {
    /// What Redis tells when it lends is put into `seen` too. In a Tokio runtime only.
    pub(crate) fn new(redis: Arc<Redis>, settler: Arc<Settler>, seen: Arc<Local>) -> Self {
        let book = Arc::new(Book::default());
        let mut tasks = JoinSet::new();
        let borrower = Borrower { book: Arc::clone(&book), redis, settler: Arc::clone(&settler), seen };
        tasks.spawn(borrower.run());
        Self { book, settler, _borrower: tasks }
    }

    /// Takes all parts of `ask` from shares, or nothing. With the levels of its counters, as far as this process knows.
    pub(crate) fn take(&self, ask: &Ask) -> Option<(Taken, Vec<Level>)> {
        let now = ask.id().made();
        let mut state = self.book.lock();
        let shares = state.find(ask)?;
        let mut levels = Vec::with_capacity(shares.len());
        let mut has_work = false;
        for (id, part) in shares.iter().zip(ask.parts()) {
            let Some(share) = state.all.get_mut(id) else { continue };
            share.hold(part.estimate);
            let level = share.level();
            levels.push(level);
            if let Some(wanted) = share.wants_next(now) {
                has_work |= state.want(part, ask, (level, wanted));
            }
        }
        drop(state);
        if has_work {
            self.book.work.notify_one();
        }
        Some((Taken { shares }, levels))
    }

    /// Redis was asked, and told these levels: those that it is asked about often are borrowed from. Not if one of them is
    /// near its limit, so that Redis must be asked all the same.
    pub(crate) fn note(&self, ask: &Ask, levels: &[Level]) {
        let parts = || ask.parts().iter().zip(levels);
        if parts().any(|(part, level)| share::size(&part.counter, *level, part.estimate, 0).is_none()) {
            return;
        }
        let mut state = self.book.lock();
        // What is counted is to be forgotten again.
        let mut has_work = state.asked.is_empty();
        for (part, level) in parts() {
            if let Some(amount) = state.count(part, ask.id().made()) {
                has_work |= state.want(part, ask, (*level, amount));
            }
        }
        drop(state);
        if has_work {
            self.book.work.notify_one();
        }
    }

    /// What a request came to.
    pub(crate) fn settle(&self, taken: &Taken, ask: &Ask, mut actual: impl FnMut(&Counter, u64) -> u64) {
        let mut over = Vec::new();
        let mut state = self.book.lock();
        for (id, part) in taken.shares.iter().zip(ask.parts()) {
            let Some(share) = state.all.get_mut(id) else { continue };
            share.settle(part, actual(&part.counter, part.estimate));
            if share.is_over() && share.is_closed() {
                over.extend(state.all.remove(id));
            }
        }
        drop(state);
        for share in over {
            self.settler.push(share.end());
        }
    }

    /// Closes all, so that what was used is on its way to Redis. What still runs settles itself.
    pub(crate) fn close(&self) {
        let mut state = self.book.lock();
        let open: Vec<_> = state.open.drain().map(|(_, id)| id).collect();
        for id in open {
            state.close(id);
        }
        let closed = std::mem::take(&mut state.closed);
        drop(state);
        // Without a hold of its own what runs on is in nobody's way: it only adds.
        closed.into_iter().for_each(|closed| self.settler.push(closed.settled));
    }
}

impl Book {
    /// A panic elsewhere must not end all limits; each change is whole by itself.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A share with room for each part.
    fn find(&self, ask: &Ask) -> Option<Vec<ReservationId>> {
        let now = ask.id().made();
        let each = ask.parts().iter().map(|part| {
            let id = self.open.get(part.counter.key())?;
            self.all.get(id).filter(|share| share.has_room(part, now)).map(|_| *id)
        });
        each.collect()
    }

    /// Counts a call; how much to borrow, if calls are often.
    fn count(&mut self, part: &Part, now: Timestamp) -> Option<u64> {
        let second = now.as_second();
        if self.asked.len() >= WATCHED && !self.asked.contains_key(part.counter.key()) {
            return None;
        }
        let asked =
            self.asked.entry(part.counter.key().clone()).or_insert(Asked { second, count: 0, amount: 0 });
        if asked.second != second {
            *asked = Asked { second, count: 0, amount: 0 };
        }
        asked.count += 1;
        asked.amount = asked.amount.saturating_add(part.estimate);
        (asked.count >= OFTEN).then(|| asked.amount.saturating_mul(FIRST))
    }

    /// Whether there is something to borrow.
    fn want(&mut self, part: &Part, ask: &Ask, (level, wanted): (Level, u64)) -> bool {
        let key = part.counter.key();
        if self.borrowing.contains(key) {
            return false;
        }
        let Some(amount) = share::size(&part.counter, level, part.estimate, wanted) else { return false };
        self.borrowing.insert(key.clone());
        let id = ReservationId::new(Timestamp::now(), ask.id().noise() ^ u128::from(self.next_noise()));
        self.wanted.push(Ask::lent(id, Arc::clone(&part.counter), amount, ask.ttl()));
        true
    }

    /// Opens what was lent in the place of the one before.
    fn open(&mut self, ask: Ask, level: Level) {
        let Some(key) = ask.parts().first().map(|part| part.counter.key().clone()) else { return };
        let id = ask.id();
        self.all.insert(id, Share::new(ask, level));
        if let Some(before) = self.open.insert(key, id) {
            self.close(before);
        }
    }

    fn close(&mut self, id: ReservationId) {
        let noise = (u128::from(self.next_noise()) << 64) | u128::from(self.next_noise());
        let Some(share) = self.all.get_mut(&id) else { return };
        let closed = share.close(id.noise() ^ noise);
        if share.is_over() {
            self.all.remove(&id);
        }
        self.closed.push(closed);
    }

    /// Closes what has ended by time, and forgets what is no longer asked for.
    fn sweep(&mut self, now: Timestamp) {
        let all = &self.all;
        let ended: Vec<_> = self
            .open
            .iter()
            .filter(|(_, id)| all.get(id).is_none_or(|share| !share.is_open(now)))
            .map(|(key, id)| (key.clone(), *id))
            .collect();
        for (key, id) in ended {
            self.open.remove(&key);
            self.close(id);
        }
        let second = now.as_second();
        self.asked.retain(|_, asked| asked.second >= second - 1);
    }

    fn next_noise(&mut self) -> u64 {
        self.noise = self.noise.wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.noise
    }
}

impl Borrower {
    async fn run(self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_idle = {
                let state = self.book.lock();
                state.open.is_empty() && state.wanted.is_empty() && state.asked.is_empty()
            };
            let is_time = tokio::select! {
                () = self.book.work.notified() => false,
                _ = ticks.tick(), if !is_idle => true,
            };
            self.borrow().await;
            let closed = {
                let mut state = self.book.lock();
                if is_time {
                    state.sweep(Timestamp::now());
                }
                std::mem::take(&mut state.closed)
            };
            self.tell(closed).await;
        }
    }

    async fn borrow(&self) {
        let wanted = std::mem::take(&mut self.book.lock().wanted);
        let mut lent = Vec::with_capacity(wanted.len());
        for some in wanted.chunks(BATCH) {
            lent.extend(join_all(some.iter().map(|ask| self.redis.reserve(ask))).await);
        }
        let mut state = self.book.lock();
        for (ask, lent) in wanted.into_iter().zip(lent) {
            if let Some(part) = ask.parts().first() {
                state.borrowing.remove(part.counter.key());
            }
            match lent {
                Ok(Verdict::Granted(levels)) => {
                    self.seen.note(&ask, &levels);
                    if let Some(level) = levels.first() {
                        state.open(ask, *level);
                    }
                }
                Ok(Verdict::Refused { .. }) => {}
                // Redis may hold it all the same.
                Err(_) => self.settler.push(Settled::nothing(ask)),
            }
        }
    }

    /// Before what was used is settled, what runs on gets a hold of its own; without one, it counts when it ends.
    async fn tell(&self, closed: Vec<Closed>) {
        let rests: Vec<_> = closed.iter().filter_map(|closed| closed.rest.as_ref()).collect();
        for some in rests.chunks(BATCH) {
            join_all(some.iter().map(|rest| self.redis.reserve(rest))).await;
        }
        closed.into_iter().for_each(|closed| self.settler.push(closed.settled));
    }
}

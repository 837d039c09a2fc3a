//! A reservation: what is asked for, and what it came to. It fixes the windows that it counts in when it is made.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::counter::{AtLimit, Counter, GRACE, MOST, Unit, WhenAway, whole_ms};
use crate::window::{Placement, millis};

/// How long after its expiry a backend still knows a reservation that was never settled.
const KNOWN_AFTER_EXPIRY: Duration = Duration::from_secs(300);

/// Reservations expire in steps of a sixteenth of their time to live, so that a counter need not keep each by itself.
const STEPS: i64 = 16;

/// What a reservation may live.
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 3600);

/// Names a reservation, and tells when it was made: that decides the windows that it is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReservationId(u128);

impl ReservationId {
    /// For a reservation made at `now`. Two of the same millisecond differ by `noise`, of which 80 bits count.
    #[must_use]
    pub fn new(now: Timestamp, noise: u128) -> Self {
        let made = u128::from(u64::try_from(now.as_millisecond()).unwrap_or(0));
        Self((made << 80) | (noise & ((1 << 80) - 1)))
    }

    /// What tells it from others of its millisecond.
    pub(crate) fn noise(self) -> u128 {
        self.0 & ((1 << 80) - 1)
    }

    /// To the millisecond.
    #[must_use]
    pub fn made(self) -> Timestamp {
        millis(i64::try_from(self.0 >> 80).unwrap_or(i64::MAX))
    }
}

/// As it is displayed.
impl std::str::FromStr for ReservationId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

impl std::fmt::Display for ReservationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Asks for room in all of its counters at once.
#[derive(Clone, Debug)]
pub struct Ask {
    id: ReservationId,
    parts: Vec<Part>,
    ttl: Duration,
}

/// One counter of an ask.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) counter: Arc<Counter>,
    pub(crate) estimate: u64,
    /// Of the time when the ask was made: settling goes there too.
    pub(crate) placement: Placement,
    /// For requests that are yet to come: see [`Ask::lent`].
    is_lent: bool,
}

impl Ask {
    /// Each counter with the estimate of what it will count. Estimates above [`MOST`] mean [`MOST`]; a key that comes twice
    /// becomes one, with both estimates. What is not settled is free again after `ttl` (a second to a week), at most a
    /// sixteenth of it later.
    #[must_use]
    pub fn new(id: ReservationId, counters: Vec<(Arc<Counter>, u64)>, ttl: Duration) -> Self {
        let mut parts: Vec<Part> = Vec::with_capacity(counters.len());
        for (counter, estimate) in counters {
            match parts.iter_mut().find(|part| part.counter.key() == counter.key()) {
                Some(part) => part.estimate = part.estimate.saturating_add(estimate).min(MOST),
                None => {
                    let placement = counter.window().placement(id.made());
                    parts.push(Part { counter, estimate: estimate.min(MOST), placement, is_lent: false });
                }
            }
        }
        Self { id, parts, ttl: ttl.clamp(*TTL.start(), *TTL.end()) }
    }

    /// The same, but not of one request: what is asked for may be used or not, so it is held and nothing counts at once.
    pub(crate) fn lent(id: ReservationId, counter: Arc<Counter>, amount: u64, ttl: Duration) -> Self {
        let mut ask = Self::new(id, vec![(counter, amount)], ttl);
        ask.parts.iter_mut().for_each(|part| part.is_lent = true);
        ask
    }

    /// Whose it is.
    #[must_use]
    pub fn id(&self) -> ReservationId {
        self.id
    }

    /// Counters and estimates, in the order given.
    pub fn counters(&self) -> impl Iterator<Item = (&Arc<Counter>, u64)> {
        self.parts.iter().map(|part| (&part.counter, part.estimate))
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn counter(&self, which: usize) -> Option<&Arc<Counter>> {
        self.parts.get(which).map(|part| &part.counter)
    }

    /// The same ask, of those of its counters that are estimated while their keeper is away.
    pub(crate) fn estimated(&self) -> Self {
        let parts = self.parts.iter().filter(|part| part.is_estimated()).cloned().collect();
        Self { id: self.id, parts, ttl: self.ttl }
    }

    /// The same of another name, as much as that of each counter, which is granted whatever room there is.
    pub(crate) fn rest(&self, estimate: u64, noise: u128) -> Self {
        let counting =
            |part: &Part| Part { counter: Arc::new(part.counter.counting()), estimate, ..part.clone() };
        let id = ReservationId::new(self.id.made(), noise);
        Self { id, parts: self.parts.iter().map(counting).collect(), ttl: self.ttl }
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }

    /// When what it holds is free again, in milliseconds since 1970.
    pub(crate) fn expires_ms(&self) -> i64 {
        let ttl = whole_ms(self.ttl);
        let step = (ttl / STEPS).max(1);
        let due = self.id.made().as_millisecond().saturating_add(ttl);
        due.saturating_add(step - 1) / step * step
    }

    /// How long a backend knows it, unless it is settled before.
    pub(crate) fn known_for(&self) -> Duration {
        self.ttl + KNOWN_AFTER_EXPIRY
    }

    /// From then on no backend can tell whether it was granted: it is taken for granted, which it almost always was.
    pub(crate) fn is_forgotten(&self, now: Timestamp) -> bool {
        now.as_millisecond() > self.id.made().as_millisecond().saturating_add(whole_ms(self.known_for()))
    }
}

impl Part {
    /// Whether `taken` leaves no room.
    pub(crate) fn is_refused(&self, taken: u64) -> bool {
        self.refuses() && taken.saturating_add(self.room_needed()) > self.counter.amount()
    }

    pub(crate) fn refuses(&self) -> bool {
        self.counter.at_limit() == AtLimit::Refuse
    }

    pub(crate) fn is_estimated(&self) -> bool {
        self.counter.when_away() == WhenAway::Estimate
    }

    /// Nothing is let in at the limit, also if it asks for nothing.
    pub(crate) fn room_needed(&self) -> u64 {
        self.estimate.max(1)
    }

    /// What the reservation puts into the counter.
    pub(crate) fn hold(&self) -> Hold {
        match self.counter.unit() {
            Unit::Requests if !self.is_lent => Hold { spent: self.estimate, reserved: 0 },
            _ => Hold { spent: 0, reserved: self.estimate },
        }
    }

    /// What settling adds to what is spent.
    pub(crate) fn charge(&self, actual: u64, held: Held) -> i64 {
        match (self.counter.unit(), held) {
            (Unit::Concurrency, _) => 0,
            (Unit::Requests, Held::Known) if !self.is_lent => signed(actual) - signed(self.estimate),
            _ => signed(actual),
        }
    }

    /// How long after the ask its storage is of use; `None` if for ever.
    pub(crate) fn kept(&self, ask: &Ask) -> Option<Duration> {
        let counts = match self.placement.over {
            Some(over) => Duration::try_from(over.duration_since(ask.id.made())).unwrap_or_default(),
            None if self.counter.unit() == Unit::Concurrency => Duration::ZERO,
            None => return None,
        };
        Some(counts.max(ask.ttl) + GRACE)
    }
}

/// What a reservation came to in each of its counters.
#[derive(Clone, Debug)]
pub struct Settlement<'a> {
    ask: &'a Ask,
    actual: Cow<'a, [u64]>,
}

impl<'a> Settlement<'a> {
    /// `actual` tells what a counter really counts, from the counter and its estimate. A request that was never sent is
    /// settled with 0.
    #[must_use]
    pub fn new(ask: &'a Ask, actual: impl FnMut(&Counter, u64) -> u64) -> Self {
        Self { ask, actual: amounts(ask, actual).into() }
    }

    pub(crate) fn ask(&self) -> &'a Ask {
        self.ask
    }

    /// With what each really counts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&'a Part, u64)> {
        self.ask.parts.iter().zip(self.actual.iter().copied())
    }
}

/// A settlement that waits.
#[derive(Debug)]
pub(crate) struct Settled {
    ask: Ask,
    actual: Vec<u64>,
}

impl Settled {
    /// See [`Settlement::new`].
    pub(crate) fn new(ask: Ask, actual: impl FnMut(&Counter, u64) -> u64) -> Self {
        let actual = amounts(&ask, actual);
        Self { ask, actual }
    }

    /// Of what was never sent.
    pub(crate) fn nothing(ask: Ask) -> Self {
        Self::new(ask, |_, _| 0)
    }

    pub(crate) fn settlement(&self) -> Settlement<'_> {
        Settlement { ask: &self.ask, actual: self.actual.as_slice().into() }
    }
}

fn amounts(ask: &Ask, mut actual: impl FnMut(&Counter, u64) -> u64) -> Vec<u64> {
    ask.parts.iter().map(|part| actual(&part.counter, part.estimate).min(MOST)).collect()
}

/// What a reservation is while it lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hold {
    /// Counts for good at once.
    pub(crate) spent: u64,
    /// Held until it is settled or expires.
    pub(crate) reserved: u64,
}

/// Whether a reservation was granted before it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Known,
    /// The backend was away, or has lost its data.
    Never,
}

/// Amounts fit by far: see [`MOST`].
pub(crate) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

//! What is counted: one limit for one subject. What is asked of it is in `ask.rs`.

use std::sync::Arc;
use std::time::Duration;

use crate::window::Window;

/// The largest amount: what a Lua number in Redis holds exactly. In nano-dollars it is 9 million dollars.
pub const MOST: u64 = (1 << 53) - 1;

/// What is stored outlives its use by this, for clocks that differ between pods and for late settling.
pub(crate) const GRACE: Duration = Duration::from_secs(600);

/// Names a counter for good: usage belongs to it. A new key starts at nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterKey(Arc<str>);

impl CounterKey {
    /// Stable text that nothing else uses, such as a budget's uid, a limit's name and a subject.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// As given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Billionths of a dollar.
    NanoUsd,
    /// All of a request.
    Tokens,
    /// Those sent.
    InputTokens,
    /// Those received.
    OutputTokens,
    /// Counted when they are let in.
    Requests,
    /// Requests that run at the same time.
    Concurrency,
}

/// What a counter does when it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtLimit {
    /// Grants no more.
    Refuse,
    /// Goes on counting: for limits that only warn, and for budgets in shadow.
    Count,
}

/// What becomes of requests while nobody can tell how full a counter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenAway {
    /// They go on, and count later.
    #[default]
    FailOpen,
    /// They are refused.
    FailClosed,
    /// Each process counts by itself, on from the level that it saw last.
    Estimate,
}

/// One limit for one subject.
#[derive(Clone, Debug)]
pub struct Counter {
    key: CounterKey,
    unit: Unit,
    amount: u64,
    window: Window,
    at_limit: AtLimit,
    when_away: WhenAway,
}

impl Counter {
    /// An `amount` above [`MOST`] means [`MOST`]. Concurrency has no window. Usage is kept by key and window: another amount
    /// meets the usage there is.
    #[must_use]
    pub fn new(key: CounterKey, unit: Unit, amount: u64, window: Window, at_limit: AtLimit) -> Self {
        let window = if unit == Unit::Concurrency { Window::Forever } else { window };
        Self { key, unit, amount: amount.min(MOST), window, at_limit, when_away: WhenAway::default() }
    }

    /// The same with another way while its keeper is away.
    #[must_use]
    pub fn with_when_away(mut self, when_away: WhenAway) -> Self {
        self.when_away = when_away;
        self
    }

    /// The same, which refuses nothing.
    pub(crate) fn counting(&self) -> Self {
        Self { at_limit: AtLimit::Count, ..self.clone() }
    }

    /// Whose usage it is.
    #[must_use]
    pub fn key(&self) -> &CounterKey {
        &self.key
    }

    /// What it counts.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// How much fits.
    #[must_use]
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// What it does when it is full.
    #[must_use]
    pub fn at_limit(&self) -> AtLimit {
        self.at_limit
    }

    /// What becomes of requests while nobody can tell how full it is.
    #[must_use]
    pub fn when_away(&self) -> WhenAway {
        self.when_away
    }

    /// What it counts over.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }
}

/// How full a counter is. `spent` may pass `amount`: by what requests cost beyond their estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Counted for good.
    pub spent: u64,
    /// Held by reservations.
    pub reserved: u64,
    /// How much fits.
    pub amount: u64,
}

pub(crate) fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

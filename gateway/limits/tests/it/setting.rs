//! Counters, asks and times for tests.

use std::sync::Arc;
use std::time::Duration;

use limits::{
    Ask, AtLimit, Backend, CalendarUnit, Counter, CounterKey, Level, ReservationId, Settlement, Timestamp,
    Unit, Verdict, Window,
};

pub(crate) const TTL: Duration = Duration::from_secs(16);

/// So many seconds after a noon.
pub(crate) fn noon(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_608_000 + seconds).unwrap()
}

pub(crate) fn minute() -> Window {
    Window::calendar(CalendarUnit::Minute, "UTC", None).unwrap()
}

pub(crate) fn day() -> Window {
    Window::calendar(CalendarUnit::Day, "UTC", None).unwrap()
}

pub(crate) fn rolling(seconds: u64) -> Window {
    Window::rolling(Duration::from_secs(seconds)).unwrap()
}

pub(crate) fn counter(key: &str, unit: Unit, amount: u64, window: Window) -> Arc<Counter> {
    Arc::new(Counter::new(CounterKey::new(key), unit, amount, window, AtLimit::Refuse))
}

pub(crate) fn usd(amount: u64) -> Arc<Counter> {
    counter("usd", Unit::NanoUsd, amount, day())
}

pub(crate) fn ask(now: Timestamp, counters: &[(&Arc<Counter>, u64)]) -> Ask {
    let counters = counters.iter().map(|(counter, estimate)| (Arc::clone(counter), *estimate));
    Ask::new(ReservationId::new(now, rand::random()), counters.collect(), TTL)
}

pub(crate) async fn granted(backend: &impl Backend, ask: &Ask) -> Vec<Level> {
    match backend.reserve(ask).await.unwrap() {
        Verdict::Granted(levels) => levels,
        refused @ Verdict::Refused { .. } => panic!("{refused:?}"),
    }
}

pub(crate) async fn refused(backend: &impl Backend, ask: &Ask) -> (usize, Level, Option<Timestamp>) {
    match backend.reserve(ask).await.unwrap() {
        Verdict::Refused { which, level, resets_at } => (which, level, resets_at),
        Verdict::Granted(levels) => panic!("granted: {levels:?}"),
    }
}

/// Settles all counters of the ask with the same amount.
pub(crate) async fn settle(backend: &impl Backend, ask: &Ask, actual: u64, now: Timestamp) {
    backend.settle(&Settlement::new(ask, |_, _| actual), now).await.unwrap();
}

pub(crate) async fn level(backend: &impl Backend, counter: &Arc<Counter>, now: Timestamp) -> (u64, u64) {
    let levels = backend.levels(std::slice::from_ref(counter), now).await.unwrap();
    (levels[0].spent, levels[0].reserved)
}

//! What limits cost: `cargo bench -p limits`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use divan::Bencher;
use limits::{
    Ask, AtLimit, Backend, CalendarUnit, Counter, CounterKey, Local, MOST, ReservationId, Settlement,
    Timestamp, Unit, Window,
};

fn main() {
    divan::main();
}

fn counters(count: usize) -> Vec<Arc<Counter>> {
    let month = Window::calendar(CalendarUnit::Month, "Europe/Vienna", None);
    let minute = Window::calendar(CalendarUnit::Minute, "UTC", None);
    let hour = Window::rolling(Duration::from_secs(3600));
    let (Ok(month), Ok(minute), Ok(hour)) = (month, minute, hour) else { return Vec::new() };
    let kinds = [(Unit::NanoUsd, month), (Unit::Requests, minute), (Unit::Tokens, hour)];
    let counter = |(number, (unit, window)): (usize, &(Unit, Window))| {
        let key = CounterKey::new(&format!("01JDQ4-{number}/usd-month/team-a"));
        Arc::new(Counter::new(key, *unit, MOST, window.clone(), AtLimit::Refuse))
    };
    kinds.iter().cycle().take(count).enumerate().map(counter).collect()
}

fn ask(counters: &[Arc<Counter>], number: u128) -> Ask {
    // A thousand a second, so that windows turn and reservations expire as they do in life.
    let now = Timestamp::from_millisecond(1_795_608_000_000 + i64::try_from(number).unwrap_or(0));
    let id = ReservationId::new(now.unwrap_or_default(), number);
    let counters = counters.iter().map(|counter| (Arc::clone(counter), 100));
    Ask::new(id, counters.collect(), Duration::from_secs(600))
}

/// The local backend never waits.
fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

#[divan::bench(args = [1, 3, 10])]
fn local_reserve_and_settle(bencher: Bencher<'_, '_>, count: usize) {
    let (local, counters) = (Local::new(), counters(count));
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        let ask = ask(&counters, number);
        let verdict = at_once(local.reserve(&ask));
        let settled =
            at_once(local.settle(&Settlement::new(&ask, |_, estimate| estimate / 2), ask.id().made()));
        (verdict, settled)
    });
}

#[divan::bench(args = [CalendarUnit::Minute, CalendarUnit::Day, CalendarUnit::Month])]
fn span_in_vienna(bencher: Bencher<'_, '_>, unit: &CalendarUnit) {
    let window = Window::calendar(*unit, "Europe/Vienna", None);
    let now = Timestamp::from_second(1_795_608_000).unwrap_or_default();
    bencher.bench_local(|| window.as_ref().ok().and_then(|window| window.span(divan::black_box(now))));
}

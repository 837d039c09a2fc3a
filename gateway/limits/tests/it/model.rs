//! Random histories on a backend and on a naive model: a list of reservations that is added up at every question. Times
//! are whole seconds and so are slots and steps of expiry, so the model needs to know of neither.

use std::sync::Arc;
use std::time::Duration;

use limits::{
    Ask, AtLimit, Backend, Counter, CounterKey, Level, ReservationId, Settlement, Timestamp, Unit, Verdict,
    Window,
};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use crate::setting::{TTL, minute, noon, rolling};

const UNITS: [Unit; 6] =
    [Unit::NanoUsd, Unit::Tokens, Unit::Requests, Unit::Concurrency, Unit::OutputTokens, Unit::InputTokens];

#[derive(Clone, Debug)]
enum Step {
    Wait(i64),
    /// Estimates by counter; `None` leaves it out.
    Reserve([Option<u64>; 6]),
    /// One that was made, by its place.
    Settle(prop::sample::Index, [u64; 6]),
    SettleAgain(prop::sample::Index),
    SettleUnknown([Option<u64>; 6]),
    Amount(usize, u64),
    Reset(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let amounts = || prop::array::uniform6(0..40_u64);
    let estimates = || prop::array::uniform6(prop::option::of(0..40_u64));
    let step = prop_oneof![
        4 => prop_oneof![Just(0), Just(1), 0..20_i64, Just(60)].prop_map(Step::Wait),
        8 => estimates().prop_map(Step::Reserve),
        5 => (any::<prop::sample::Index>(), amounts()).prop_map(|(which, actual)| Step::Settle(which, actual)),
        1 => any::<prop::sample::Index>().prop_map(Step::SettleAgain),
        1 => estimates().prop_map(Step::SettleUnknown),
        1 => (0..6_usize, 0..200_u64).prop_map(|(which, amount)| Step::Amount(which, amount)),
        // A request that is never sent is taken back even if it was forgotten, so requests are not reset here.
        1 => prop_oneof![Just(0_usize), Just(1), Just(4)].prop_map(Step::Reset),
    ];
    prop::collection::vec(step, 1..60)
}

/// All that ever was reserved, and nothing added up.
struct Model {
    now: i64,
    counters: Vec<Arc<Counter>>,
    asks: Vec<Asked>,
}

struct Asked {
    ask: Ask,
    made: i64,
    /// By counter.
    estimates: [Option<u64>; 6],
    granted: bool,
    actual: Option<[u64; 6]>,
    forgotten: [bool; 6],
}

fn counter(which: usize, amount: u64) -> Arc<Counter> {
    let window = match which {
        0 | 3 => minute(),
        1 | 2 => rolling(20),
        4 => Window::Forever,
        _ => rolling(40),
    };
    let at_limit = if which == 5 { AtLimit::Count } else { AtLimit::Refuse };
    let key = CounterKey::new(&format!("counter {which}"));
    Arc::new(Counter::new(key, UNITS[which], amount, window, at_limit))
}

impl Model {
    fn new() -> Self {
        Self { now: 0, counters: (0..6).map(|which| counter(which, 100)).collect(), asks: Vec::new() }
    }

    fn counts_at(&self, which: usize, made: i64, at: i64) -> bool {
        self.counters[which].window().span(noon(at)).is_none_or(|span| span.start <= noon(made))
    }

    /// What counts of an ask at present, as spent and as reserved.
    fn share(&self, which: usize, asked: &Asked) -> (u64, u64) {
        let Some(estimate) = asked.estimates[which] else { return (0, 0) };
        let is_held = asked.granted && self.now < asked.made + i64::try_from(TTL.as_secs()).unwrap();
        match (asked.actual, UNITS[which]) {
            (Some(_), Unit::Concurrency) => (0, 0),
            (Some(actual), _) if !asked.forgotten[which] => (actual[which], 0),
            (None, Unit::Requests) if asked.granted => (estimate, 0),
            (None, _) if is_held => (0, estimate),
            _ => (0, 0),
        }
    }

    /// Of those that still count at `at`, what counts at present.
    fn level(&self, which: usize, at: i64) -> Level {
        let counting = self.asks.iter().filter(|asked| self.counts_at(which, asked.made, at));
        let (spent, reserved) = counting
            .map(|asked| self.share(which, asked))
            .fold((0, 0), |sum, share| (sum.0 + share.0, sum.1 + share.1));
        Level { spent, reserved, amount: self.counters[which].amount() }
    }

    fn fits(&self, which: usize, estimate: u64, at: i64) -> bool {
        let level = self.level(which, at);
        level.spent + level.reserved + estimate.max(1) <= level.amount
    }

    fn verdict(&mut self, mut asked: Asked) -> Verdict {
        let listed: Vec<_> =
            (0..6).filter_map(|which| asked.estimates[which].map(|estimate| (which, estimate))).collect();
        let refusing = listed
            .iter()
            .position(|(which, estimate)| *which != 5 && !self.fits(*which, *estimate, self.now));
        asked.granted = refusing.is_none();
        if asked.granted {
            self.asks.push(asked);
        }
        let Some(place) = refusing else {
            return Verdict::Granted(listed.iter().map(|(which, _)| self.level(*which, self.now)).collect());
        };
        let (which, estimate) = listed[place];
        let later = (self.now + 1..self.now + 100).find(|at| self.fits(which, estimate, *at));
        Verdict::Refused { which: place, level: self.level(which, self.now), resets_at: later.map(noon) }
    }

    fn asked(&self, noise: u128, estimates: [Option<u64>; 6]) -> Asked {
        let listed =
            (0..6).filter_map(|which| Some((Arc::clone(&self.counters[which]), estimates[which]?))).collect();
        let ask = Ask::new(ReservationId::new(noon(self.now), noise), listed, TTL);
        Asked { ask, made: self.now, estimates, granted: false, actual: None, forgotten: [false; 6] }
    }
}

async fn take(backend: &impl Backend, model: &mut Model, noise: u128, step: Step) {
    match step {
        Step::Wait(seconds) => model.now += seconds,
        Step::Reserve(estimates) => {
            let asked = model.asked(noise, estimates);
            let verdict = backend.reserve(&asked.ask).await.unwrap();
            assert_eq!(verdict, model.verdict(asked));
        }
        Step::Settle(which, actual) => {
            let open: Vec<_> = (0..model.asks.len()).filter(|at| model.asks[*at].actual.is_none()).collect();
            if open.is_empty() {
                return;
            }
            let asked = &mut model.asks[open[which.index(open.len())]];
            asked.actual = Some(actual);
            asked.forgotten = [false; 6];
            settle(backend, asked, model.now).await;
        }
        Step::SettleAgain(which) => {
            // A backend need not know for ever what was settled.
            let recent: Vec<_> = (0..model.asks.len())
                .filter(|at| model.asks[*at].actual.is_some() && model.asks[*at].made + 10 > model.now)
                .collect();
            if let Some(at) = (!recent.is_empty()).then(|| recent[which.index(recent.len())]) {
                settle(backend, &model.asks[at], model.now).await;
            }
        }
        Step::SettleUnknown(estimates) => {
            let mut asked = model.asked(noise, estimates);
            asked.actual = Some([3; 6]);
            settle(backend, &asked, model.now).await;
            model.asks.push(asked);
        }
        Step::Amount(which, amount) => model.counters[which] = counter(which, amount),
        Step::Reset(which) => {
            backend.reset(&model.counters[which], noon(model.now)).await.unwrap();
            for asked in &mut model.asks {
                asked.forgotten[which] |= asked.actual.is_some();
            }
        }
    }
}

async fn settle(backend: &impl Backend, asked: &Asked, now: i64) {
    let actual = asked.actual.unwrap();
    let by_unit =
        |counter: &Counter, _| actual[UNITS.iter().position(|unit| *unit == counter.unit()).unwrap()];
    backend.settle(&Settlement::new(&asked.ask, by_unit), noon(now)).await.unwrap();
}

async fn follow(backend: impl Backend, steps: Vec<Step>) {
    let mut model = Model::new();
    for (noise, step) in steps.into_iter().enumerate() {
        take(&backend, &mut model, noise as u128, step).await;
        let levels = backend.levels(&model.counters, noon(model.now)).await.unwrap();
        let expected: Vec<_> = (0..6).map(|which| model.level(which, model.now)).collect();
        assert_eq!(levels, expected, "at second {}", model.now);
    }
}

fn check<B: Backend>(cases: u32, make: impl AsyncFn() -> B) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let followed = runner.run(&steps(), |steps| {
        runtime.block_on(async { follow(make().await, steps).await });
        Ok(())
    });
    followed.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn any_history_on_local_counters_is_that_of_the_model() {
    check(512, crate::place::local);
}

#[test]
fn any_history_in_redis_is_that_of_the_model() {
    check(64, crate::place::redis);
}

#[test]
fn any_history_in_a_cluster_is_that_of_the_model() {
    check(16, crate::place::cluster);
}

#[test]
fn the_model_counts_what_a_window_shows() {
    // The model leans on spans: they must not be empty.
    let model = Model::new();
    assert!(model.counts_at(0, 0, 59) && !model.counts_at(0, 0, 60));
    assert!(model.counts_at(1, 0, 20) && !model.counts_at(1, 0, 21));
    assert_eq!(Timestamp::from_second(1_795_608_000).unwrap(), noon(0));
    assert_eq!(Duration::from_secs(16), TTL, "sixteen steps of a second");
}

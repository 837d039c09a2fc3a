//! When the same deployment is asked again, and how often that may be in all, so that an outage is not made worse.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::Retries;
use protocol::fault::FaultClass;
use rand::{Rng, RngExt};
use tokio::time::Instant;

/// What one further call costs; a request earns so many percent of it.
const CALL: f64 = 100.0;

/// What each second earns, however few requests there are: ten further calls.
const EACH_SECOND: f64 = 10.0 * CALL;

/// What is saved up at most.
const SAVED: f64 = 100.0 * CALL;

/// What another try can bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hope {
    /// The same deployment may answer later, and another now.
    Anywhere,
    /// Another deployment may answer.
    Elsewhere,
    /// It is most likely the request: one other deployment may see it otherwise.
    OnceElsewhere,
}

impl Hope {
    pub(crate) fn of(class: FaultClass) -> Self {
        match class {
            FaultClass::RateLimited
            | FaultClass::Failed
            | FaultClass::Garbled
            | FaultClass::Timeout
            | FaultClass::Unreachable => Self::Anywhere,
            FaultClass::Authentication | FaultClass::Forbidden | FaultClass::NotFound => Self::Elsewhere,
            FaultClass::InvalidRequest | FaultClass::TooLarge | FaultClass::Filtered => Self::OnceElsewhere,
        }
    }
}

/// How long to wait before the same deployment is asked for the `count`th time again, from 0. `told` is what its provider
/// says; where that is longer than anybody waits, `None`.
pub(crate) fn pause(
    terms: &Retries,
    count: u32,
    told: Option<Duration>,
    rng: &mut impl Rng,
) -> Option<Duration> {
    let most = Some(Duration::from_millis(terms.max_backoff_ms)).filter(|most| !most.is_zero())?;
    let own = Duration::from_millis(terms.backoff_ms).saturating_mul(2_u32.saturating_pow(count.min(16)));
    // Between half of it and all of it, so that those who failed together do not come back together.
    let own = own.min(most).mul_f64(rng.random_range(0.5..=1.0));
    match told {
        Some(told) if told > most => None,
        Some(told) => Some(told.max(own)),
        None => Some(own),
    }
}

/// Further calls that may still be made, over all requests.
#[derive(Debug, Default)]
pub(crate) struct Allowance(Mutex<Saved>);

#[derive(Debug)]
struct Saved {
    percent: f64,
    at: Option<Instant>,
}

impl Default for Saved {
    fn default() -> Self {
        Self { percent: SAVED, at: None }
    }
}

impl Allowance {
    /// A request has come: it earns a part of a further call.
    pub(crate) fn earn(&self, percent: u32) {
        let mut saved = self.lock();
        saved.percent = (saved.percent + f64::from(percent)).min(SAVED);
    }

    /// Whether there may be one more.
    pub(crate) fn spend(&self, now: Instant) -> bool {
        let mut saved = self.lock();
        let passed = saved.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        saved.at = Some(now);
        saved.percent = (saved.percent + passed * EACH_SECOND).min(SAVED);
        let may = saved.percent >= CALL;
        if may {
            saved.percent -= CALL;
        }
        may
    }

    fn lock(&self) -> MutexGuard<'_, Saved> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_cut_at_random() {
        let terms = Retries { backoff_ms: 100, max_backoff_ms: 1000, ..Retries::default() };
        let mut rng = SmallRng::seed_from_u64(1);
        for _ in 0..100 {
            for (count, most) in [(0, 100), (1, 200), (2, 400), (9, 1000), (40, 1000)] {
                let pause = pause(&terms, count, None, &mut rng).expect("a pause").as_millis();
                assert!((most / 2..=most).contains(&pause), "{pause} of {most}");
            }
        }
    }

    #[test]
    fn what_a_provider_says_is_waited_for_unless_it_is_long() {
        let terms = Retries { max_backoff_ms: 8_000, ..Retries::default() };
        let mut rng = SmallRng::seed_from_u64(1);
        let told = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(pause(&terms, 0, told(3), &mut rng), told(3));
        assert_eq!(pause(&terms, 0, told(9), &mut rng), None, "longer than the longest pause");
        assert!(pause(&terms, 0, told(0), &mut rng) > told(0), "soon is not at once");
    }

    #[test]
    fn further_calls_are_a_part_of_requests_and_some_in_each_second() {
        let (allowance, start) = (Allowance::default(), Instant::now());
        let spent = |now| (0..1000).filter(|_| allowance.spend(now)).count();
        assert_eq!(spent(start), 100, "what is saved up");
        (0..50).for_each(|_| allowance.earn(20));
        assert_eq!(spent(start), 10, "a fifth of fifty");
        assert_eq!(spent(start + Duration::from_millis(2_100)), 21, "ten in a second");
        assert_eq!(spent(start + Duration::from_secs(3600)), 100, "no more is saved up");
    }
}

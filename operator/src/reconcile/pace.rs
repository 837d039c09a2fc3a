//! When the next round runs: at once after a rest, with growing gaps while changes keep coming, and again by
//! itself after a failure.

use std::time::Duration;

use tokio::time::Instant;

use crate::publish::PublishError;

const GAP_MIN: Duration = Duration::from_millis(50);
const GAP_MAX: Duration = Duration::from_millis(500);

/// Spaces the rounds out.
#[derive(Debug)]
pub(super) struct Pace {
    next: Instant,
    gap: Duration,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { next: now, gap: GAP_MIN }
    }

    /// When the next round may start.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// A round ran. If it had to wait for its turn, changes come faster than rounds: collect more of them.
    pub(super) fn ran(&mut self, started: Instant, ended: Instant) {
        let waited = started.saturating_duration_since(self.next) < Duration::from_millis(5);
        self.gap = if waited { (self.gap * 2).min(GAP_MAX) } else { GAP_MIN };
        self.next = ended + self.gap;
    }
}

const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Spaces the attempts after failures out.
#[derive(Debug, Default)]
pub(super) struct Retry {
    failures: u32,
}

impl Retry {
    /// When to try again after a round with these errors, if at all. `jitter` is any number.
    pub(super) fn after(&mut self, errors: &[PublishError], now: Instant, jitter: u32) -> Option<Instant> {
        let again =
            |error: &&PublishError| !matches!(error, PublishError::TooLarge(_) | PublishError::NotLeading);
        if errors.iter().find(again).is_none() {
            self.failures = 0;
            return None;
        }
        if self.failures == 0 && errors.iter().all(|error| matches!(error, PublishError::Conflict(_))) {
            self.failures = 1;
            return Some(now);
        }
        let pause = (RETRY_MIN * 2_u32.saturating_pow(self.failures)).min(RETRY_MAX);
        self.failures = (self.failures + 1).min(10);
        Some(now + pause + pause.mul_f64(f64::from(jitter) / f64::from(u32::MAX) / 4.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict() -> PublishError {
        PublishError::Conflict("main-routing".into())
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_change_runs_at_once_and_a_flood_is_collected() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        assert_eq!(pace.next(), start);
        for expected in [100, 200, 400, 500, 500] {
            let at = pace.next();
            pace.ran(at, at);
            assert_eq!(pace.next() - at, Duration::from_millis(expected));
        }
        let rested = pace.next() + Duration::from_secs(1);
        pace.ran(rested, rested);
        assert_eq!(pace.next() - rested, GAP_MIN, "after a rest the gap is short again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_conflict_is_retried_at_once_and_then_with_growing_pauses() {
        let (now, mut retry) = (Instant::now(), Retry::default());
        assert_eq!(retry.after(&[conflict()], now, 0), Some(now));
        assert_eq!(retry.after(&[conflict()], now, 0), Some(now + 2 * RETRY_MIN));
        assert_eq!(retry.after(&[conflict()], now, 0), Some(now + 4 * RETRY_MIN));
        assert_eq!(retry.after(&[], now, 0), None);
        assert_eq!(retry.after(&[conflict()], now, 0), Some(now), "success starts afresh");
    }

    #[tokio::test(start_paused = true)]
    async fn what_only_an_edit_can_help_is_not_retried() {
        let mut retry = Retry::default();
        assert_eq!(retry.after(&[PublishError::TooLarge("…".into())], Instant::now(), 0), None);
    }
}

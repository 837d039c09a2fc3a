//! When a deployment that fails is left alone. Failures in a row, too many of the last half minute, or one that says it
//! will go on, make it cool; then one call tries it, and if that fails too, it cools for twice as long. Pure: whoever
//! calls tells the time.

use std::time::Duration;

use config::Cooldown;
use protocol::fault::FaultClass;
use tokio::time::Instant;

/// Calls of which the share that failed is looked at.
const SPAN: Duration = Duration::from_secs(30);

/// Of fewer calls no share is looked at.
const SHARE_OF: u32 = 10;

/// A call that tries holds its place for so long: it may be lost with its client.
const TRY: Duration = Duration::from_secs(60);

/// A provider that says to come back sooner is not believed.
const SOONEST: Duration = Duration::from_millis(500);

/// Whether a deployment may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may.
    Stands,
    /// It has cooled, and one call may try it.
    Due,
    /// It is left alone until then, or while another call tries it.
    Cools(Instant),
}

/// What is known of one deployment's failures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaker {
    /// It cools until then, or is due.
    until: Option<Instant>,
    /// Since when.
    cooled_at: Option<Instant>,
    /// How often it has cooled since it was answered last.
    times: u32,
    /// Until when the call that tries it holds that place.
    tried_until: Option<Instant>,
    /// Failures in a row.
    streak: u32,
    recent: Recent,
}

/// Calls of the last half minute to minute: the span that runs, and the one before it.
#[derive(Clone, Debug, Default)]
struct Recent {
    began: Option<Instant>,
    now: Calls,
    before: Calls,
}

#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    all: u32,
    failed: u32,
}

impl Breaker {
    pub(crate) fn standing(&self, now: Instant) -> Standing {
        match (self.until, self.tried_until) {
            (None, _) => Standing::Stands,
            (Some(until), _) if now < until => Standing::Cools(until),
            (Some(_), Some(tried)) if now < tried => Standing::Cools(tried),
            (Some(_), _) => Standing::Due,
        }
    }

    /// One call goes there. Whether it is the one that tries.
    pub(crate) fn enter(&mut self, now: Instant) -> bool {
        let is_due = self.standing(now) == Standing::Due;
        if is_due {
            self.tried_until = Some(now + TRY);
        }
        is_due
    }

    /// The call that tries has ended, and nobody knows how.
    pub(crate) fn leave(&mut self) {
        self.tried_until = None;
    }

    /// A call that began at `since` was answered, or refused for a reason of its own.
    pub(crate) fn answered(&mut self, since: Instant, now: Instant) {
        if self.is_of_before(since) {
            return;
        }
        self.recent.note(false, now);
        let recent = std::mem::take(&mut self.recent);
        // Once it has cooled, what was before says nothing.
        *self = if self.until.is_some() { Self::default() } else { Self { recent, ..Self::default() } };
    }

    /// A call that began at `since` failed with this, and its provider says to stay away for so long. For how long it cools
    /// now, if it does.
    pub(crate) fn failed(
        &mut self,
        (class, told): (FaultClass, Option<Duration>),
        since: Instant,
        terms: &Cooldown,
        now: Instant,
    ) -> Option<Duration> {
        if self.is_of_before(since) {
            return None;
        }
        self.streak = self.streak.saturating_add(1);
        self.recent.note(true, now);
        // It was left alone and asked all the same, or asked before: that says nothing new.
        if matches!(self.standing(now), Standing::Cools(until) if self.tried_until != Some(until)) {
            return None;
        }
        if !self.is_too_much(class, terms) {
            return None;
        }
        let most = Duration::from_millis(terms.max_duration_ms);
        let doubled = 2_u32.saturating_pow(self.times.min(16));
        let own = Duration::from_millis(terms.duration_ms).saturating_mul(doubled);
        let lasts = told.map_or(own, |told| told.max(SOONEST)).min(most);
        self.times = self.times.saturating_add(1);
        self.cool(now + lasts, now);
        Some(lasts)
    }

    /// It is left alone until then, unless it is for longer already.
    pub(crate) fn cool(&mut self, until: Instant, now: Instant) {
        self.cooled_at = Some(now);
        self.until = self.until.max(Some(until));
        self.tried_until = None;
        self.recent = Recent::default();
    }

    /// What calls came to that began before it was left alone is no news of it.
    fn is_of_before(&self, since: Instant) -> bool {
        self.until.is_some() && self.cooled_at.is_some_and(|at| since < at)
    }

    fn is_too_much(&self, class: FaultClass, terms: &Cooldown) -> bool {
        // The call that tried has failed.
        if self.until.is_some() {
            return true;
        }
        // The next call would come to the same.
        let goes_on = matches!(class, FaultClass::RateLimited | FaultClass::Authentication);
        if terms.failures > 0 && (goes_on || self.streak >= terms.failures) {
            return true;
        }
        terms.failure_percent > 0 && self.recent.fails_at_least(terms.failure_percent)
    }
}

impl Recent {
    fn note(&mut self, has_failed: bool, now: Instant) {
        match self.began {
            Some(began) if now < began + SPAN => {}
            Some(began) if now < began + 2 * SPAN => {
                *self = Self { began: Some(began + SPAN), now: Calls::default(), before: self.now };
            }
            _ => *self = Self { began: Some(now), ..Self::default() },
        }
        self.now.all = self.now.all.saturating_add(1);
        self.now.failed = self.now.failed.saturating_add(u32::from(has_failed));
    }

    fn fails_at_least(&self, percent: u8) -> bool {
        let all = self.now.all.saturating_add(self.before.all);
        let failed = self.now.failed.saturating_add(self.before.failed);
        all >= SHARE_OF && u64::from(failed) * 100 >= u64::from(all) * u64::from(percent)
    }
}

#[cfg(test)]
mod tests;

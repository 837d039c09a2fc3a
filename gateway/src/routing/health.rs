//! How each deployment has answered lately, told from real traffic: whether it is left alone, how many calls it has, and
//! how soon it begins to answer. Keyed by identity, so that a reload forgets nothing and a successor of the same name
//! inherits nothing.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use config::Cooldown;
use protocol::fault::FaultClass;
use tokio::time::Instant;

use super::cooldown::{Breaker, Standing};
use super::retry::Allowance;
use super::tell::Teller;
use crate::snapshot::{Identity, Snapshot};

/// How much the newest answer counts in what is usual.
const WEIGHT: f64 = 0.2;

/// The states of all deployments, and what calls of all of them share.
#[derive(Debug, Default)]
pub(crate) struct Health {
    states: RwLock<HashMap<Identity, Arc<State>>>,
    /// Further calls that may be made.
    pub(super) allowance: Allowance,
    /// Whose turn it is, where deployments are asked in turn.
    pub(super) turns: AtomicUsize,
    /// Who tells other pods.
    pub(super) teller: Teller,
}

/// The state of one deployment.
#[derive(Debug, Default)]
pub(crate) struct State {
    known: Mutex<Known>,
    /// Calls under way.
    busy: AtomicU32,
}

#[derive(Debug, Default)]
struct Known {
    outcomes: Outcomes,
    breaker: Breaker,
    /// Until a stream begins.
    first: Usual,
    /// Until a whole answer is there.
    whole: Usual,
    /// The part of its provider's minute that is used up, and until when that holds.
    used: Option<(f64, Instant)>,
}

/// What is known of a deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    /// Whether the last call was answered; `None` before the first.
    pub(crate) last: Option<Result<(), FaultClass>>,
    /// Since the last success.
    pub(crate) consecutive_failures: u32,
    /// It stays after a success, to tell what was wrong.
    pub(crate) last_fault: Option<FaultClass>,
    /// Until when it is left alone.
    pub(crate) cools_until: Option<Instant>,
}

/// A time that is usual of late; `None` before the first.
#[derive(Clone, Copy, Debug, Default)]
struct Usual(Option<f64>);

impl Usual {
    fn note(&mut self, took: Duration) {
        let took = took.as_secs_f64();
        self.0 = Some(self.0.map_or(took, |usual| usual + WEIGHT * (took - usual)));
    }
}

impl Health {
    /// Whose cooling is told to other pods by `teller`.
    pub(crate) fn new(teller: Teller) -> Self {
        Self { teller, ..Self::default() }
    }

    /// The state of `identity`, made at first use.
    pub(crate) fn of(&self, identity: &Identity) -> Arc<State> {
        // No code panics while it holds this lock, so a poisoned one is as good as any.
        let known = self.states.read().unwrap_or_else(PoisonError::into_inner).get(identity).cloned();
        known.unwrap_or_else(|| {
            let mut states = self.states.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(states.entry(identity.clone()).or_default())
        })
    }

    /// Forgets the deployments that `now` does not have.
    pub(crate) fn keep(&self, now: &Snapshot) {
        let deployments = now.models.iter().flat_map(|model| &model.deployments);
        let wanted: HashSet<_> = deployments.map(|deployment| &deployment.identity).collect();
        self.states.write().unwrap_or_else(PoisonError::into_inner).retain(|id, _| wanted.contains(id));
    }
}

impl State {
    pub(super) fn standing(&self, now: Instant) -> Standing {
        self.lock().breaker.standing(now)
    }

    /// Calls under way.
    pub(super) fn busy(&self) -> u32 {
        self.busy.load(Ordering::Relaxed)
    }

    /// How many seconds it usually takes to begin a stream, or to give a whole answer.
    pub(super) fn usual(&self, is_stream: bool) -> Option<f64> {
        let known = self.lock();
        if is_stream { known.first.0 } else { known.whole.0 }
    }

    /// The part of what its provider allows in a minute that is used up, as far as that is known.
    pub(super) fn used(&self, now: Instant) -> f64 {
        self.lock().used.filter(|(_, until)| now < *until).map_or(0.0, |(part, _)| part)
    }

    /// So much of it is used up until then.
    pub(super) fn loaded(&self, part: f64, until: Instant) {
        self.lock().used = Some((part, until));
    }

    /// A call that goes there is for an answer. Whether it is the one that tries what has cooled.
    pub(super) fn enter(&self, now: Instant) -> bool {
        self.lock().breaker.enter(now)
    }

    /// A call goes there.
    pub(super) fn visit(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
    }

    /// A call has ended, and is not told of any more. `tried` says that it was the one.
    pub(super) fn leave(&self, tried: bool) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
        if tried {
            self.lock().breaker.leave();
        }
    }

    /// The answer has begun, so long after it was asked for.
    pub(super) fn began(&self, is_stream: bool, took: Duration) {
        let mut known = self.lock();
        if is_stream { known.first.note(took) } else { known.whole.note(took) }
    }

    /// A call was answered to its end.
    pub(super) fn answered(&self, since: Instant, now: Instant) {
        let mut known = self.lock();
        known.outcomes.last = Some(Ok(()));
        known.outcomes.consecutive_failures = 0;
        known.breaker.answered(since, now);
    }

    /// A call failed. For how long it is left alone from now on, if this makes it so. Requests that no deployment could
    /// answer say nothing about this one, but that it is there.
    pub(super) fn failed(
        &self,
        (class, told): (FaultClass, Option<Duration>),
        since: Instant,
        terms: &Cooldown,
        now: Instant,
    ) -> Option<Duration> {
        let mut known = self.lock();
        if matches!(class, FaultClass::InvalidRequest | FaultClass::TooLarge | FaultClass::Filtered) {
            known.breaker.answered(since, now);
            return None;
        }
        let outcomes = &mut known.outcomes;
        outcomes.last = Some(Err(class));
        outcomes.last_fault = Some(class);
        outcomes.consecutive_failures = outcomes.consecutive_failures.saturating_add(1);
        known.breaker.failed((class, told), since, terms, now)
    }

    /// Another pod leaves it alone until then.
    pub(super) fn cool(&self, until: Instant) {
        self.lock().breaker.cool(until, Instant::now());
    }

    /// A copy to report.
    pub(crate) fn outcomes(&self, now: Instant) -> Outcomes {
        let known = self.lock();
        let cools_until = match known.breaker.standing(now) {
            Standing::Cools(until) => Some(until),
            Standing::Stands | Standing::Due => None,
        };
        Outcomes { cools_until, ..known.outcomes }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

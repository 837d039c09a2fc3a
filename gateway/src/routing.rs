//! Which deployments of a model to try, in which order, and when to give up. `order.rs` has the strategies, `cooldown.rs`
//! when one that fails is left alone, `retry.rs` how often it is tried again, `fallback.rs` which other models are asked
//! when a model has given up; `attempt.rs` follows one call. `health.rs` has the only state that outlives a snapshot, and
//! `tell.rs` tells other pods of it.

mod attempt;
mod cooldown;
mod fallback;
pub(crate) mod health;
mod order;
mod retry;
mod tell;

pub(crate) use attempt::Attempt;
pub(crate) use fallback::Chain;
pub(crate) use order::Wish;
pub(crate) use tell::{Teller, Told};

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use config::Retries;
use rand::Rng;
use tokio::time::{Instant, sleep_until};

use crate::pipeline::{Fault, UpstreamFault};
use crate::snapshot::{Choice, Deployment, Model};
use cooldown::Standing;
use health::Health;
use retry::Hope;

/// What a request has used up of its tries of one model; of a route, over all of its targets.
#[derive(Default)]
pub(crate) struct Tries {
    /// How many deployments were asked.
    calls: u32,
    asked: Vec<Arc<Deployment>>,
    /// Those of them that are worth to be asked again.
    again: Vec<Again>,
    /// How many have said that the request is wrong.
    suspects: u32,
    /// When it is too late to ask one that failed.
    deadline: Option<Instant>,
    /// The request had its free call of what is left alone.
    has_dared: bool,
}

/// A deployment that may answer later.
struct Again {
    deployment: Arc<Deployment>,
    count: u32,
    not_before: Instant,
}

/// The deployments still to try for one request.
pub(crate) struct Route<'h> {
    health: &'h Health,
    /// Of the model.
    name: &'h str,
    retries: Retries,
    /// Only those that stand and were not asked.
    standing_only: bool,
    /// All that are for the request.
    members: Vec<Arc<Deployment>>,
    /// Not asked yet, in their order.
    open: VecDeque<Arc<Deployment>>,
    /// Those of them that are left alone until then.
    cooling: Vec<(Instant, Arc<Deployment>)>,
    tries: Tries,
    last: Option<Fault>,
    /// A fault that is most likely the request's own.
    suspect: Option<Fault>,
    passed: Option<Fault>,
}

impl Tries {
    /// For another model.
    pub(crate) fn renewed(&self) -> Self {
        Self { has_dared: self.has_dared, ..Self::default() }
    }

    /// Whether another target of the route may see a wrong request otherwise: one may, once.
    pub(crate) fn may_differ(&self) -> bool {
        self.suspects == 1
    }
}

/// What a plan is made of.
pub(crate) struct Terms<'m> {
    pub(crate) model: &'m Model,
    pub(crate) wish: Wish,
    /// See [`Tries`].
    pub(crate) tries: Tries,
    /// Whether to leave those that failed to another pass.
    pub(crate) standing_only: bool,
}

/// A request has come: it earns a part of a further call.
pub(crate) fn arrives(health: &Health, model: &Model) {
    health.allowance.earn(model.routing.retries.budget_percent);
}

/// Orders the choices that are `open`.
pub(crate) fn plan<'h>(
    health: &'h Health,
    terms: Terms<'h>,
    open: impl Fn(&Choice) -> bool,
    rng: &mut impl Rng,
) -> Route<'h> {
    let Terms { model, wish, tries, standing_only } = terms;
    let order = order::order(health, model, open, wish, rng).into_iter();
    let members: Vec<_> = order.map(|choice| Arc::clone(&choice.deployment)).collect();
    let fresh = members.iter().filter(|one| !tries.asked.iter().any(|asked| Arc::ptr_eq(asked, one)));
    Route {
        health,
        name: &model.name,
        retries: model.routing.retries,
        standing_only,
        open: fresh.cloned().collect(),
        members,
        cooling: Vec::new(),
        tries,
        last: None,
        suspect: None,
        passed: None,
    }
}

/// In which order a request meets those that are `open`, and until when each of them is left alone.
pub(crate) fn preview<'m>(
    health: &Health,
    model: &'m Model,
    open: impl Fn(&Choice) -> bool,
    wish: Wish,
    rng: &mut impl Rng,
) -> Vec<(&'m Choice, Option<Instant>)> {
    let mut all = Vec::new();
    for choice in order::order(health, model, open, wish, rng) {
        let cools = match health.of(&choice.deployment.identity).standing(Instant::now()) {
            Standing::Cools(until) => Some(until),
            Standing::Stands | Standing::Due => None,
        };
        all.push((choice, cools));
    }
    all.sort_by_key(|(_, cools)| *cools);
    all
}

impl Route<'_> {
    /// The next to try, after a pause if it has been asked before. Those that are left alone come last: a model is never
    /// left with none.
    pub(crate) async fn next(&mut self) -> Option<Arc<Deployment>> {
        if self.tries.calls > self.retries.attempts {
            return None;
        }
        let next = match self.standing() {
            Some(next) => next,
            // Another would hardly see the request otherwise.
            None if self.standing_only || self.suspect.is_some() => return None,
            None => self.spare().await?,
        };
        self.tries.calls += 1;
        self.tries.asked.push(Arc::clone(&next));
        self.tries.deadline.get_or_insert_with(|| Instant::now() + next.timeouts.request);
        Some(next)
    }

    /// The next that stands and was not asked yet.
    fn standing(&mut self) -> Option<Arc<Deployment>> {
        while let Some(next) = self.open.pop_front() {
            match self.health.of(&next.identity).standing(Instant::now()) {
                Standing::Stands | Standing::Due => return Some(next),
                Standing::Cools(until) => self.cooling.push((until, next)),
            }
        }
        None
    }

    /// One that is left alone, or else one that was asked, if there may be one more such call.
    async fn spare(&mut self) -> Option<Arc<Deployment>> {
        let tries = &mut self.tries;
        if tries.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return None;
        }
        let soonest = self.cooling.iter().enumerate().min_by_key(|(_, (until, _))| *until);
        if let Some((place, _)) = soonest {
            // A request that has not been asked of anybody is, once, whatever others have used up.
            let is_free = tries.calls == 0 && !std::mem::replace(&mut tries.has_dared, true);
            if !is_free && !self.health.allowance.spend(Instant::now()) {
                return None;
            }
            return Some(self.cooling.remove(place).1);
        }
        let members = &self.members;
        let is_here = |again: &&Again| members.iter().any(|one| Arc::ptr_eq(one, &again.deployment));
        let again = tries.again.iter().filter(is_here).min_by_key(|again| again.not_before)?;
        let (next, not_before) = (Arc::clone(&again.deployment), again.not_before);
        let is_too_late = tries.deadline.is_some_and(|deadline| deadline <= not_before);
        if is_too_late || !self.health.allowance.spend(Instant::now()) {
            return None;
        }
        sleep_until(not_before).await;
        Some(next)
    }

    /// Notes that `deployment` could not answer. `told` is how long its provider says to stay away.
    ///
    /// # Errors
    /// The fault itself, where no other try would do better.
    pub(crate) fn record(
        &mut self,
        deployment: &Arc<Deployment>,
        fault: UpstreamFault,
        told: Option<Duration>,
        rng: &mut impl Rng,
    ) -> Result<(), Fault> {
        let hope = Hope::of(fault.class);
        let fault = Fault::upstream(deployment, fault);
        match hope {
            Hope::Anywhere => {
                self.may_again(deployment, told, rng);
                self.last = Some(fault);
            }
            Hope::Elsewhere => {
                self.tries.again.retain(|again| !Arc::ptr_eq(&again.deployment, deployment));
                self.last = Some(fault);
            }
            Hope::OnceElsewhere => {
                self.tries.suspects += 1;
                if self.tries.suspects > 1 {
                    // That the input is too large says more than that it is wrong.
                    return Err(self.suspect.take().filter(Fault::is_passing).unwrap_or(fault));
                }
                self.suspect = Some(fault);
            }
        }
        Ok(())
    }

    fn may_again(&mut self, deployment: &Arc<Deployment>, told: Option<Duration>, rng: &mut impl Rng) {
        let all = &mut self.tries.again;
        let before = all.iter().position(|again| Arc::ptr_eq(&again.deployment, deployment));
        let count = before.map_or(0, |place| all.swap_remove(place).count);
        if let Some(pause) = retry::pause(&self.retries, count, told, rng) {
            let not_before = Instant::now() + pause;
            all.push(Again { deployment: Arc::clone(deployment), count: count + 1, not_before });
        }
    }

    /// Notes that the deployment given last cannot take the request at all, and was not asked.
    pub(crate) fn pass(&mut self, fault: Fault) {
        self.tries.calls = self.tries.calls.saturating_sub(1);
        // What is wrong with the request helps more than that one of the deployments is no place for it.
        if matches!(self.passed, None | Some(Fault::CannotEmbed(_))) {
            self.passed = Some(fault);
        }
    }

    /// What is left of the request's tries.
    pub(crate) fn tries(&mut self) -> Tries {
        std::mem::take(&mut self.tries)
    }

    /// What to tell the client when none is left: what is most likely wrong with the request; or the last fault of one
    /// that was asked, since that may pass; else why one was not.
    pub(crate) fn verdict(self) -> Fault {
        let none = || Fault::NoTarget(self.name.to_owned());
        self.suspect.or(self.last).or(self.passed).unwrap_or_else(none)
    }
}

#[cfg(test)]
mod tests;

//! Which deployments of a model to try, in which order, and when to give up.
//! `health.rs` has the only state that outlives a snapshot.

pub(crate) mod health;

use std::collections::VecDeque;
use std::sync::Arc;

use rand::{Rng, RngExt};

use crate::pipeline::{Fault, UpstreamFault};
use crate::snapshot::Deployment;

/// The deployments still to try for one call. Each comes at most once.
pub(crate) struct Route {
    open: VecDeque<Arc<Deployment>>,
    last: Option<Fault>,
    passed: Option<Fault>,
}

/// Orders `deployments` of one model: lower priority first; within one, at random by weight.
pub(crate) fn plan(deployments: &[Arc<Deployment>], rng: &mut impl Rng) -> Route {
    let mut tiers = deployments.to_vec();
    tiers.sort_by_key(|deployment| deployment.priority);
    let tiers = tiers.chunk_by(|a, b| a.priority == b.priority);
    Route { open: tiers.flat_map(|tier| shuffled(tier, rng)).collect(), last: None, passed: None }
}

impl Route {
    /// The next to try.
    pub(crate) fn next(&mut self) -> Option<Arc<Deployment>> {
        self.open.pop_front()
    }

    /// Notes that `deployment` could not answer.
    ///
    /// # Errors
    /// The fault itself, where no other deployment would do better.
    pub(crate) fn record(&mut self, deployment: &Deployment, fault: UpstreamFault) -> Result<(), Fault> {
        let retryable = fault.class.is_retryable();
        let fault = Fault::upstream(deployment, fault);
        if !retryable {
            return Err(fault);
        }
        self.last = Some(fault);
        Ok(())
    }

    /// Notes that a deployment cannot take the request at all, and was not asked.
    pub(crate) fn pass(&mut self, fault: Fault) {
        // What is wrong with the request helps more than that one of the deployments is no place for it.
        if matches!(self.passed, None | Some(Fault::CannotEmbed(_))) {
            self.passed = Some(fault);
        }
    }

    /// What to tell the client when none is left: the last fault of one that was asked, since that may pass;
    /// else why one was not.
    pub(crate) fn verdict(self) -> Fault {
        self.last.or(self.passed).unwrap_or(Fault::NotReady)
    }
}

/// Draws without putting back. Those of weight 0 take no share, so they come last.
fn shuffled(tier: &[Arc<Deployment>], rng: &mut impl Rng) -> Vec<Arc<Deployment>> {
    let (mut weighted, idle): (Vec<_>, Vec<_>) = tier.iter().cloned().partition(|one| one.weight > 0);
    let mut order = Vec::with_capacity(tier.len());
    while !weighted.is_empty() {
        let total: u64 = weighted.iter().map(|one| u64::from(one.weight)).sum();
        let mut ticket = rng.random_range(0..total);
        let drawn = weighted.iter().position(|one| {
            let weight = u64::from(one.weight);
            let is_hit = ticket < weight;
            ticket = ticket.saturating_sub(weight);
            is_hit
        });
        order.push(weighted.remove(drawn.unwrap_or(0)));
    }
    order.extend(idle);
    order
}

#[cfg(test)]
mod tests;

//! How much of what a provider allows in a minute is used up, over all pods: counters like those of limits, that only count.

use std::sync::Arc;
use std::time::Duration;

use limits::{Admission, Ask, Counter, Lease, ReservationId, Timestamp, Unit};
use tokio::time::Instant;

use super::{Desk, Forecast};
use crate::snapshot::Deployment;

/// A minute has so many seconds.
const MINUTE: i64 = 60;

/// What one call takes of it, while it runs.
#[derive(Debug)]
pub(crate) struct Load {
    lease: Lease,
    /// The part that is used up, with this call.
    pub(crate) part: f64,
    /// Then another minute begins.
    pub(crate) until: Instant,
}

impl Desk {
    /// Counts a call of `deployment`; `None` where nobody knows what its provider allows, or what is used of it.
    pub(crate) async fn load(&self, deployment: &Deployment, forecast: Forecast) -> Option<Load> {
        if deployment.capacity.is_empty() {
            return None;
        }
        let now = Timestamp::now();
        let counters = deployment.capacity.iter().map(|one| (Arc::clone(one), forecast.of(one.unit())));
        let id = ReservationId::new(now, rand::random());
        // As long as a call may run, so that what it uses is not forgotten.
        let ask = Ask::new(id, counters.collect(), deployment.timeouts.request);
        let Admission::Admitted(lease) = self.limiter.admit(ask).await else { return None };
        let part = |level: limits::Level| share(level.spent.saturating_add(level.reserved), level.amount);
        let part = lease.levels().map(|(_, level)| part(level)).fold(0.0, f64::max);
        let left = MINUTE - now.as_second().rem_euclid(MINUTE);
        let until = Instant::now() + Duration::from_secs(u64::try_from(left).unwrap_or(0));
        Some(Load { lease, part, until })
    }
}

impl Load {
    /// The call is over, and came to so many tokens.
    pub(crate) fn settle(self, tokens: u64) {
        let actual =
            |counter: &Counter, estimate| if counter.unit() == Unit::Tokens { tokens } else { estimate };
        self.lease.settle(actual, Timestamp::now());
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is only compared")]
fn share(taken: u64, amount: u64) -> f64 {
    taken as f64 / amount.max(1) as f64
}

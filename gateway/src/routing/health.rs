//! How each deployment has answered lately, told from real traffic. Keyed by identity, so that a reload
//! forgets nothing and a successor of the same name inherits nothing.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use protocol::fault::FaultClass;

use crate::snapshot::{Identity, Snapshot};

/// The states of all deployments.
#[derive(Debug, Default)]
pub(crate) struct Health {
    states: RwLock<HashMap<Identity, Arc<State>>>,
}

/// The state of one deployment.
#[derive(Debug, Default)]
pub(crate) struct State(Mutex<Outcomes>);

/// What is known of a deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    /// Whether the last call was answered; `None` before the first.
    pub(crate) last: Option<Result<(), FaultClass>>,
    /// Since the last success.
    pub(crate) consecutive_failures: u32,
    /// It stays after a success, to tell what was wrong.
    pub(crate) last_fault: Option<FaultClass>,
}

impl Health {
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
    /// A call was answered to its end.
    pub(crate) fn answered(&self) {
        let mut outcomes = self.lock();
        outcomes.last = Some(Ok(()));
        outcomes.consecutive_failures = 0;
    }

    /// A call failed. Requests that no deployment could answer say nothing about this one.
    pub(crate) fn failed(&self, class: FaultClass) {
        if matches!(class, FaultClass::InvalidRequest | FaultClass::TooLarge) {
            return;
        }
        let mut outcomes = self.lock();
        outcomes.last = Some(Err(class));
        outcomes.last_fault = Some(class);
        outcomes.consecutive_failures = outcomes.consecutive_failures.saturating_add(1);
    }

    /// A copy to report.
    pub(crate) fn outcomes(&self) -> Outcomes {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Outcomes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What a source hands over, and the snapshot that serves: the last good one stays, whatever comes.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use config::Delivery;
use tokio::sync::watch;

use super::compile::{CompileError, compile};
use super::{MasterKey, Snapshot};
use crate::egress::Dns;

/// What a source of configuration has seen last. A mounted directory and `fairlead up` both speak it.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    /// The newest complete delivery, if there was one.
    pub delivery: Option<Arc<Delivery>>,
    /// Why there is none, or why what came after it is not one.
    pub problem: Option<Problem>,
}

/// Why what a source holds is no delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// For people: names the file and the way out, and carries no secret.
    pub reason: String,
    /// The revision that is refused: the index could be read, and all of it is there.
    pub rejected: Option<String>,
}

/// The acknowledgement: what serves, and why what should serve does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Status {
    pub(crate) revision: Option<String>,
    pub(crate) problem: Option<String>,
    pub(crate) rejected: Option<String>,
}

/// What came of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Installed,
    Rejected,
    None,
}

/// The snapshot in use.
#[derive(Debug)]
pub(crate) struct Current {
    snapshot: ArcSwapOption<Snapshot>,
    status: watch::Sender<Status>,
    own_key: Option<MasterKey>,
    dns: Dns,
}

impl Current {
    /// Serves nothing yet. `own_key` is for configs that name no master key.
    pub(crate) fn new(own_key: Option<MasterKey>) -> Self {
        let status = Status { problem: Some("no config yet".to_owned()), ..Status::default() };
        let (snapshot, status) = (ArcSwapOption::empty(), watch::Sender::new(status));
        Self { snapshot, status, own_key, dns: Dns::default() }
    }

    /// With the names of providers asked of `dns`.
    pub(crate) fn resolving_by(self, dns: Dns) -> Self {
        Self { dns, ..self }
    }

    /// The snapshot to serve a request with. Keep it for the whole request.
    pub(crate) fn load(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.load_full()
    }

    /// What serves and what does not; changes are told to each receiver.
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Takes what the source has seen. The swap is done before the status tells of it.
    pub(crate) fn take(&self, feed: &Feed) -> Change {
        let (mut next, mut change) = (self.status.borrow().clone(), Change::None);
        if let Some(delivery) = &feed.delivery {
            match self.install(delivery) {
                Ok(is_new) => {
                    next = Status { revision: Some(delivery.revision.clone()), ..Status::default() };
                    change = if is_new { Change::Installed } else { Change::None };
                }
                Err(error) => {
                    next.problem = Some(error.to_string());
                    next.rejected = Some(delivery.revision.clone());
                }
            }
        }
        if let Some(problem) = &feed.problem {
            next.problem = Some(problem.reason.clone());
            next.rejected.clone_from(&problem.rejected);
        }
        let is_changed = self.status.send_if_modified(|status| {
            let differs = *status != next;
            *status = next;
            differs
        });
        let has_problem = self.status.borrow().problem.is_some();
        if change == Change::None && is_changed && has_problem { Change::Rejected } else { change }
    }

    fn install(&self, delivery: &Delivery) -> Result<bool, CompileError> {
        if self.snapshot.load().as_ref().is_some_and(|now| now.revision == delivery.revision) {
            return Ok(false);
        }
        let snapshot = compile(delivery, self.own_key.as_ref(), &self.dns)?;
        self.snapshot.store(Some(Arc::new(snapshot)));
        Ok(true)
    }
}

#[cfg(test)]
mod tests;

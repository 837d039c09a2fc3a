//! Where the leader's tasks meet: what was rendered and published, and what the pods said. The reconciler and
//! the pods' followers write it, the status pass and the keeper of keys read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::{KeyHash, ObjectName};
use crds::PodState;
use render::{Manifests, Rendered};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::progress::Progress;

/// The revision that each gateway's pods should serve.
pub(crate) type Wanted = BTreeMap<ObjectName, String>;

/// The board, shared.
#[derive(Clone, Debug)]
pub(crate) struct Board(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    changed: Notify,
    changed_for_keys: Notify,
    wanted: watch::Sender<Arc<Wanted>>,
}

/// What is on it.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What was rendered last, and of what.
    pub round: Option<Arc<Round>>,
    /// By gateway.
    pub lines: BTreeMap<ObjectName, Line>,
    /// By pod; only those that run.
    pub pods: BTreeMap<ObjectName, Heard>,
    /// By VirtualKey, the digest of the next key of a rotation.
    pub next_keys: BTreeMap<ObjectName, KeyHash>,
    /// By VirtualKey, why its Secret could not be written.
    pub key_troubles: BTreeMap<ObjectName, String>,
}

/// One rendering.
#[derive(Debug)]
pub(crate) struct Round {
    pub manifests: Manifests,
    pub rendered: Rendered,
}

/// One gateway.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// `None` before the first publish.
    pub progress: Option<Progress>,
    /// Of what is published.
    pub bytes: usize,
    /// Of what is published.
    pub shards: usize,
    /// Why the last rendering is not published.
    pub problem: Option<Problem>,
}

/// Why a rendering is not published.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// For the condition.
    pub reason: &'static str,
    pub message: String,
    /// Whether waiting helps.
    pub passing: bool,
    pub since: Instant,
}

/// What a pod said last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub gateway: ObjectName,
    /// The revision that it serves, as far as is known.
    pub serves: Option<String>,
    /// Why it does not serve what it should; `None` if it does, or if it was not asked yet.
    pub trouble: Option<(PodState, String)>,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            changed: Notify::new(),
            changed_for_keys: Notify::new(),
            wanted: watch::Sender::default(),
        }))
    }

    /// The state itself. Never hold it across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes the status pass and the keeper of keys.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.0.changed.notify_one();
        self.0.changed_for_keys.notify_one();
        result
    }

    /// Waits for a change. For one reader: the status pass.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// The same, for the keeper of keys alone.
    pub(crate) async fn changed_for_keys(&self) {
        self.0.changed_for_keys.notified().await;
    }

    /// Tells the pods' followers which revisions are published.
    pub(crate) fn publish_wanted(&self) {
        let lines = &self.lock().lines;
        let progresses = lines.iter().filter_map(|(name, line)| Some((name, line.progress.as_ref()?)));
        let wanted: Wanted = progresses.map(|(name, it)| (name.clone(), it.revision().to_owned())).collect();
        self.0.wanted.send_if_modified(|now| {
            let differs = **now != wanted;
            *now = Arc::new(wanted);
            differs
        });
    }

    /// The revisions that are published, as they change.
    pub(crate) fn wanted(&self) -> watch::Receiver<Arc<Wanted>> {
        self.0.wanted.subscribe()
    }

    /// Forgets all: another replica leads.
    pub(crate) fn clear(&self) {
        *self.lock() = State::default();
        self.0.wanted.send_replace(Arc::default());
    }
}

//! How long each watch has been silent: what liveness and readiness are made of.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A watch that was silent for longer is taken for dead. The API server ends each after a minute, and a
/// failed one is tried again within half a minute, so this is several misses in a row.
pub(crate) const SILENCE: Duration = Duration::from_secs(300);

/// One per watch; clones share.
#[derive(Clone, Debug)]
pub(crate) struct Pulse(Arc<Mutex<Beat>>);

#[derive(Clone, Copy, Debug)]
struct Beat {
    at: Instant,
    synced: bool,
}

/// All watches by name. Fixed once the watches are started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulses(Arc<Mutex<Vec<(String, Pulse)>>>);

impl Pulse {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Beat { at: Instant::now(), synced: false })))
    }

    /// An event or bookmark came, or the server ended the watch in the regular way.
    pub(crate) fn beat(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).at = Instant::now();
    }

    /// The first list is complete.
    pub(crate) fn synced(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Beat { at: Instant::now(), synced: true };
    }

    fn read(&self) -> Beat {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulses {
    /// Adds a watch.
    pub(crate) fn start(&self, name: String) -> Pulse {
        let pulse = Pulse::new();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name, pulse.clone()));
        pulse
    }

    /// Whether every watch has listed once.
    pub(crate) fn all_synced(&self) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !all.is_empty() && all.iter().all(|(_, pulse)| pulse.read().synced)
    }

    /// The watches that have been silent for too long.
    pub(crate) fn silent(&self) -> Vec<String> {
        self.ages().into_iter().filter(|(_, age)| *age > SILENCE).map(|(name, _)| name).collect()
    }

    /// The silence of each watch.
    pub(crate) fn ages(&self) -> Vec<(String, Duration)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(name, pulse)| (name.clone(), pulse.read().at.elapsed())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_silent_watch_is_named_and_the_others_are_not() {
        let pulses = Pulses::default();
        let (dead, alive) = (pulses.start("pods".into()), pulses.start("secrets".into()));
        dead.synced();
        tokio::time::advance(SILENCE + Duration::from_secs(1)).await;
        alive.beat();
        assert_eq!(pulses.silent(), ["pods"]);
        assert!(!pulses.all_synced(), "secrets never listed");
        alive.synced();
        assert!(pulses.all_synced());
    }
}

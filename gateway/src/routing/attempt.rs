//! One call of one deployment, as routing sees it: it holds a place there until it is over, and tells what became of it.

use std::sync::Arc;
use std::time::Duration;

use config::Cooldown;
use protocol::fault::FaultClass;
use tokio::time::Instant;

use super::health::{Health, State};
use super::tell::{Cooled, Teller};
use crate::pipeline::Load;
use crate::snapshot::Deployment;

/// A call that is under way. Dropped with nothing said, its client has hung up.
#[derive(Debug)]
pub(crate) struct Attempt {
    state: Arc<State>,
    deployment: Arc<Deployment>,
    cooldown: Cooldown,
    teller: Teller,
    since: Instant,
    is_stream: bool,
    /// What it takes of what the provider allows, where that is counted.
    load: Option<Load>,
    /// What it came to.
    tokens: u64,
    /// It is the one that tries what has cooled, and has not said how it went.
    tries: bool,
}

impl Attempt {
    /// A call of `deployment` begins.
    pub(crate) fn begin(
        health: &Health,
        deployment: &Arc<Deployment>,
        cooldown: Cooldown,
        is_stream: bool,
    ) -> Self {
        let (state, now) = (health.of(&deployment.identity), Instant::now());
        let tries = state.enter(now);
        let teller = health.teller.clone();
        let deployment = Arc::clone(deployment);
        Self { state, deployment, cooldown, teller, since: now, is_stream, load: None, tokens: 0, tries }
    }

    /// The same, while `load` counts what it takes of what the provider allows.
    pub(crate) fn with_load(mut self, load: Option<Load>) -> Self {
        if let Some(load) = &load {
            self.state.loaded(load.part, load.until);
        }
        self.load = load;
        self
    }

    /// It came to so many tokens.
    pub(crate) fn used(&mut self, tokens: u64) {
        self.tokens = tokens;
    }

    /// The first of the answer is here; of what is no stream, all of it.
    pub(crate) fn began(&self) {
        self.state.began(self.is_stream, self.since.elapsed());
    }

    /// The answer is complete.
    pub(crate) fn answered(&mut self) {
        self.tries = false;
        self.state.answered(Instant::now());
    }

    /// It failed. `told` is how long the provider says to stay away.
    pub(crate) fn failed(&mut self, class: FaultClass, told: Option<Duration>) {
        self.tries = false;
        if class == FaultClass::Timeout {
            // It would have taken longer still.
            self.began();
        }
        let Some(lasts) = self.state.failed(class, told, &self.cooldown, Instant::now()) else { return };
        let deployment = &self.deployment;
        tracing::warn!(
            deployment = deployment.label,
            fault = class.name(),
            seconds = lasts.as_secs_f64(),
            "left alone"
        );
        self.teller.tell(Cooled { identity: deployment.identity.clone(), lasts });
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.state.leave(self.tries);
        if let Some(load) = self.load.take() {
            load.settle(self.tokens);
        }
    }
}

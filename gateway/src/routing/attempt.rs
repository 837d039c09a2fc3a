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
    teller: Teller,
    since: Instant,
    is_stream: bool,
    /// When it is to be left alone; `None` if nothing is told of it.
    cooldown: Option<Cooldown>,
    /// What it takes of what the provider allows, where that is counted.
    load: Option<Load>,
    /// What it came to.
    tokens: u64,
    /// It is the one that tries what has cooled, and has not said how it went.
    tries: bool,
    has_begun: bool,
    is_answered: bool,
    has_left: bool,
}

impl Attempt {
    /// A call of `deployment` begins.
    pub(crate) fn begin(
        health: &Health,
        deployment: &Arc<Deployment>,
        cooldown: Cooldown,
        is_stream: bool,
    ) -> Self {
        let mut attempt = Self::visit(health, deployment, is_stream);
        attempt.tries = attempt.state.enter(attempt.since);
        attempt.cooldown = Some(cooldown);
        attempt
    }

    /// A call of `deployment` about something else than an answer: what comes of it says nothing of other calls.
    pub(crate) fn visit(health: &Health, deployment: &Arc<Deployment>, is_stream: bool) -> Self {
        let state = health.of(&deployment.identity);
        state.visit();
        Self {
            state,
            deployment: Arc::clone(deployment),
            teller: health.teller.clone(),
            since: Instant::now(),
            is_stream,
            cooldown: None,
            load: None,
            tokens: 0,
            tries: false,
            has_begun: false,
            is_answered: false,
            has_left: false,
        }
    }

    /// `load` counts what it takes of what the provider allows.
    pub(crate) fn loads(&mut self, load: Option<Load>) {
        if let Some(load) = &load {
            self.state.loaded(load.part, load.until);
        }
        self.load = load;
    }

    /// It came to so many tokens.
    pub(crate) fn used(&mut self, tokens: u64) {
        self.tokens = tokens;
    }

    /// The first of the answer is here; of what is no stream, all of it.
    pub(crate) fn began(&mut self) {
        if self.cooldown.is_some() && !std::mem::replace(&mut self.has_begun, true) {
            self.state.began(self.is_stream, self.since.elapsed());
        }
    }

    /// The answer is complete. Some say so more than once.
    pub(crate) fn answered(&mut self) {
        self.tries = false;
        if self.cooldown.is_some() && !std::mem::replace(&mut self.is_answered, true) {
            self.state.answered(self.since, Instant::now());
        }
    }

    /// It failed, and is over. `told` is how long the provider says to stay away.
    pub(crate) fn failed(&mut self, class: FaultClass, told: Option<Duration>) {
        self.tries = false;
        if class == FaultClass::Timeout {
            // It would have taken longer still.
            self.began();
        }
        if let Some(cooldown) = self.cooldown {
            self.judge((class, told), &cooldown);
        }
        self.leave();
    }

    fn judge(&self, failure: (FaultClass, Option<Duration>), cooldown: &Cooldown) {
        let lasts = self.state.failed(failure, self.since, cooldown, Instant::now());
        let Some(lasts) = lasts else { return };
        let deployment = &self.deployment;
        let fault = failure.0.name();
        tracing::warn!(deployment = deployment.label, fault, seconds = lasts.as_secs_f64(), "left alone");
        self.teller.tell(Cooled { identity: deployment.identity.clone(), lasts });
    }

    /// It is under way no more.
    fn leave(&mut self) {
        if std::mem::replace(&mut self.has_left, true) {
            return;
        }
        self.state.leave(self.tries);
        if let Some(load) = self.load.take() {
            load.settle(self.tokens);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.leave();
    }
}

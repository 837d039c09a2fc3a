//! The record of one call. It is written when it is dropped, so also when the client hangs up: then
//! nothing else runs. Holds no prompt, no answer and no key.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::fault::FaultClass;
use protocol::usage::Usage;
use store::Counted;

use super::bill::Bill;
use super::metrics::{Metrics, Tally};
use crate::cost::{NanoUsd, Tariff};
use crate::pipeline::{Attempt, Caller, Forecast, Presence, Question, Tab};
use crate::snapshot::Deployment;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The client went away first. A record that is dropped unfinished says so.
    ClientClosed,
    /// Answered to the end.
    Answered,
    /// The gateway or the provider said no.
    Refused,
    /// The stream broke after its beginning was sent.
    StreamCut,
}

/// Follows one call. Counts as in flight until dropped.
#[derive(Debug)]
pub(crate) struct Record {
    /// Unique, and sorted by time.
    pub(crate) id: String,
    metrics: Arc<Metrics>,
    pub(super) started: Instant,
    pub(super) caller: Option<Caller>,
    /// What it holds in budgets and rate limits.
    tab: Option<Tab>,
    /// Its place in the spool, once it has one.
    pub(super) bill: Option<Bill>,
    presence: Arc<Presence>,
    /// Until the answer begins.
    question: Option<Arc<Question>>,
    /// A provider has been asked, and has neither failed nor answered.
    is_asking: bool,
    /// Only models that exist: what clients make up must not become a label.
    pub(super) model: Option<String>,
    pub(super) is_stream: bool,
    pub(super) serving: Option<Serving>,
    pub(super) attempts: u32,
    /// Other models that it was asked of.
    fallbacks: u32,
    pub(super) bytes_in: usize,
    pub(super) bytes_out: usize,
    pub(super) first_byte: Option<Duration>,
    pub(super) usage: Option<Usage>,
    pub(super) is_estimate: bool,
    /// What it tells of usage was used by an earlier call.
    is_reread: bool,
    losses: usize,
    pub(super) status: Option<u16>,
    pub(super) fault: Option<&'static str>,
    pub(super) outcome: Outcome,
}

/// The deployment tried last.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) label: String,
    pub(super) provider: String,
    pub(super) upstream_model: String,
    pub(super) tariff: Arc<Tariff>,
    pub(super) since: Instant,
    attempt: Attempt,
}

impl Record {
    /// Begins the record of a call.
    pub(crate) fn begin(id: String, metrics: Arc<Metrics>) -> Self {
        metrics.in_flight.inc();
        Self {
            id,
            metrics,
            started: Instant::now(),
            caller: None,
            tab: None,
            bill: None,
            presence: Arc::default(),
            question: None,
            is_asking: false,
            model: None,
            is_stream: false,
            serving: None,
            attempts: 0,
            fallbacks: 0,
            bytes_in: 0,
            bytes_out: 0,
            first_byte: None,
            usage: None,
            is_estimate: false,
            is_reread: false,
            losses: 0,
            status: None,
            fault: None,
            outcome: Outcome::ClientClosed,
        }
    }

    /// It comes from `caller`.
    pub(crate) fn called_by(&mut self, caller: &Caller) {
        self.caller = Some(caller.clone());
    }

    /// The whole body has come.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.bytes_in = bytes;
    }

    /// It asks for `model`, which exists.
    pub(crate) fn asks(&mut self, model: &str, is_stream: bool) {
        self.model = Some(model.to_owned());
        self.is_stream = is_stream;
    }

    /// `model` may answer it, which another may have fallen back to. It holds `tab` until it ends.
    pub(crate) fn admitted(&mut self, model: &str, tab: Option<Tab>) {
        if self.model.as_deref() != Some(model) {
            self.model = Some(model.to_owned());
        }
        self.tab = tab;
    }

    /// It is asked of another model: what it holds for the one before was not used.
    pub(crate) fn lets_go(&mut self) {
        if let Some(tab) = self.tab.take() {
            tab.close(None, false);
        }
    }

    /// It is asked of another model, since none of the one before could answer.
    pub(crate) fn falls_back(&mut self) {
        self.fallbacks += 1;
    }

    /// The model that it was asked of last, how often a deployment was called again for it, and how many other models it
    /// was asked of; `None` if it was asked of none.
    pub(crate) fn way(&self) -> Option<(&str, u32, u32)> {
        let retries = self.attempts.saturating_sub(1).saturating_sub(self.fallbacks);
        Some((self.model.as_deref()?, retries, self.fallbacks))
    }

    /// What it asks.
    pub(crate) fn questions(&mut self, question: Arc<Question>) {
        self.question = Some(question);
    }

    /// What it and its client know of each other.
    pub(crate) fn presence(&self) -> Arc<Presence> {
        Arc::clone(&self.presence)
    }

    /// Whether its client has gone, and it goes on.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.presence.is_gone()
    }

    /// It goes to `deployment`.
    pub(crate) fn tries(&mut self, deployment: &Deployment, attempt: Attempt) {
        self.attempts += 1;
        self.asking(true);
        let (label, provider) = (deployment.label.clone(), deployment.provider.clone());
        let (tariff, since) = (Arc::clone(&deployment.tariff), Instant::now());
        let upstream_model = deployment.upstream_model.clone();
        self.serving = Some(Serving { label, provider, upstream_model, tariff, since, attempt });
    }

    /// The deployment tried last could not answer. `told` is how long its provider says to stay away.
    pub(crate) fn failed(&mut self, class: FaultClass, told: Option<Duration>) {
        self.asking(false);
        self.breaks(class, told);
        self.fails();
    }

    fn breaks(&mut self, class: FaultClass, told: Option<Duration>) {
        self.fault = Some(class.name());
        if let Some(serving) = &mut self.serving {
            serving.attempt.failed(class, told);
        }
    }

    /// The deployment tried last answers: the first event of a stream, or else all of it.
    pub(crate) fn replies(&mut self) {
        if let Some(serving) = &mut self.serving {
            serving.attempt.began();
        }
    }

    /// The answer begins now, under this status.
    pub(crate) fn begins(&mut self, status: u16) {
        self.asking(false);
        self.status = Some(status);
        self.fault = None;
        self.question = None;
    }

    /// Some of the answer's body goes out.
    pub(crate) fn sends(&mut self, bytes: usize) {
        self.first_byte.get_or_insert_with(|| self.started.elapsed());
        self.bytes_out += bytes;
    }

    /// What the answer has used, as far as it is known.
    pub(crate) fn used(&mut self, usage: Option<Usage>) {
        self.usage = usage.filter(|_| !self.is_reread).or(self.usage);
    }

    /// It is about an answer that was made, and counted, before.
    pub(crate) fn rereads(&mut self) {
        self.is_reread = true;
    }

    /// About what it has used: nobody has told.
    pub(crate) fn estimated(&mut self, usage: Usage) {
        self.usage = Some(usage);
        self.is_estimate = true;
    }

    /// Its client has gone, and the answer has come all the same.
    pub(crate) fn outlived(&mut self, usage: Option<Usage>, is_estimate: bool) {
        match usage {
            Some(usage) if is_estimate => self.estimated(usage),
            usage => self.used(usage),
        }
        self.fault = None;
        if let Some(serving) = &mut self.serving {
            serving.attempt.answered();
        }
    }

    fn asking(&mut self, is_asking: bool) {
        self.is_asking = is_asking;
        self.presence.owes(is_asking && !self.is_stream);
    }

    /// Of an answer that nobody has waited for, at least the question was used.
    pub(super) fn presume(&mut self) {
        if self.is_asking
            && self.usage.is_none()
            && let Some(usage) = self.guess()
        {
            self.estimated(usage);
        }
    }

    pub(super) fn guess(&self) -> Option<Usage> {
        let question = self.question.as_ref()?;
        Some(Usage { fresh_input: question.tokens(), ..Usage::default() })
    }

    /// What that costs; `None` where the answer has told nothing, or nobody knows the price.
    pub(crate) fn cost(&self) -> Option<NanoUsd> {
        self.serving.as_ref()?.tariff.cost(self.usage.as_ref()?)
    }

    /// A translation could not carry so many fields more.
    pub(crate) fn lost(&mut self, fields: usize) {
        self.losses += fields;
    }

    /// The provider's answer is complete.
    pub(crate) fn answered(&mut self) {
        self.outcome = Outcome::Answered;
        if let Some(serving) = &mut self.serving {
            serving.attempt.answered();
        }
    }

    /// The stream broke after its beginning was sent.
    pub(crate) fn cut(&mut self, class: FaultClass) {
        self.outcome = Outcome::StreamCut;
        self.breaks(class, None);
    }

    /// The client gets an error, under this status and with this code.
    pub(crate) fn refused(&mut self, status: u16, code: &'static str) {
        self.outcome = Outcome::Refused;
        self.status = Some(status);
        // The class of a provider's fault says more than the code made of it.
        self.fault = self.fault.or(Some(code));
    }

    /// Settles what it holds. What that has put into counters is asked for where it is to be kept.
    pub(super) fn close_tab(&mut self) {
        if let Some(tab) = self.tab.take() {
            tab.close(self.forecast(self.usage), self.attempts > 0);
        }
    }

    /// What settling puts into counters, if `usage` is all.
    pub(super) fn counted(&self, usage: Option<Usage>) -> Option<Counted> {
        self.tab.as_ref()?.counted(self.forecast(usage), self.attempts > 0)
    }

    fn forecast(&self, usage: Option<Usage>) -> Option<Forecast> {
        let usage = usage?;
        let cost = self.serving.as_ref().and_then(|serving| serving.tariff.cost(&usage));
        let nano_usd = cost.map_or(0, |cost| u64::try_from(cost.nano()).unwrap_or_default());
        Some(Forecast { input: usage.input(), output: usage.generated(), nano_usd })
    }

    fn log(&self, duration: Duration, cost: Option<NanoUsd>) {
        let (label, provider) = self.serving.as_ref().map_or(("", ""), |one| (&one.label, &one.provider));
        let key = self.caller.as_ref().and_then(Caller::key);
        tracing::info!(
            target: "fairlead::access",
            request_id = self.id,
            key = self.caller.as_ref().map(Caller::label),
            key_name = key.and_then(|key| key.display_name.as_deref()),
            team = key.and_then(|key| key.team.as_deref()),
            user = key.and_then(|key| key.user.as_deref()),
            model = self.model.as_deref(),
            deployment = label,
            provider,
            attempts = self.attempts,
            fallbacks = self.fallbacks,
            stream = self.is_stream,
            status = self.status,
            outcome = self.outcome.name(),
            fault = self.fault,
            duration_ms = millis(duration),
            first_byte_ms = self.first_byte.map(millis),
            bytes_in = self.bytes_in,
            bytes_out = self.bytes_out,
            input_tokens = self.usage.map(|usage| usage.input().saturating_sub(usage.cached())),
            cached_tokens = self.usage.map(|usage| usage.cached()),
            losses = self.losses,
            estimate = self.is_estimate,
            output_tokens = self.usage.map(|usage| usage.generated()),
            cost_nano_dollars = cost.map(NanoUsd::nano),
            "call"
        );
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Nobody is there to wait for it.
        drop(self.settle());
        let tokens = self.usage.map_or(0, |usage| usage.input().saturating_add(usage.generated()));
        if let Some(serving) = &mut self.serving {
            serving.attempt.used(tokens);
        }
        let duration = self.started.elapsed();
        let cost = self.cost();
        self.metrics.in_flight.dec();
        self.metrics.count(&Tally {
            model: self.model.as_deref().unwrap_or_default(),
            deployment: self.serving.as_ref().map_or("", |serving| &serving.label),
            status: self.status,
            outcome: self.outcome.name(),
            duration,
            first_byte: self.first_byte,
            usage: self.usage,
            cost,
        });
        self.log(duration, cost);
    }
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ClientClosed => "client_closed",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::StreamCut => "stream_cut",
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

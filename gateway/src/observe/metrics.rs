//! Counters, in OpenMetrics form. Every label value comes from the config or from a closed list, so that
//! neither clients nor the store can grow the set.

mod spend;

use std::time::Duration;

use config::ObjectName;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use protocol::usage::Usage;

use crate::cost::NanoUsd;
use crate::snapshot::Rule;
use spend::Spend;

/// The metrics of one gateway.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Calls that have begun and not ended.
    pub(crate) in_flight: Gauge,
    requests: Family<Request, Counter>,
    duration: Family<ByModel, Histogram, fn() -> Histogram>,
    first_byte: Family<ByModel, Histogram, fn() -> Histogram>,
    tokens: Family<Tokens, Counter>,
    cost: Family<ByDeployment, Counter>,
    limited: Family<Limited, Counter>,
    alerts: Family<Alerted, Counter>,
    config: Family<Revision, Gauge>,
    rejected: Counter,
    kept: Family<Kept, Counter>,
    reloaded_at: Gauge,
    pub(crate) spend: Spend,
    registry: Registry,
}

/// One ended call, to count.
pub(crate) struct Tally<'a> {
    /// Empty for what names no model that exists.
    pub(crate) model: &'a str,
    /// The one tried last; empty if none was.
    pub(crate) deployment: &'a str,
    /// Absent if the client went away before there was one.
    pub(crate) status: Option<u16>,
    pub(crate) outcome: &'static str,
    pub(crate) duration: Duration,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) usage: Option<Usage>,
    /// Absent where nobody knows.
    pub(crate) cost: Option<NanoUsd>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    model: String,
    deployment: String,
    status: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByModel {
    model: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByDeployment {
    model: String,
    deployment: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    model: String,
    deployment: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kept {
    outcome: &'static str,
}

/// What came of keeping a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// It is kept.
    Kept,
    /// The database failed.
    Failed,
    /// It is larger than what is kept.
    TooLarge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limited {
    owner: String,
    limit: String,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Alerted {
    owner: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Revision {
    revision: String,
}

/// Seconds. Answers of models take from a tenth of a second to many minutes.
fn seconds() -> Histogram {
    Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut new = Self {
            in_flight: Gauge::default(),
            requests: Family::default(),
            duration: Family::new_with_constructor(seconds),
            first_byte: Family::new_with_constructor(seconds),
            tokens: Family::default(),
            cost: Family::default(),
            limited: Family::default(),
            alerts: Family::default(),
            config: Family::default(),
            rejected: Counter::default(),
            kept: Family::default(),
            reloaded_at: Gauge::default(),
            spend: Spend::default(),
            registry: Registry::with_prefix("fairlead"),
        };
        let registry = &mut new.registry;
        new.spend.register(registry);
        registry.register("requests_in_flight", "Calls that have begun and not ended", new.in_flight.clone());
        registry.register("requests", "Calls that have ended", new.requests.clone());
        registry.register(
            "request_duration_seconds",
            "From request to the end of the answer",
            new.duration.clone(),
        );
        registry.register(
            "first_byte_seconds",
            "From request to the first byte of the answer",
            new.first_byte.clone(),
        );
        registry.register("tokens", "Tokens that answers report", new.tokens.clone());
        registry.register("cost_nano_dollars", "What answers cost, where it is known", new.cost.clone());
        registry.register("responses_kept", "Responses that the gateway was to keep", new.kept.clone());
        registry.register(
            "limited",
            "Requests that met a full limit, by the BudgetPolicy, VirtualKey or sort of account that has it",
            new.limited.clone(),
        );
        registry.register("alerts", "Alerts by BudgetPolicy and what became of them", new.alerts.clone());
        registry.register("config", "1 for the revision that serves", new.config.clone());
        registry.register("config_rejected", "Configs that were refused", new.rejected.clone());
        registry.register(
            "config_reload_timestamp_seconds",
            "When the revision began",
            new.reloaded_at.clone(),
        );
        new
    }
}

impl Metrics {
    /// Counts a call that has ended.
    pub(super) fn count(&self, tally: &Tally<'_>) {
        let (model, deployment) = (tally.model.to_owned(), tally.deployment.to_owned());
        if let Some(usage) = tally.usage {
            let buckets = [
                ("input", usage.input().saturating_sub(usage.cached())),
                ("cached", usage.cached()),
                ("output", usage.generated()),
            ];
            for (kind, tokens) in buckets {
                let labels = Tokens { model: model.clone(), deployment: deployment.clone(), kind };
                self.tokens.get_or_create(&labels).inc_by(tokens);
            }
        }
        if let Some(cost) = tally.cost {
            let labels = ByDeployment { model: model.clone(), deployment: deployment.clone() };
            self.cost.get_or_create(&labels).inc_by(u64::try_from(cost.nano()).unwrap_or_default());
        }
        let by_model = ByModel { model: model.clone() };
        self.duration.get_or_create(&by_model).observe(tally.duration.as_secs_f64());
        if let Some(first_byte) = tally.first_byte {
            self.first_byte.get_or_create(&by_model).observe(first_byte.as_secs_f64());
        }
        let labels = Request { model, deployment, status: class(tally.status), outcome: tally.outcome };
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a request that met a full limit.
    pub(crate) fn limited(&self, rule: &Rule, verdict: &'static str) {
        let labels = Limited { owner: rule.owner.label(), limit: rule.label().to_owned(), verdict };
        self.limited.get_or_create(&labels).inc();
    }

    /// Counts what became of an alert of a budget.
    pub(crate) fn alerted(&self, budget: &ObjectName, outcome: &'static str) {
        let labels = Alerted { owner: budget.to_string(), outcome };
        self.alerts.get_or_create(&labels).inc();
    }

    /// Notes the revision that serves from `unix_seconds` on.
    pub(crate) fn installed(&self, revision: &str, unix_seconds: i64) {
        self.config.clear();
        self.config.get_or_create(&Revision { revision: revision.to_owned() }).set(1);
        self.reloaded_at.set(unix_seconds);
    }

    /// Counts a response that was to be kept.
    pub(crate) fn keeps(&self, outcome: Keeping) {
        let outcome = match outcome {
            Keeping::Kept => "kept",
            Keeping::Failed => "failed",
            Keeping::TooLarge => "too_large",
        };
        self.kept.get_or_create(&Kept { outcome }).inc();
    }

    /// Counts a config that was refused.
    pub(crate) fn rejected(&self) {
        self.rejected.inc();
    }

    /// All of them, in the text format of OpenMetrics.
    pub(crate) fn render(&self) -> String {
        let mut page = String::new();
        // Writing to a String cannot fail, and half a page is better than none.
        text::encode(&mut page, &self.registry).ok();
        page
    }
}

fn class(status: Option<u16>) -> &'static str {
    match status {
        Some(200..=299) => "2xx",
        Some(400..=499) => "4xx",
        Some(500..=599) => "5xx",
        Some(_) => "other",
        None => "none",
    }
}

//! The operator's metrics. Their names are part of the API: dashboards and alerts use them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use config::ObjectName;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::freshness::Pulses;

type Seconds = Gauge<f64, AtomicU64>;

/// All metrics; clones share.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<KindResult, Counter>,
    errors: Family<KindClass, Counter>,
    rounds: Family<KindLabel, Histogram, fn() -> Histogram>,
    renders: Histogram,
    publishes: Histogram,
    propagation: Family<GatewayLabel, Histogram, fn() -> Histogram>,
    config_bytes: Family<ShardLabel, Gauge>,
    config_generation: Family<GatewayLabel, Gauge>,
    pods_lagging: Family<GatewayLabel, Gauge>,
    status_patches: Family<ResultLabel, Counter>,
    events: Family<ResultLabel, Counter>,
    queue_depth: Gauge,
    leader: Gauge,
    watch_ages: Family<KindLabel, Seconds>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindResult {
    kind: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindClass {
    kind: &'static str,
    class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GatewayLabel {
    gateway: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ShardLabel {
    gateway: String,
    shard: String,
}

fn histogram() -> Histogram {
    Histogram::new([0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 5.0, 15.0, 60.0])
}

fn gateway(name: &ObjectName) -> GatewayLabel {
    GatewayLabel { gateway: name.to_string() }
}

impl Metrics {
    /// Everything at zero.
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            reconciles: Family::default(),
            errors: Family::default(),
            rounds: Family::new_with_constructor(histogram),
            renders: histogram(),
            publishes: histogram(),
            propagation: Family::new_with_constructor(histogram),
            config_bytes: Family::default(),
            config_generation: Family::default(),
            pods_lagging: Family::default(),
            status_patches: Family::default(),
            events: Family::default(),
            queue_depth: Gauge::default(),
            leader: Gauge::default(),
            watch_ages: Family::default(),
        };
        metrics.registry = Arc::new(metrics.register());
        metrics
    }

    fn register(&self) -> Registry {
        let mut root = Registry::default();
        let all = root.sub_registry_with_prefix("fairlead_operator");
        all.register("reconcile", "What became of a gateway's config", self.reconciles.clone());
        all.register("reconcile_errors", "Failed steps by class", self.errors.clone());
        all.register("reconcile_duration_seconds", "From wake-up to done", self.rounds.clone());
        all.register("render_duration_seconds", "Manifests to config", self.renders.clone());
        all.register("config_publish_duration_seconds", "First to last write", self.publishes.clone());
        all.register("propagation_seconds", "Change seen to all pods serving it", self.propagation.clone());
        all.register("config_bytes", "Size of what is published", self.config_bytes.clone());
        all.register(
            "config_generation",
            "Publishes since this replica leads",
            self.config_generation.clone(),
        );
        all.register(
            "pods_lagging",
            "Pods that do not serve the published config",
            self.pods_lagging.clone(),
        );
        all.register("status_patches", "Status writes by result", self.status_patches.clone());
        all.register("events", "Kubernetes events by result", self.events.clone());
        all.register("queue_depth", "Statuses that wait to be written", self.queue_depth.clone());
        all.register("leader", "1 while this replica leads", self.leader.clone());
        all.register("watch_last_event_age_seconds", "Silence of each watch", self.watch_ages.clone());
        root
    }

    /// As OpenMetrics text.
    pub(crate) fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub(crate) fn reconciled(&self, result: &'static str) {
        self.reconciles.get_or_create(&KindResult { kind: "ModelGateway", result }).inc();
    }

    pub(crate) fn failed(&self, kind: &'static str, class: &'static str) {
        self.errors.get_or_create(&KindClass { kind, class }).inc();
    }

    pub(crate) fn round(&self, took: Duration) {
        self.rounds.get_or_create(&KindLabel { kind: "ModelGateway".into() }).observe(took.as_secs_f64());
    }

    pub(crate) fn rendered(&self, took: Duration) {
        self.renders.observe(took.as_secs_f64());
    }

    /// `sizes` are the bytes of each shard's file.
    pub(crate) fn published(&self, name: &ObjectName, took: Duration, sizes: &[(usize, usize)]) {
        self.publishes.observe(took.as_secs_f64());
        self.config_generation.get_or_create(&gateway(name)).inc();
        for (slot, bytes) in sizes {
            let label = ShardLabel { gateway: name.to_string(), shard: slot.to_string() };
            self.config_bytes.get_or_create(&label).set(i64::try_from(*bytes).unwrap_or(i64::MAX));
        }
    }

    pub(crate) fn propagated(&self, name: &ObjectName, took: Duration) {
        self.propagation.get_or_create(&gateway(name)).observe(took.as_secs_f64());
    }

    pub(crate) fn lagging(&self, name: &ObjectName, pods: i64) {
        self.pods_lagging.get_or_create(&gateway(name)).set(pods);
    }

    pub(crate) fn status_patch(&self, result: &'static str) {
        self.status_patches.get_or_create(&ResultLabel { result }).inc();
    }

    pub(crate) fn event(&self, result: &'static str) {
        self.events.get_or_create(&ResultLabel { result }).inc();
    }

    pub(crate) fn queue_depth(&self, depth: usize) {
        self.queue_depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    pub(crate) fn leading(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    pub(crate) fn watch_ages(&self, pulses: &Pulses) {
        for (kind, age) in pulses.ages() {
            self.watch_ages.get_or_create(&KindLabel { kind }).set(age.as_secs_f64());
        }
    }
}

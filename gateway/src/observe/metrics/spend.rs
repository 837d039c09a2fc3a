//! What becomes of spend records, and of calls that go on only to be known to the end.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters of the way from the spool to the store.
#[derive(Debug, Default)]
pub(crate) struct Spend {
    /// Bytes.
    pub(crate) spooled: Gauge,
    pub(crate) shipped: Counter,
    /// By the database, for good.
    pub(crate) refused: Counter,
    pub(crate) failures: Counter,
    /// See `pipeline/finish.rs`.
    pub(crate) unattended: Gauge,
}

impl Spend {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("spend_spooled_bytes", "What the spool holds", self.spooled.clone());
        registry.register("spend_records", "Spend records that the database has", self.shipped.clone());
        let refused = "Spend records that the database refuses, or that were damaged: see refused.log";
        registry.register("spend_refused", refused, self.refused.clone());
        let unattended = "Calls that go on after their clients have hung up";
        registry.register("requests_unattended", unattended, self.unattended.clone());
        registry.register("spend_failures", "Tries to ship spend records that failed", self.failures.clone());
    }
}

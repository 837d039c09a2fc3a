//! Watches the custom resources, publishes the rendered config, reports status.
//!
//! The way through: `watches` fill the `index`; the leader's `reconcile` renders it and lets `publish` write
//! what changed; `keys` keeps the Secrets of VirtualKeys; `acknowledge` asks the pods what they serve, `usage` how full
//! budgets are; `status` tells people. `boot` starts all of them.

mod acknowledge;
mod args;
mod board;
pub mod boot;
mod events;
mod freshness;
mod index;
mod keys;
mod leader;
mod lease;
mod metrics;
mod names;
mod probes;
mod progress;
mod publish;
mod reconcile;
mod secrets;
mod status;
mod usage;
mod watches;

#[cfg(test)]
mod fake_api;

pub use args::Args;

//! What the renderer promises, rule by rule. `support.rs` reads YAML as people write it.

mod field_walk;
mod golden;
mod groups;
mod last_good;
mod properties;
mod references;
mod support;

//! What became of each call: `record.rs` follows one from start to end, `bill.rs` tells the spool what it costs, `wrap.rs`
//! watches a stream go by, `metrics.rs` counts.

pub(crate) mod bill;
pub(crate) mod metrics;
pub(crate) mod record;
pub(crate) mod wrap;

//! The translation core: pure functions over bytes. No network, no clock, and no panic on any input.
//! `plan.rs` chooses between relay and translation, `exchange.rs` is one call in either, `passage.rs` its stream.
//! `scan.rs` and `splice.rs` read and change a request, `observe.rs` watches, `dialects/` and `hub/` translate.

pub mod answer;
pub mod count;
pub mod dialects;
pub mod exchange;
pub mod fault;
pub mod frames;
pub mod hub;
pub mod json;
pub mod loss;
pub mod observe;
pub mod passage;
pub mod plan;
pub mod scan;
pub mod splice;
pub mod usage;

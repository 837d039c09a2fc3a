//! The translation core: pure functions over bytes. No network, no clock, and no panic on any input.
//! `scan.rs` and `splice.rs` serve a request, `frames/` and `observe.rs` a stream, `answer.rs` and
//! `fault.rs` what a provider says. Start with `scan.rs`.

pub mod answer;
pub mod dialects;
pub mod fault;
pub mod frames;
pub mod hub;
pub mod json;
pub mod loss;
pub mod observe;
pub mod scan;
pub mod splice;
pub mod usage;

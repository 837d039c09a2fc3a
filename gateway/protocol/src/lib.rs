//! The translation core: pure functions over bytes. No network, no clock, and no panic on any input.
//! `plan.rs` chooses between relay and translation, `exchange.rs` is one call in either, `passage.rs` its stream.
//! `scan.rs`, `splice.rs` and `amend.rs` read and change a request, `observe.rs` watches, `dialects/` and `hub/` translate,
//! `allowance.rs` does so with the headers about limits. `embeddings.rs` is the same for texts that become vectors, with a
//! small hub of its own.
//! `response/` has what OpenAI's stored responses need.

pub mod allowance;
pub mod amend;
pub mod answer;
mod base64;
pub mod count;
pub mod dialects;
pub mod embeddings;
pub mod exchange;
pub mod fault;
pub mod frames;
pub mod hub;
pub mod json;
pub mod loss;
pub mod observe;
pub mod passage;
pub mod plan;
pub mod response;
pub mod scan;
pub mod splice;
mod time;
pub mod usage;

//! The limiter on every backend: each rule is one function, and `each!` makes a test on each backend of it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends by panicking")]

mod away;
mod channel;
mod limiter;
mod lost;
mod model;
mod notice;
mod place;
mod roll;
mod rules;
mod setting;
mod shares;

//! A real gateway on loopback in front of a scripted upstream. One binary, so that it links once.
#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends by panicking")]

mod accounting;
mod allowance;
mod budgets;
mod cells;
mod costs;
mod counting;
mod directory;
mod egress;
mod embeddings;
mod errors;
mod failover;
mod hangup;
mod harness;
mod keys;
mod languages;
mod ledger;
mod lifecycle;
mod limits;
mod losses;
mod parameters;
mod process;
mod quirks;
mod relay;
mod relays;
mod responses;
mod routing;
mod speakers;
mod stored_keys;
mod streams;
mod surface;
mod upstream;
mod virtual_keys;

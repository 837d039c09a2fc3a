//! Spend records on their way from a request to the store. `spend/spool.rs` has a place for every request that runs, and
//! writes what it has used to a local file before its client has the last byte; `spend/writer.rs` is the thread that
//! writes; `spend/ship.rs` brings what is written to the store, in batches, however long that is away. `spend/folder.rs`
//! knows whose files they are, `spend/segment.rs` and `spend/line.rs` what is in them.
//!
//! Nothing is counted twice, since the store knows each record by its name; nothing is lost with the process, since what
//! is written stays in the system's cache; with the machine, only if files are not synced.

mod counted;
mod folder;
mod line;
mod segment;
mod ship;
mod spool;
mod writer;

pub(crate) use counted::Kept;
pub(crate) use ship::{Shipper, upkeep};
pub use spool::SpoolOptions;
pub(crate) use spool::{Entry, Spool, Written};

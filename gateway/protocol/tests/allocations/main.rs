//! How much memory the core asks for: a relay makes no tree, and nothing per chunk beyond the chunk's own frame.
//! Counted, not timed, thread by thread.

#[cfg(test)]
#[path = "../../benches/protocol/bodies.rs"]
mod bodies;
#[cfg(test)]
mod relays;

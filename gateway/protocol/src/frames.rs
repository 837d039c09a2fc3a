//! Cuts streams into frames, whatever the chunks they arrive in. Knows framing, not meaning.

pub mod sse;

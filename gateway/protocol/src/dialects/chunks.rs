//! Streams of chunks, as OpenAI's chat and its older completions have them: what they say of the whole answer. What a
//! choice says is each language's own. `chunks/read.rs` and `chunks/write.rs` are the two directions.

mod read;
mod write;

pub(super) use read::{Chunk, Chunks, candidate, cut};
pub(super) use write::{Kind, Teller};

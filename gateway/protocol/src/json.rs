//! JSON without a tree: `fields.rs` takes an object apart by reference, `peek.rs` only looks at a few of its fields,
//! `writer.rs` puts one together.

mod fields;
mod peek;
mod raw;
mod writer;

pub use fields::Fields;
pub use peek::{each, peek, text, text_bytes};
pub use raw::RawJson;
pub use writer::{Writer, string};

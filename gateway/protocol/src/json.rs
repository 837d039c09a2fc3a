//! JSON without a tree: `fields.rs` takes an object apart by reference, `writer.rs` puts one together.

mod fields;
mod raw;
mod writer;

pub use fields::Fields;
pub use raw::RawJson;
pub use writer::{Writer, string};

//! Google's Gemini API. `generate.rs` has its paths, `list.rs` its streams for those who ask for no events.

pub(super) mod generate;
mod list;

pub(super) use generate::keyed;
pub(super) use list::as_list;

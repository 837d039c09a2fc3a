//! OpenAI's responses that somebody keeps: ids that tell who (`id.rs`), the few fields of a response object that a
//! gateway writes itself (`stamp.rs`), and how a conversation goes on from a kept one (`thread.rs`, `items.rs`).
//! What a response means is the dialect's business: nothing here reads more than it must.

mod id;
mod items;
mod object;
mod stamp;
mod thread;

pub use id::{ResponseId, Tag, own_id};
pub use items::{Order, Page, UnknownItem, page};
pub use object::{Outline, deleted};
pub use stamp::{Own, Stamp, Stamper};
pub use thread::{InputNotItems, Thoughts, continued, input_items, joined, resent, without_ids};

//! The hub: what all chat dialects can say, by blocks and not by fields. A dialect decodes to it and encodes
//! from it; nothing here knows a wire format. Only requests that change their dialect come this way.
//!
//! A field enters the hub when two dialects have it. Until then it rides in [`Extras`], and is written again
//! only in the dialect it came from. A block that nobody models is [`Body::Foreign`]. State that only its
//! author can read is a [`Seal`]. Start with `request.rs`; `event.rs` is the way back.

mod answer;
mod event;
mod extras;
mod fold;
mod part;
mod request;
mod tool;

pub use answer::{Answer, Candidate, Finish, Likely};
pub use event::{At, Event, Opening};
pub use extras::Extras;
pub use fold::{Fold, unfold};
pub use part::{Body, CacheHint, Citation, Media, MediaKind, Part, Seal, Source};
pub use request::{Effort, Format, Reasoning, Request, Role, Sampling, Turn};
pub use tool::{Location, Search, Tool, ToolBody, ToolChoice};

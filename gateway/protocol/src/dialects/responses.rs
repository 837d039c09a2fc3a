//! OpenAI's Responses API. Source of all facts here, unless said otherwise:
//! platform.openai.com/docs/api-reference/responses and /responses-streaming, read 2026-11-21.
//!
//! An *item* of `input` or `output` is what others call a turn, a call or a thought. In requests each item is a
//! turn. In answers, which have no turns, an item's own fields ride as one extra named `item` on its first
//! block, and its further blocks say `item:more`. Start with `item_decode.rs`; `segments.rs` is the way back.

mod answer_decode;
mod answer_encode;
mod citation;
mod content_decode;
mod content_encode;
mod context;
mod fault;
mod item_decode;
mod item_encode;
mod media;
mod notes;
mod reasoning_encode;
mod request_decode;
mod request_encode;
mod segments;
mod settings;
mod stream_decode;
mod stream_encode;
mod stream_frames;
mod stream_item;
mod stream_open;
mod stream_watch;
mod tools;
mod usage;
mod words;

#[cfg(test)]
mod tests;

use catalogue::Dialect;
use serde_json::value::RawValue;

pub use answer_decode::decode_answer;
pub use answer_encode::encode_answer;
pub use fault::encode_fault;
pub use request_decode::decode_request;
pub use request_encode::encode_request;
pub use stream_decode::Decoder;
pub use stream_encode::Encoder;
pub use stream_watch::Watcher;

use crate::hub::Extras;
use crate::usage::Usage;

/// This dialect.
const HOME: Dialect = Dialect::OpenaiResponses;

/// The counts of a response's `usage`, and how often its `output` searched.
pub(crate) fn read_usage(raw: &RawValue, output: Option<&RawValue>) -> Option<Usage> {
    let items = output.and_then(|output| serde_json::from_str::<Vec<&RawValue>>(output.get()).ok());
    let searches = items.map_or(0, |items| usage::searches(&items));
    usage::read(raw).map(|usage| Usage { searches, ..usage })
}

/// Whether these extras, and so the node they hang on, were read by this dialect.
fn is_home(extras: &Extras) -> bool {
    extras.dialect == Some(HOME)
}

/// Whether a field of this dialect's own stands in the way of one that would be made.
fn has(extras: &Extras, key: &str) -> bool {
    extras.of(HOME).iter().any(|(name, _)| name == key)
}

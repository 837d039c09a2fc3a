//! Ways of writing that mean the same, so that what was read is written back as it was.

/// A message's content, or a tool's output, was one string and no list.
pub(super) const STRING: &str = "content:string";
/// A message without `type`.
pub(super) const UNTYPED: &str = "type:none";
/// A message whose content is an empty list.
pub(super) const EMPTY: &str = "content:[]";
/// A block that is part of the same item as the block before it.
pub(super) const MORE: &str = "item:more";
/// A foreign block that is part of a message, not an item.
pub(super) const PART: &str = "part";
/// `annotations` was there, even if empty.
pub(super) const ANNOTATED: &str = "annotations";
/// `logprobs` was there and empty.
pub(super) const LOGPROBS: &str = "logprobs:[]";
/// An item of an answer without `status`.
pub(super) const STATUSLESS: &str = "status:none";
/// A text in another of the types for text than its role has; the note is the type.
pub(super) const TEXT_TYPES: [&str; 3] = ["input_text", "output_text", "text"];
/// A thought that stood in `content`, not in `summary`; its type there.
pub(super) const REASONING_TEXT: &str = "reasoning_text";
/// A reasoning item that shows nothing.
pub(super) const BARE: &str = "summary:[]";
/// A reasoning item without `summary`.
pub(super) const NO_SUMMARY: &str = "summary:none";
/// A system turn that stood in `instructions`.
pub(super) const INSTRUCTIONS: &str = "instructions";
/// `input` was one string.
pub(super) const INPUT_STRING: &str = "input:string";
/// There was no `input`.
pub(super) const NO_INPUT: &str = "input:none";
/// There was no `model`: a stored prompt or a conversation names it.
pub(super) const NO_MODEL: &str = "model:none";
/// `stream` was there and false.
pub(super) const STREAM_FALSE: &str = "stream:false";
/// `tools` was there and empty.
pub(super) const NO_TOOLS: &str = "tools:[]";
/// An answer without `incomplete_details`.
pub(super) const NO_DETAILS: &str = "incomplete_details:none";
/// A file's data was base64 without `data:` before it.
pub(super) const BARE_DATA: &str = "file_data:bare";
/// A citation's title stood in `filename`.
pub(super) const FILENAME: &str = "title:filename";
/// The names of the search tool; the first is the default.
pub(super) const SEARCHES: [&str; 4] =
    ["web_search", "web_search_preview", "web_search_2025_08_26", "web_search_preview_2025_03_11"];

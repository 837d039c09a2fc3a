//! Ways of writing that mean the same. The decoder notes them; the encoder repeats them at home.

/// A turn: `content` was one string.
pub(super) const CONTENT_STRING: &str = "content:string";
/// A turn: it was no object at all. The API refuses such a message, and shall be the one to do so.
pub(super) const MESSAGE_RAW: &str = "message:raw";
/// A leading turn: top-level `system`, one string.
pub(super) const SYSTEM_STRING: &str = "system:string";
/// A leading turn: top-level `system`, a list of blocks.
pub(super) const SYSTEM_LIST: &str = "system:list";
/// A tool result had no `content`, or one that nobody reads.
pub(super) const CONTENT_ABSENT: &str = "content:absent";
/// A tool result said that it is no error.
pub(super) const NO_ERROR: &str = "is_error:false";
/// A call had no `input`.
pub(super) const INPUT_ABSENT: &str = "input:absent";
/// A thinking block had no `signature`.
pub(super) const SIGNATURE_ABSENT: &str = "signature:absent";
/// A text had an empty list of citations.
pub(super) const CITATIONS_EMPTY: &str = "citations:[]";
/// A citation's title was its `document_title`.
pub(super) const DOCUMENT_TITLE: &str = "document_title";
/// A tool said that it is `custom`, which is the default.
pub(super) const TYPE_CUSTOM: &str = "type:custom";
/// The request had an empty list of tools.
pub(super) const TOOLS_EMPTY: &str = "tools:[]";
/// The request had an empty list of stop sequences.
pub(super) const STOP_EMPTY: &str = "stop_sequences:[]";
/// The request said that it wants no stream, which is the default.
pub(super) const STREAM_FALSE: &str = "stream:false";
/// The schema was in the older top-level `output_format`.
pub(super) const OUTPUT_FORMAT: &str = "output_format";
/// Thinking within a budget.
pub(super) const THINKING_ENABLED: &str = "thinking:enabled";
/// Thinking as the model likes.
pub(super) const THINKING_ADAPTIVE: &str = "thinking:adaptive";
/// No thinking, said expressly.
pub(super) const THINKING_DISABLED: &str = "thinking:disabled";
/// The effort was in `output_config`.
pub(super) const EFFORT: &str = "output_config.effort";
/// An answer ended since the context window was full, which the hub counts as a length.
pub(super) const WINDOW_EXCEEDED: &str = "model_context_window_exceeded";

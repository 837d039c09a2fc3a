//! `usage` from buckets. Reading is [`crate::usage::Usage::read`].

use crate::json::Writer;
use crate::usage::Usage;

/// Writes OpenAI's `usage` object: its totals include the parts that its details name.
///
/// `cache_write_tokens` is OpenRouter's. Source: openrouter.ai/docs/use-cases/usage-accounting, as recorded by 2026-11-21.
pub(in crate::dialects) fn write(out: &mut String, usage: &Usage) {
    let cache_write = usage.written();
    let mut object = Writer::object(out);
    object.number("prompt_tokens", usage.input()).number("completion_tokens", usage.generated());
    object.number("total_tokens", usage.total());
    object.nested("prompt_tokens_details", |details| {
        details.number("cached_tokens", usage.cached()).number("audio_tokens", usage.audio_input);
        if cache_write > 0 {
            details.number("cache_write_tokens", cache_write);
        }
    });
    object.nested("completion_tokens_details", |details| {
        details.number("reasoning_tokens", usage.reasoning).number("audio_tokens", usage.audio_output);
    });
    object.end();
}

//! `usage`: totals here, buckets in the hub.

use serde_json::value::RawValue;

use crate::json::{Fields, Writer};
use crate::usage::{Usage, count};

/// Reads `usage`. `None` if it has no count in it. `input_tokens` includes the cached and the written ones.
pub(super) fn read(raw: &RawValue) -> Option<Usage> {
    let mut fields = Fields::read(raw)?;
    let input = count(fields.get("input_tokens"));
    let output = count(fields.get("output_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
    let of_input = fields.take_object("input_tokens_details").unwrap_or_default();
    let of_output = fields.take_object("output_tokens_details").unwrap_or_default();
    let part = |fields: &Fields<'_>, key, most: u64| count(fields.get(key)).unwrap_or(0).min(most);
    let cached_input = part(&of_input, "cached_tokens", input);
    let cache_write = part(&of_input, "cache_write_tokens", input - cached_input);
    let reasoning = part(&of_output, "reasoning_tokens", output);
    Some(Usage {
        fresh_input: input - cached_input - cache_write,
        cached_input,
        cache_write,
        output: output - reasoning,
        reasoning,
        ..Usage::default()
    })
}

/// Writes `usage`, with all that the types of OpenAI's clients expect (openai-python 3.54, read 2026-11-21).
pub(super) fn write(usage: &Usage) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.number("input_tokens", usage.input());
    object.nested("input_tokens_details", |details| {
        let written = usage.cache_write.saturating_add(usage.cache_write_hour);
        details.number("cached_tokens", usage.cached_input).number("cache_write_tokens", written);
    });
    object.number("output_tokens", usage.generated());
    object.nested("output_tokens_details", |details| {
        details.number("reasoning_tokens", usage.reasoning);
    });
    object.number("total_tokens", usage.total());
    object.end();
    out
}

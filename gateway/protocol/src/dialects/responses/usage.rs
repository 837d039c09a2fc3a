//! `usage`: totals here, buckets in the hub.

use serde_json::value::RawValue;

use crate::json::{Fields, Writer};
use crate::usage::{Usage, count, money};

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
    let billed = fields.get("cost").and_then(money::dollars);
    Some(Usage {
        fresh_input: input - cached_input - cache_write,
        cached_input,
        cache_write,
        output: output - reasoning,
        reasoning,
        billed_nano_dollars: billed.or_else(|| fields.get("cost_in_usd_ticks").and_then(money::ticks)),
        ..Usage::default()
    })
}

/// How often an answer searched the web, by its output: of the three actions of such a call, the other two look
/// into a page that is known already.
///
/// Source: OpenAI's OpenAPI document 2.3 (`WebSearchToolCall`), read 2026-11-25.
pub(super) fn searches(output: &[&RawValue]) -> u64 {
    let is_search = |raw: &&&RawValue| {
        // Most items are long messages: nothing is parsed that cannot be one.
        raw.get().contains("web_search_call")
            && Fields::read(raw).is_some_and(|mut item| {
                let action = item.take_object("action").and_then(|mut action| action.take_string("type"));
                item.take_string("type").as_deref() == Some("web_search_call")
                    && action.is_none_or(|action| action == "search")
            })
    };
    output.iter().filter(is_search).count().try_into().unwrap_or(u64::MAX)
}

/// Writes `usage`, with all that the types of OpenAI's clients expect (openai-python 3.54, read 2026-11-21).
pub(super) fn write(usage: &Usage) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.number("input_tokens", usage.input());
    object.nested("input_tokens_details", |details| {
        details.number("cached_tokens", usage.cached()).number("cache_write_tokens", usage.written());
    });
    object.number("output_tokens", usage.generated());
    object.nested("output_tokens_details", |details| {
        details.number("reasoning_tokens", usage.reasoning);
    });
    object.number("total_tokens", usage.total());
    object.end();
    out
}

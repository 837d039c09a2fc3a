//! Tokens. Anthropic's input buckets do not overlap; of its output, the thought ones are a part.
//!
//! Source: `types/usage.py` of github.com/anthropics/anthropic-sdk-python, read 2026-11-21.

use serde_json::value::RawValue;

use crate::json::{Fields, RawJson, Writer};
use crate::usage::{Usage, count};

/// Reads a `usage` object. `None` if nothing in it is a count.
pub(super) fn read(json: &str) -> Option<Usage> {
    let mut fields = Fields::parse(json)?;
    let mut usage = buckets(&mut fields)?;
    for pass in fields.take_list("iterations").unwrap_or_default() {
        compaction(pass, &mut usage);
    }
    let searches =
        fields.take_object("server_tool_use").map(|mut tools| count(tools.take("web_search_requests")));
    usage.searches = searches.flatten().unwrap_or(0);
    Some(usage.served(fields.get("service_tier")))
}

/// A summary that the server made on its way is billed, but not in the totals.
///
/// Source: what others quote of the page on compaction in Anthropic's documentation, and a recorded answer, read 2026-11-25.
fn compaction(pass: &RawValue, usage: &mut Usage) {
    let Some(mut fields) = Fields::read(pass) else { return };
    if fields.take_string("type").as_deref() != Some("compaction") {
        return;
    }
    let Some(more) = buckets(&mut fields) else { return };
    for (sum, part) in [
        (&mut usage.fresh_input, more.fresh_input),
        (&mut usage.cached_input, more.cached_input),
        (&mut usage.cache_write, more.cache_write),
        (&mut usage.cache_write_hour, more.cache_write_hour),
        (&mut usage.output, more.output),
        (&mut usage.reasoning, more.reasoning),
    ] {
        *sum = sum.saturating_add(part);
    }
}

fn buckets(fields: &mut Fields<'_>) -> Option<Usage> {
    let mut number = |key: &str| count(fields.take(key));
    let input = number("input_tokens");
    let output = number("output_tokens");
    input.or(output)?;
    let cached_input = number("cache_read_input_tokens").unwrap_or(0);
    let written = number("cache_creation_input_tokens");
    let (five, hour) = fields.take("cache_creation").map_or((None, None), by_life);
    let hour = hour.unwrap_or(0);
    let cache_write = written.map_or(five.unwrap_or(0), |written| written.saturating_sub(hour));
    let output = output.unwrap_or(0);
    let thought =
        fields.take_object("output_tokens_details").and_then(|mut d| count(d.take("thinking_tokens")));
    let reasoning = thought.unwrap_or(0).min(output);
    Some(Usage {
        fresh_input: input.unwrap_or(0),
        cached_input,
        cache_write,
        cache_write_hour: hour,
        output: output - reasoning,
        reasoning,
        ..Usage::default()
    })
}

fn by_life(raw: &RawValue) -> (Option<u64>, Option<u64>) {
    let mut fields = Fields::read(raw).unwrap_or_default();
    (count(fields.take("ephemeral_5m_input_tokens")), count(fields.take("ephemeral_1h_input_tokens")))
}

/// Writes the object from buckets. The SDKs need `input_tokens` and `output_tokens` always.
pub(super) fn write(out: &mut String, usage: &Usage) {
    let mut object = Writer::object(out);
    let written = usage.written();
    let fresh = usage.input().saturating_sub(written).saturating_sub(usage.cached());
    object.number("input_tokens", fresh);
    object.number("cache_creation_input_tokens", written);
    object.number("cache_read_input_tokens", usage.cached());
    if written > 0 {
        object.nested("cache_creation", |object| {
            object.number("ephemeral_5m_input_tokens", usage.cache_write);
            object.number("ephemeral_1h_input_tokens", usage.cache_write_hour);
        });
    }
    object.number("output_tokens", usage.generated());
    if usage.reasoning > 0 {
        object.nested("output_tokens_details", |object| {
            object.number("thinking_tokens", usage.reasoning);
        });
    }
    object.end();
}

/// Puts the fields of a later `usage` over those of an earlier. A `null` replaces nothing.
pub(super) fn merge(into: &mut Vec<(String, RawJson)>, later: Vec<(String, RawJson)>) {
    for (name, raw) in later {
        match into.iter_mut().find(|(known, _)| *known == name) {
            Some(known) if raw.get() != "null" => known.1 = raw,
            Some(_) => {}
            None => into.push((name, raw)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_do_not_overlap_and_come_back() {
        let json = r#"{"input_tokens":5,"cache_creation_input_tokens":30,"cache_read_input_tokens":7,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}"#;
        let usage = read(json).expect("usage");
        assert_eq!((usage.fresh_input, usage.cached_input), (5, 7));
        assert_eq!((usage.cache_write, usage.cache_write_hour), (10, 20));
        assert_eq!((usage.output, usage.reasoning), (5, 4));
        let mut out = String::new();
        write(&mut out, &usage);
        assert_eq!(out, json);
    }

    #[test]
    fn a_summary_made_on_the_way_is_counted_and_another_models_advice_is_not() {
        let json = r#"{"input_tokens":162,"output_tokens":11,"iterations":[{"type":"compaction","input_tokens":99195,"output_tokens":81},{"type":"advisor_message","model":"m","input_tokens":7,"output_tokens":7},{"type":"message","input_tokens":162,"output_tokens":11}]}"#;
        let usage = read(json).expect("usage");
        assert_eq!((usage.fresh_input, usage.output), (99_357, 92));
    }

    #[test]
    fn searches_and_the_tier_are_read() {
        let json = r#"{"input_tokens":1,"output_tokens":1,"server_tool_use":{"web_search_requests":3},"service_tier":"priority"}"#;
        let usage = read(json).expect("usage");
        assert_eq!((usage.searches, usage.tier), (3, catalogue::price::Tier::Priority));
    }

    #[test]
    fn what_has_no_counts_is_no_usage() {
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"input_tokens":"many","output_tokens":null}"#), None);
        assert_eq!(read("[1]"), None);
    }
}

//! Tokens. Anthropic's input buckets do not overlap; of its output, the thought ones are a part.
//!
//! Source: `types/usage.py` of github.com/anthropics/anthropic-sdk-python, read 2026-11-21.

use serde_json::value::RawValue;

use crate::json::{Fields, RawJson, Writer};
use crate::usage::{Usage, count};

/// Reads a `usage` object. `None` if nothing in it is a count.
pub(super) fn read(json: &str) -> Option<Usage> {
    let mut fields = Fields::parse(json)?;
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
    object.number("input_tokens", usage.fresh_input.saturating_add(usage.audio_input));
    let written = usage.cache_write.saturating_add(usage.cache_write_hour);
    object.number("cache_creation_input_tokens", written);
    object.number("cache_read_input_tokens", usage.cached_input);
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
    fn what_has_no_counts_is_no_usage() {
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"input_tokens":"many","output_tokens":null}"#), None);
        assert_eq!(read("[1]"), None);
    }
}

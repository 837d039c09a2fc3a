//! What an answer says it has used, in buckets that do not overlap.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Tokens of one call. No token is in two fields; totals are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input that the provider had to read.
    pub fresh_input: u64,
    /// Input that the provider had in its cache.
    pub cached_input: u64,
    /// Output, reasoning included as far as the provider counts it there.
    pub output: u64,
}

impl Usage {
    /// Everything.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.fresh_input.saturating_add(self.cached_input).saturating_add(self.output)
    }

    /// Reads OpenAI's `usage` object. A field that is missing or of another type counts as 0;
    /// `None` if nothing in it is a count.
    ///
    /// `prompt_tokens` includes the cached ones there.
    /// Source: platform.openai.com/docs/api-reference/chat/object, read 2026-11-21.
    #[must_use]
    pub fn read(raw: &RawValue) -> Option<Self> {
        let wire: Wire<'_> = serde_json::from_str(raw.get()).ok()?;
        let prompt = count(wire.prompt_tokens);
        let completion = count(wire.completion_tokens);
        if prompt.is_none() && completion.is_none() {
            return None;
        }
        let details =
            wire.prompt_tokens_details.and_then(|raw| serde_json::from_str::<Details<'_>>(raw.get()).ok());
        let cached = details.and_then(|details| count(details.cached_tokens)).unwrap_or(0);
        let prompt = prompt.unwrap_or(0);
        Some(Self {
            fresh_input: prompt.saturating_sub(cached),
            cached_input: cached.min(prompt),
            output: completion.unwrap_or(0),
        })
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    prompt_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    completion_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    prompt_tokens_details: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Details<'a> {
    #[serde(borrow)]
    cached_tokens: Option<&'a RawValue>,
}

/// A count in any spelling that JSON has for a whole number.
fn count(raw: Option<&RawValue>) -> Option<u64> {
    let text = raw?.get();
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "casts of floats saturate"
        )]
        (number.is_finite() && number >= 0.0).then_some(number as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Usage> {
        Usage::read(serde_json::from_str::<&RawValue>(text).expect("JSON"))
    }

    #[test]
    fn buckets_do_not_overlap() {
        let usage = read(
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}"#,
        );
        assert_eq!(usage, Some(Usage { fresh_input: 6, cached_input: 4, output: 5 }));
        assert_eq!(usage.map(|usage| usage.total()), Some(15));
    }

    #[test]
    fn odd_fields_cost_only_themselves() {
        let usage = read(r#"{"prompt_tokens":10.0,"completion_tokens":"x","prompt_tokens_details":[]}"#);
        assert_eq!(usage, Some(Usage { fresh_input: 10, cached_input: 0, output: 0 }));
        assert_eq!(read("{}"), None);
        assert_eq!(read("[1]"), None);
        assert_eq!(read("null"), None);
    }
}

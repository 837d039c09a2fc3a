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
    /// Input that the provider wrote to its cache, to be kept for five minutes or by its default.
    pub cache_write: u64,
    /// The same, to be kept for an hour.
    pub cache_write_hour: u64,
    /// Input that was sound. Not in `fresh_input`.
    pub audio_input: u64,
    /// Output that the client sees: text and calls.
    pub output: u64,
    /// Output that was thought. Not in `output`.
    pub reasoning: u64,
    /// Output that is sound. Not in `output`.
    pub audio_output: u64,
}

impl Usage {
    /// Everything.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.input().saturating_add(self.generated())
    }

    /// All that was read, from wherever it came.
    #[must_use]
    pub fn input(&self) -> u64 {
        [self.fresh_input, self.cached_input, self.cache_write, self.cache_write_hour, self.audio_input]
            .into_iter()
            .fold(0, u64::saturating_add)
    }

    /// All that was written, seen or not.
    #[must_use]
    pub fn generated(&self) -> u64 {
        [self.output, self.reasoning, self.audio_output].into_iter().fold(0, u64::saturating_add)
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
        let input = Details::read(wire.prompt_tokens_details);
        let output = Details::read(wire.completion_tokens_details);
        let prompt = prompt.unwrap_or(0);
        let cached_input = input.cached_tokens().min(prompt);
        let cache_write = input.cache_write_tokens().min(prompt - cached_input);
        let audio_input = input.audio_tokens().min(prompt - cached_input - cache_write);
        let completion = completion.unwrap_or(0);
        let reasoning = output.reasoning_tokens().min(completion);
        let audio_output = output.audio_tokens().min(completion - reasoning);
        Some(Self {
            fresh_input: prompt - cached_input - cache_write - audio_input,
            cached_input,
            cache_write,
            cache_write_hour: 0,
            audio_input,
            output: completion - reasoning - audio_output,
            reasoning,
            audio_output,
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
    #[serde(borrow)]
    completion_tokens_details: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Details<'a> {
    #[serde(borrow)]
    cached_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_write_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    audio_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_tokens: Option<&'a RawValue>,
}

impl<'a> Details<'a> {
    fn read(raw: Option<&'a RawValue>) -> Self {
        raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    fn cached_tokens(&self) -> u64 {
        count(self.cached_tokens).unwrap_or(0)
    }

    fn cache_write_tokens(&self) -> u64 {
        count(self.cache_write_tokens).unwrap_or(0)
    }

    fn audio_tokens(&self) -> u64 {
        count(self.audio_tokens).unwrap_or(0)
    }

    fn reasoning_tokens(&self) -> u64 {
        count(self.reasoning_tokens).unwrap_or(0)
    }
}

/// A count in any spelling that JSON has for a whole number.
pub(crate) fn count(raw: Option<&RawValue>) -> Option<u64> {
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
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}"#,
        );
        assert_eq!(
            usage,
            Some(Usage { fresh_input: 6, cached_input: 4, output: 3, reasoning: 2, ..Usage::default() })
        );
        assert_eq!(usage.map(|usage| usage.total()), Some(15));
    }

    #[test]
    fn odd_fields_cost_only_themselves() {
        let usage = read(r#"{"prompt_tokens":10.0,"completion_tokens":"x","prompt_tokens_details":[]}"#);
        assert_eq!(usage, Some(Usage { fresh_input: 10, ..Usage::default() }));
        assert_eq!(read("{}"), None);
        assert_eq!(read("[1]"), None);
        assert_eq!(read("null"), None);
    }
}

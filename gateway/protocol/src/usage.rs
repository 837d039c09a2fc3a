//! What an answer says it has used, in buckets that do not overlap. `usage/chat.rs` reads OpenAI's and its
//! imitators'; the other dialects read their own. `usage/money.rs` reads what providers say it cost.

mod chat;
pub(crate) mod money;

use catalogue::price::Tier;
use serde_json::value::RawValue;

/// What one call has used. No token is in two fields; totals are computed.
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
    /// Sound that the provider had in its cache. Not in `cached_input`.
    pub cached_audio: u64,
    /// Input that was pictures. Not in `fresh_input`.
    pub image_input: u64,
    /// Output that the client sees: text and calls.
    pub output: u64,
    /// Output that was thought. Not in `output`.
    pub reasoning: u64,
    /// Output that is sound. Not in `output`.
    pub audio_output: u64,
    /// Output that is pictures. Not in `output`.
    pub image_output: u64,
    /// How often the provider searched the web. No tokens.
    pub searches: u64,
    /// How it was served, which changes what the tokens cost.
    pub tier: Tier,
    /// What the provider says it bills, in nano-dollars.
    pub billed_nano_dollars: Option<u64>,
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
        let read = [self.fresh_input, self.audio_input, self.image_input, self.cached(), self.written()];
        read.into_iter().fold(0, u64::saturating_add)
    }

    /// All that was in the provider's cache.
    #[must_use]
    pub fn cached(&self) -> u64 {
        self.cached_input.saturating_add(self.cached_audio)
    }

    /// All that was written to the provider's cache.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.cache_write.saturating_add(self.cache_write_hour)
    }

    /// All that was written, seen or not.
    #[must_use]
    pub fn generated(&self) -> u64 {
        let made = [self.output, self.reasoning, self.audio_output, self.image_output];
        made.into_iter().fold(0, u64::saturating_add)
    }

    /// Reads OpenAI's `usage` object, and its imitators'. A field that is missing or of another type counts as 0;
    /// `None` if nothing in it is a count.
    #[must_use]
    pub fn read(raw: &RawValue) -> Option<Self> {
        chat::read(raw)
    }

    /// The same, served as the `service_tier` beside the object says.
    #[must_use]
    pub fn served(self, tier: Option<&RawValue>) -> Self {
        Self { tier: tier.and_then(read_tier).unwrap_or(self.tier), ..self }
    }
}

/// How OpenAI, Anthropic, Gemini and Vertex AI name the tiers. `None` for what names none, such as `auto`.
///
/// Sources: recorded answers of OpenAI, Anthropic, Mistral and Gemini; for Vertex AI `TrafficType` in the reference of
/// Google.Cloud.AIPlatform.V1 3.69; LiteLLM 1.110.2 for those that are rare. Read 2026-11-25.
pub(crate) fn read_tier(raw: &RawValue) -> Option<Tier> {
    let word: String = serde_json::from_str(raw.get()).ok()?;
    match word.to_ascii_lowercase().as_str() {
        "default" | "standard" | "on_demand" => Some(Tier::Standard),
        "priority" | "fast" | "on_demand_priority" => Some(Tier::Priority),
        "flex" | "on_demand_flex" => Some(Tier::Flex),
        "batch" => Some(Tier::Batch),
        "balanced" => Some(Tier::Balanced),
        "ultrafast" => Some(Tier::Ultrafast),
        _ => None,
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

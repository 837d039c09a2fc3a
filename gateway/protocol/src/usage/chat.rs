//! OpenAI's `usage` object of a chat, and what its imitators make of it.
//!
//! Its totals include the parts that the details name. Exceptions, as recorded by 2026-11-25: xAI's completion is
//! without what was thought, Gemini's too and does not name it, Mistral's prompt is without what was sound: there
//! `total_tokens` counts more than both. Mistral, Moonshot and DeepSeek have names of their own for what was cached.
//! Source: platform.openai.com/docs/api-reference/chat/object, read 2026-11-21.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Usage, count, money};

/// Reads the object. `None` if nothing in it is a count.
pub(super) fn read(raw: &RawValue) -> Option<Usage> {
    let wire: Wire<'_> = serde_json::from_str(raw.get()).ok()?;
    let (prompt, completion) = (count(wire.prompt_tokens), count(wire.completion_tokens));
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    let (input, output) =
        (Details::read(wire.prompt_tokens_details), Details::read(wire.completion_tokens_details));
    let (audio, thought) = (number(input.audio_tokens), number(output.reasoning_tokens));
    let (mut prompt, mut completion) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    let beyond = number(wire.total_tokens).saturating_sub(prompt.saturating_add(completion));
    let is_sound = beyond > 0 && beyond == audio;
    if is_sound {
        prompt = prompt.saturating_add(beyond);
    } else {
        completion = completion.saturating_add(beyond);
    }
    let unnamed = if is_sound || thought > 0 { 0 } else { beyond };
    let mut prompt = Rest(prompt);
    let cached_input = prompt.take(wire.cached(&input));
    let cache_write = prompt.take(number(input.cache_write_tokens));
    let (audio_input, image_input) = (prompt.take(audio), prompt.take(number(input.image_tokens)));
    let mut completion = Rest(completion);
    let reasoning = completion.take(thought.saturating_add(unnamed));
    let audio_output = completion.take(number(output.audio_tokens));
    let image_output = completion.take(number(output.image_tokens));
    let usage = Usage {
        fresh_input: prompt.0,
        cached_input,
        cache_write,
        audio_input,
        image_input,
        output: completion.0,
        reasoning,
        audio_output,
        image_output,
        searches: wire.searches(),
        billed_nano_dollars: wire.billed(),
        ..Usage::default()
    };
    Some(usage.served(wire.service_tier))
}

/// What is left of a total: a part takes no more than that.
struct Rest(u64);

impl Rest {
    fn take(&mut self, part: u64) -> u64 {
        let part = part.min(self.0);
        self.0 -= part;
        part
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    prompt_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    completion_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    total_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    prompt_tokens_details: Option<&'a RawValue>,
    #[serde(borrow)]
    completion_tokens_details: Option<&'a RawValue>,
    #[serde(borrow)]
    num_cached_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    cached_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    prompt_cache_hit_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    num_search_queries: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow)]
    cost: Option<&'a RawValue>,
    #[serde(borrow)]
    cost_in_usd_ticks: Option<&'a RawValue>,
}

impl Wire<'_> {
    fn cached(&self, details: &Details<'_>) -> u64 {
        let names =
            [details.cached_tokens, self.num_cached_tokens, self.cached_tokens, self.prompt_cache_hit_tokens];
        names.into_iter().find_map(|raw| count(raw).filter(|tokens| *tokens > 0)).unwrap_or(0)
    }

    /// Perplexity's, as its schema `UsageInfo` has it, read 2026-11-25.
    fn searches(&self) -> u64 {
        number(self.num_search_queries)
    }

    fn billed(&self) -> Option<u64> {
        self.cost.and_then(money::dollars).or_else(|| self.cost_in_usd_ticks.and_then(money::ticks))
    }
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
    image_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_tokens: Option<&'a RawValue>,
}

impl<'a> Details<'a> {
    fn read(raw: Option<&'a RawValue>) -> Self {
        raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }
}

fn number(raw: Option<&RawValue>) -> u64 {
    count(raw).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use catalogue::price::Tier;

    use super::*;

    fn read(text: &str) -> Option<Usage> {
        Usage::read(serde_json::from_str::<&RawValue>(text).expect("JSON"))
    }

    #[test]
    fn buckets_do_not_overlap() {
        let usage = read(
            r#"{"prompt_tokens":20,"completion_tokens":9,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":3,"image_tokens":2},"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":1,"image_tokens":1}}"#,
        );
        let buckets = Usage {
            fresh_input: 11,
            cached_input: 4,
            audio_input: 3,
            image_input: 2,
            output: 5,
            reasoning: 2,
            audio_output: 1,
            image_output: 1,
            ..Usage::default()
        };
        assert_eq!(usage, Some(buckets));
        assert_eq!(buckets.total(), 29);
    }

    #[test]
    fn odd_fields_cost_only_themselves() {
        let usage = read(r#"{"prompt_tokens":10.0,"completion_tokens":"x","prompt_tokens_details":[]}"#);
        assert_eq!(usage, Some(Usage { fresh_input: 10, ..Usage::default() }));
        assert_eq!(read("{}"), None);
        assert_eq!(read("[1]"), None);
        assert_eq!(read("null"), None);
    }

    #[test]
    fn what_only_the_total_counts_is_counted() {
        let xai = read(
            r#"{"prompt_tokens":401,"completion_tokens":44,"total_tokens":702,"prompt_tokens_details":{"cached_tokens":400},"completion_tokens_details":{"reasoning_tokens":257}}"#,
        )
        .unwrap();
        assert_eq!((xai.fresh_input, xai.cached_input, xai.output, xai.reasoning), (1, 400, 44, 257));
        let gemini = read(r#"{"prompt_tokens":35,"completion_tokens":12,"total_tokens":109}"#).unwrap();
        assert_eq!((gemini.output, gemini.reasoning), (12, 62), "thoughts that have no name");
        let mistral = read(
            r#"{"prompt_tokens":11,"completion_tokens":15,"total_tokens":401,"prompt_tokens_details":{"audio_tokens":375,"cached_tokens":9}}"#,
        )
        .unwrap();
        assert_eq!((mistral.fresh_input, mistral.audio_input, mistral.output), (2, 375, 15));
        let small = read(r#"{"prompt_tokens":3,"completion_tokens":4,"total_tokens":1}"#).unwrap();
        assert_eq!(small.total(), 7, "a total that is too small says nothing");
    }

    #[test]
    fn what_was_cached_has_several_names() {
        for name in ["num_cached_tokens", "cached_tokens", "prompt_cache_hit_tokens"] {
            let usage =
                read(&format!(r#"{{"prompt_tokens":64,"completion_tokens":6,"{name}":32}}"#)).unwrap();
            assert_eq!((usage.fresh_input, usage.cached_input), (32, 32), "{name}");
        }
    }

    #[test]
    fn tiers_and_bills_are_read() {
        let read =
            |more: &str| read(&format!(r#"{{"prompt_tokens":1,"completion_tokens":1,{more}}}"#)).unwrap();
        assert_eq!(read(r#""service_tier":"priority""#).tier, Tier::Priority);
        assert_eq!(read(r#""service_tier":"auto""#).tier, Tier::Standard);
        assert_eq!(read(r#""cost":0.007637029"#).billed_nano_dollars, Some(7_637_029));
        assert_eq!(read(r#""cost":{"total_cost":0.00614}"#).billed_nano_dollars, Some(6_140_000));
        assert_eq!(read(r#""cost_in_usd_ticks":1707000"#).billed_nano_dollars, Some(170_700));
        assert_eq!(read(r#""cost":null"#).billed_nano_dollars, None);
    }
}

//! `usageMetadata` and the buckets.

use serde_json::value::RawValue;

use crate::hub::Answer;
use crate::json::{RawJson, Writer, each, peek};
use crate::usage::{Usage, count};

/// The field of an answer. It is kept as it stood for clients of this dialect.
pub(super) const FIELD: &str = "usageMetadata";

/// Reads the object. `None` if it counts nothing.
///
/// `promptTokenCount` includes what was cached, but not what tools read; `candidatesTokenCount` does not
/// include thoughts.
/// Source: ai.google.dev/api/generate-content#UsageMetadata (read 2026-11-21).
pub(super) fn read(json: &str) -> Option<Usage> {
    let [prompt, written, reasoning, tools, cached] = peek(json, COUNTS)?.map(count);
    if prompt.is_none() && written.is_none() && reasoning.is_none() {
        return None;
    }
    let (prompt, written) = (prompt.unwrap_or(0), written.unwrap_or(0));
    let (tools, cached) = (tools.unwrap_or(0), cached.unwrap_or(0).min(prompt));
    let [of_cache, of_prompt, of_answer] = peek(json, DETAILS)?.map(Kinds::read);
    let cached_audio = of_cache.audio.min(cached);
    let fresh = prompt - cached;
    let audio_input = of_prompt.audio.saturating_sub(cached_audio).min(fresh);
    let image_input = of_prompt.image.saturating_sub(of_cache.image).min(fresh - audio_input);
    let audio_output = of_answer.audio.min(written);
    let image_output = of_answer.image.min(written - audio_output);
    let usage = Usage {
        fresh_input: (fresh - audio_input - image_input).saturating_add(tools),
        cached_input: cached - cached_audio,
        cached_audio,
        audio_input,
        image_input,
        output: written - audio_output - image_output,
        reasoning: reasoning.unwrap_or(0),
        audio_output,
        image_output,
        ..Usage::default()
    };
    let [vertex, google] = peek(json, TIERS)?;
    Some(usage.served(vertex).served(google))
}

const COUNTS: [&str; 5] = [
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
    "cachedContentTokenCount",
];

/// Lists of what the counts are made of.
const DETAILS: [&str; 3] = ["cacheTokensDetails", "promptTokensDetails", "candidatesTokensDetails"];

/// Vertex AI and the Gemini API have each a name for it.
const TIERS: [&str; 2] = ["trafficType", "serviceTier"];

/// Writes the object for an answer of any dialect.
pub(super) fn write(usage: &Usage, out: &mut String) {
    let written = usage.generated().saturating_sub(usage.reasoning);
    let mut object = Writer::object(out);
    object.number("promptTokenCount", usage.input()).number("candidatesTokenCount", written);
    object.number("totalTokenCount", usage.total());
    for (key, count) in [("cachedContentTokenCount", usage.cached()), ("thoughtsTokenCount", usage.reasoning)]
    {
        if count > 0 {
            object.number(key, count);
        }
    }
    let of_prompt =
        Kinds { audio: usage.audio_input.saturating_add(usage.cached_audio), image: usage.image_input };
    let of_answer = Kinds { audio: usage.audio_output, image: usage.image_output };
    of_prompt.write(&mut object, "promptTokensDetails", usage.input());
    Kinds { audio: usage.cached_audio, image: 0 }.write(&mut object, "cacheTokensDetails", usage.cached());
    of_answer.write(&mut object, "candidatesTokensDetails", written);
    object.end();
}

/// The object as the provider wrote it, if it was of this dialect.
pub(super) fn kept(answer: &Answer) -> Option<&RawJson> {
    answer.extras.of(super::HOME).iter().find(|(name, _)| name == FIELD).map(|(_, raw)| raw)
}

/// Tokens that are no text.
struct Kinds {
    audio: u64,
    image: u64,
}

impl Kinds {
    fn read(list: Option<&RawValue>) -> Self {
        let mut kinds = Self { audio: 0, image: 0 };
        let mut add = |entry: &RawValue| {
            let [modality, tokens] = peek(entry.get(), ["modality", "tokenCount"]).unwrap_or([None; 2]);
            let tokens = count(tokens).unwrap_or(0);
            match modality.map(RawValue::get) {
                Some("\"AUDIO\"") => kinds.audio = kinds.audio.saturating_add(tokens),
                Some("\"IMAGE\"") => kinds.image = kinds.image.saturating_add(tokens),
                _ => {}
            }
        };
        if let Some(list) = list {
            each(list, &mut add);
        }
        kinds
    }

    /// Lists them beside the text, of `all` tokens. Nothing where all is text.
    fn write(&self, object: &mut Writer<'_>, key: &str, all: u64) {
        let text = all.saturating_sub(self.audio).saturating_sub(self.image);
        let counts = [("TEXT", text), ("AUDIO", self.audio), ("IMAGE", self.image)];
        if self.audio == 0 && self.image == 0 {
            return;
        }
        let counts = counts.into_iter().filter(|(kind, tokens)| *kind == "TEXT" || *tokens > 0);
        object.list_of(key, counts, |out, (modality, count)| {
            let mut entry = Writer::object(out);
            entry.string("modality", modality).number("tokenCount", count);
            entry.end();
        });
    }
}

#[cfg(test)]
mod tests {
    use catalogue::price::Tier;

    use super::*;

    #[test]
    fn buckets_do_not_overlap() {
        let raw = r#"{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":7,"thoughtsTokenCount":5,"toolUsePromptTokenCount":11,"totalTokenCount":123,"promptTokensDetails":[{"modality":"TEXT","tokenCount":70},{"modality":"AUDIO","tokenCount":30}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":20}]}"#;
        let usage = read(raw).unwrap();
        assert_eq!((usage.fresh_input, usage.audio_input), (41, 10));
        assert_eq!((usage.cached_input, usage.cached_audio), (40, 20));
        assert_eq!((usage.output, usage.reasoning, usage.total()), (7, 5, 123));
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        let usage = Usage {
            fresh_input: 3,
            cached_input: 4,
            audio_input: 5,
            cached_audio: 2,
            image_input: 9,
            output: 6,
            reasoning: 7,
            audio_output: 8,
            image_output: 1,
            ..Usage::default()
        };
        let mut out = String::new();
        write(&usage, &mut out);
        assert_eq!(read(&out), Some(usage));
    }

    #[test]
    fn both_names_of_the_tier_are_read() {
        let tier = |more: &str| read(&format!(r#"{{"promptTokenCount":1,{more}}}"#)).unwrap().tier;
        assert_eq!(tier(r#""trafficType":"ON_DEMAND_FLEX""#), Tier::Flex);
        assert_eq!(tier(r#""trafficType":"ON_DEMAND""#), Tier::Standard);
        assert_eq!(tier(r#""serviceTier":"priority""#), Tier::Priority);
        assert_eq!(tier(r#""trafficType":1"#), Tier::Standard);
    }
}

//! `usageMetadata` and the buckets.

use crate::hub::Answer;
use crate::json::{Fields, RawJson, Writer};
use crate::usage::Usage;

/// The field of an answer. It is kept as it stood for clients of this dialect.
pub(super) const FIELD: &str = "usageMetadata";

/// Reads the object. `None` if it counts nothing.
///
/// `promptTokenCount` includes what was cached, but not what tools read; `candidatesTokenCount` does not
/// include thoughts.
/// Source: ai.google.dev/api/generate-content#UsageMetadata (read 2026-11-21).
pub(super) fn read(raw: &RawJson) -> Option<Usage> {
    let mut fields = Fields::parse(raw.get())?;
    let prompt = count(&fields, "promptTokenCount");
    let written = count(&fields, "candidatesTokenCount");
    let reasoning = count(&fields, "thoughtsTokenCount");
    if prompt.is_none() && written.is_none() && reasoning.is_none() {
        return None;
    }
    let (prompt, written) = (prompt.unwrap_or(0), written.unwrap_or(0));
    let tools = count(&fields, "toolUsePromptTokenCount").unwrap_or(0);
    let cached_input = count(&fields, "cachedContentTokenCount").unwrap_or(0).min(prompt);
    let cached_audio = audio(&mut fields, "cacheTokensDetails").min(cached_input);
    let audio_input = audio(&mut fields, "promptTokensDetails").saturating_sub(cached_audio);
    let audio_input = audio_input.min(prompt - cached_input);
    let audio_output = audio(&mut fields, "candidatesTokensDetails").min(written);
    Some(Usage {
        fresh_input: (prompt - cached_input - audio_input).saturating_add(tools),
        cached_input,
        audio_input,
        output: written - audio_output,
        reasoning: reasoning.unwrap_or(0),
        audio_output,
        ..Usage::default()
    })
}

/// Writes the object for an answer of any dialect.
pub(super) fn write(usage: &Usage, out: &mut String) {
    let written = usage.output.saturating_add(usage.audio_output);
    let mut object = Writer::object(out);
    object.number("promptTokenCount", usage.input()).number("candidatesTokenCount", written);
    object.number("totalTokenCount", usage.total());
    for (key, count) in
        [("cachedContentTokenCount", usage.cached_input), ("thoughtsTokenCount", usage.reasoning)]
    {
        if count > 0 {
            object.number(key, count);
        }
    }
    modalities(&mut object, "promptTokensDetails", usage.input(), usage.audio_input);
    modalities(&mut object, "candidatesTokensDetails", written, usage.audio_output);
    object.end();
}

/// The object as the provider wrote it, if it was of this dialect.
pub(super) fn kept(answer: &Answer) -> Option<&RawJson> {
    answer.extras.of(super::HOME).iter().find(|(name, _)| name == FIELD).map(|(_, raw)| raw)
}

fn modalities(object: &mut Writer<'_>, key: &str, all: u64, audio: u64) {
    if audio == 0 {
        return;
    }
    let counts = [("TEXT", all.saturating_sub(audio)), ("AUDIO", audio)];
    object.list_of(key, counts, |out, (modality, count)| {
        let mut entry = Writer::object(out);
        entry.string("modality", modality).number("tokenCount", count);
        entry.end();
    });
}

fn count(fields: &Fields<'_>, key: &str) -> Option<u64> {
    crate::usage::count(fields.get(key))
}

fn audio(fields: &mut Fields<'_>, key: &str) -> u64 {
    let entries = fields.take_list(key).unwrap_or_default();
    let entries = entries.into_iter().filter_map(Fields::read);
    entries
        .filter_map(|mut entry| {
            let modality = entry.take_string("modality")?;
            (modality == "AUDIO").then(|| count(&entry, "tokenCount"))?
        })
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_do_not_overlap() {
        let raw = RawJson::parse(
            r#"{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":7,"thoughtsTokenCount":5,"toolUsePromptTokenCount":11,"totalTokenCount":123,"promptTokensDetails":[{"modality":"TEXT","tokenCount":70},{"modality":"AUDIO","tokenCount":30}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":20}]}"#,
        );
        let usage = read(&raw.unwrap()).unwrap();
        assert_eq!((usage.fresh_input, usage.cached_input, usage.audio_input), (41, 60, 10));
        assert_eq!((usage.output, usage.reasoning, usage.total()), (7, 5, 123));
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        let usage = Usage {
            fresh_input: 3,
            cached_input: 4,
            audio_input: 5,
            output: 6,
            reasoning: 7,
            audio_output: 8,
            ..Usage::default()
        };
        let mut out = String::new();
        write(&usage, &mut out);
        assert_eq!(read(&RawJson::parse(&out).unwrap()), Some(usage));
    }
}

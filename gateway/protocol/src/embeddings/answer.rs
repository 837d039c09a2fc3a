//! Answers: vectors in the order of the inputs, and what they cost.

use serde_json::value::RawValue;

use super::{Encoding, Form, Vector};
use crate::json::{Fields, Writer};
use crate::loss::Losses;
use crate::usage::{Usage, count};

/// What a provider answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer<'a> {
    /// One for each input, in their order.
    pub vectors: Vec<Vector<'a>>,
    /// Absent where it tells none, as Google's older models.
    pub usage: Option<Usage>,
    /// The fields that nobody models. No other form can say them.
    pub losses: Losses,
}

impl Answer<'_> {
    /// Adds the answer to the inputs that came after.
    pub(super) fn append(&mut self, mut next: Self) {
        // What a part does not tell is not known of the whole either.
        self.usage = match (self.usage, next.usage) {
            (Some(sum), Some(more)) => Some(added(sum, more)),
            (known, _) if next.vectors.is_empty() => known,
            (_, known) if self.vectors.is_empty() => known,
            _ => None,
        };
        self.vectors.append(&mut next.vectors);
        for loss in next.losses.all() {
            lose(&mut self.losses, loss.field.clone());
        }
    }
}

fn added(sum: Usage, more: Usage) -> Usage {
    Usage {
        fresh_input: sum.fresh_input.saturating_add(more.fresh_input),
        cached_input: sum.cached_input.saturating_add(more.cached_input),
        audio_input: sum.audio_input.saturating_add(more.audio_input),
        ..sum
    }
}

/// Reads an answer. `None` if it is none: no vectors, or something else in their place.
#[must_use]
pub fn decode_answer(form: Form, body: &str) -> Option<Answer<'_>> {
    let mut fields = Fields::parse(body)?;
    let mut answer = match form {
        Form::Openai => decode_openai(&mut fields)?,
        Form::GeminiOne | Form::GeminiBatch => decode_gemini(&mut fields)?,
    };
    for (name, raw) in fields.rest() {
        if raw.get() != "null" {
            lose(&mut answer.losses, name);
        }
    }
    Some(answer)
}

fn decode_openai<'a>(fields: &mut Fields<'a>) -> Option<Answer<'a>> {
    let mut losses = Losses::default();
    let mut indexed = Vec::new();
    for (at, raw) in fields.take_list("data")?.into_iter().enumerate() {
        let mut item = Fields::read(raw)?;
        let vector = Vector::read(item.take("embedding")?)?;
        item.take_any("object");
        let place = item.take_u64("index").unwrap_or(at as u64);
        item.rest().into_iter().for_each(|(name, _)| lose(&mut losses, format!("data[].{name}")));
        indexed.push((place, vector));
    }
    indexed.sort_by_key(|(place, _)| *place);
    fields.take_any("object");
    fields.take_any("model");
    let usage = fields.take("usage").and_then(openai_usage);
    Some(Answer { vectors: indexed.into_iter().map(|(_, vector)| vector).collect(), usage, losses })
}

/// Some tell the total only: all of it is input.
pub(super) fn openai_usage(raw: &RawValue) -> Option<Usage> {
    Usage::read(raw).or_else(|| {
        let total = count(Fields::read(raw)?.take("total_tokens"))?;
        Some(Usage { fresh_input: total, ..Usage::default() })
    })
}

fn decode_gemini<'a>(fields: &mut Fields<'a>) -> Option<Answer<'a>> {
    let mut losses = Losses::default();
    let list = match fields.take("embedding") {
        Some(one) => vec![one],
        None => fields.take_list("embeddings")?,
    };
    let mut vectors = Vec::with_capacity(list.len());
    for raw in list {
        let mut item = Fields::read(raw)?;
        vectors.push(Vector::read(item.take("values")?)?);
        item.rest().into_iter().for_each(|(name, _)| lose(&mut losses, format!("embeddings[].{name}")));
    }
    let usage = fields.take("usageMetadata").and_then(gemini_usage);
    Some(Answer { vectors, usage, losses })
}

/// Source: ai.google.dev/api/embeddings#EmbeddingUsageMetadata, read 2026-11-25. Sound is listed apart.
pub(super) fn gemini_usage(raw: &RawValue) -> Option<Usage> {
    let mut fields = Fields::read(raw)?;
    let prompt = count(fields.take("promptTokenCount"))?;
    let details = fields.take_list("promptTokenDetails").or_else(|| fields.take_list("promptTokensDetails"));
    let sound = |raw: &RawValue| {
        let mut detail = Fields::read(raw)?;
        (detail.take_string("modality")? == "AUDIO").then(|| count(detail.take("tokenCount")))?
    };
    let audio_input: u64 =
        details.unwrap_or_default().into_iter().filter_map(sound).fold(0, u64::saturating_add);
    let audio_input = audio_input.min(prompt);
    Some(Usage { fresh_input: prompt - audio_input, audio_input, ..Usage::default() })
}

fn lose(losses: &mut Losses, field: String) {
    if !losses.all().iter().any(|loss| loss.field == field) {
        losses.hint(field, "the client's language has no such field");
    }
}

/// Writes an answer for a client that called the model `model` and wants vectors in `encoding`. Google's clients
/// always get numbers. `None` if a vector is none.
#[must_use]
pub fn encode_answer(form: Form, answer: &Answer<'_>, model: &str, encoding: Encoding) -> Option<String> {
    let mut out = String::with_capacity(answer.vectors.iter().map(length).sum());
    let mut is_sound = true;
    let mut vector = |out: &mut String, vector: &Vector<'_>, encoding| {
        is_sound &= vector.write(encoding, out).is_some();
    };
    let mut object = Writer::object(&mut out);
    match form {
        Form::Openai => {
            object.string("object", "list");
            object.list_of("data", answer.vectors.iter().enumerate(), |out, (at, one)| {
                let mut item = Writer::object(out);
                item.string("object", "embedding").number("index", at as u64);
                item.field("embedding", |out| vector(out, one, encoding));
                item.end();
            });
            object.string("model", model);
        }
        Form::GeminiOne => {
            let one = answer.vectors.first()?;
            object.nested("embedding", |item| {
                item.field("values", |out| vector(out, one, Encoding::Float));
            });
        }
        Form::GeminiBatch => {
            object.list_of("embeddings", &answer.vectors, |out, one| {
                let mut item = Writer::object(out);
                item.field("values", |out| vector(out, one, Encoding::Float));
                item.end();
            });
        }
    }
    if let Some(usage) = &answer.usage {
        write_usage(form, usage.input(), &mut object);
    }
    object.end();
    is_sound.then_some(out)
}

/// Adds the field that tells how many tokens were read.
pub(super) fn write_usage(form: Form, tokens: u64, object: &mut Writer<'_>) {
    match form {
        Form::Openai => object.nested("usage", |usage| {
            usage.number("prompt_tokens", tokens).number("total_tokens", tokens);
        }),
        Form::GeminiOne | Form::GeminiBatch => object.nested("usageMetadata", |usage| {
            usage.number("promptTokenCount", tokens);
        }),
    };
}

/// About as many bytes as it takes, its frame included.
fn length(vector: &Vector<'_>) -> usize {
    64 + match vector {
        Vector::Floats(text) => text.len(),
        Vector::Base64(text) => text.len() * 2,
    }
}

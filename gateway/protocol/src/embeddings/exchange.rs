//! One call for vectors between a client and a provider, and what its answer is.

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::answer::{gemini_usage, openai_usage, write_usage};
use super::{Answer, Encoding, Form, decode_answer, encode_answer};
use crate::exchange::Judged;
use crate::fault::{self, Reading};
use crate::json::Writer;
use crate::loss::Losses;
use crate::usage::Usage;

/// Who speaks how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// How the client asks.
    pub client: Form,
    /// How the provider is asked.
    pub provider: Form,
    /// The model as the client named it.
    pub model: String,
    /// How the client wants its vectors.
    pub encoding: Encoding,
    /// How many vectors there must be. Not known, and not asked, where bodies are relayed.
    pub inputs: usize,
}

impl Exchange {
    /// Whether both sides write alike.
    #[must_use]
    pub fn is_relay(&self) -> bool {
        self.client == self.provider
    }

    /// Judges the bodies of the `200` answers to the calls that one request took, in their order, and puts them
    /// together in the client's form. A relay has one, which stays as it is.
    #[must_use]
    pub fn judge(&self, answers: Vec<Bytes>) -> Judged {
        let mut usage = None;
        for body in &answers {
            match check(self.provider, body) {
                Checked::Sound(told) => usage = told,
                Checked::Refusal(reading) => return Judged::Refusal(reading),
                Checked::Garbage => return Judged::Garbage,
            }
        }
        if !self.is_relay() {
            return self.translated(&answers).unwrap_or(Judged::Garbage);
        }
        match answers.into_iter().next() {
            Some(body) => Judged::Answer { body, usage, losses: Losses::default() },
            None => Judged::Garbage,
        }
    }

    fn translated(&self, answers: &[Bytes]) -> Option<Judged> {
        let mut whole = Answer::default();
        for body in answers {
            whole.append(decode_answer(self.provider, std::str::from_utf8(body).ok()?)?);
        }
        if whole.vectors.len() != self.inputs {
            return None;
        }
        let body = encode_answer(self.client, &whole, &self.model, self.encoding)?;
        Some(Judged::Answer { body: body.into(), usage: whole.usage, losses: whole.losses })
    }
}

/// `body`, an answer in `form` that tells no usage, with this one.
#[must_use]
pub fn tell_usage(form: Form, body: Bytes, tokens: u64) -> Bytes {
    let mut told = String::new();
    let mut object = Writer::object(&mut told);
    write_usage(form, tokens, &mut object);
    object.end();
    let (Some(head), Some(field)) = (body.strip_suffix(b"}"), told.strip_prefix('{')) else { return body };
    let (length, comma) = (head.len(), if head.ends_with(b"{") { "" } else { "," });
    // It was made here and nobody else has it, so that this is no copy.
    let mut body = body.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&*shared));
    body.truncate(length);
    body.extend_from_slice(comma.as_bytes());
    body.extend_from_slice(field.as_bytes());
    body.freeze()
}

enum Checked {
    Sound(Option<Usage>),
    /// An `error` and no vectors: some providers say 200 and mean it not.
    Refusal(Reading),
    Garbage,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    embedding: Option<&'a RawValue>,
    #[serde(borrow)]
    embeddings: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, rename = "usageMetadata")]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Looks at an answer without taking it apart.
fn check(form: Form, body: &[u8]) -> Checked {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Checked::Garbage;
    }
    let wire = match serde_json::from_slice::<Wire<'_>>(body) {
        Ok(wire) => wire,
        // A field twice is odd but not ours to judge.
        Err(error) if error.is_data() && serde_json::from_slice::<IgnoredAny>(body).is_ok() => {
            return Checked::Sound(None);
        }
        Err(_) => return Checked::Garbage,
    };
    let (said, usage) = match form {
        Form::Openai => (wire.data, wire.usage.and_then(openai_usage)),
        Form::GeminiOne | Form::GeminiBatch => {
            (wire.embedding.or(wire.embeddings), wire.usage_metadata.and_then(gemini_usage))
        }
    };
    match wire.error {
        Some(_) if said.is_none() => Checked::Refusal(fault::read_stream_error(body)),
        _ => Checked::Sound(usage),
    }
}

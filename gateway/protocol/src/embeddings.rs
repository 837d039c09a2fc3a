//! Texts that become vectors: a small hub of its own, since nothing of a conversation is in it. `openai.rs` and
//! `gemini.rs` read and write requests, `answer.rs` answers and `vector.rs` the numbers in them; `exchange.rs` is
//! one call, `names.rs` finds where a body names its model.
//!
//! Sources: platform.openai.com/docs/api-reference/embeddings, ai.google.dev/api/embeddings, read 2026-11-25.

mod answer;
mod exchange;
mod gemini;
mod names;
mod openai;
mod vector;

pub use answer::{Answer, decode_answer, encode_answer};
pub use exchange::{Exchange, tell_usage};
pub use names::{name_places, with_model};
pub use vector::Vector;

use std::borrow::Cow;

use catalogue::EmbeddingDialect;

use crate::count::Countable;
use crate::dialects::DecodeError;
use crate::json::RawJson;
use crate::loss::{Losses, Weight};

/// More inputs than this are not translated in one call. It is OpenAI's own limit.
///
/// Source: platform.openai.com/docs/api-reference/embeddings/create (`input`), read 2026-11-25.
pub const MOST_INPUTS: usize = 2048;

/// Of how many texts Google makes vectors in one call; it answers 400 to more.
///
/// Source: github.com/vercel/ai/pull/16575, github.com/weaviate/weaviate/pull/11277, read 2026-11-25.
const GEMINI_INPUTS: usize = 100;

/// How a request and its answer are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OpenAI's.
    Openai,
    /// Google's `embedContent`: one content, one vector.
    GeminiOne,
    /// Google's `batchEmbedContents`.
    GeminiBatch,
}

impl Form {
    /// The language that it is of.
    #[must_use]
    pub fn dialect(self) -> EmbeddingDialect {
        match self {
            Self::Openai => EmbeddingDialect::OpenaiEmbeddings,
            Self::GeminiOne | Self::GeminiBatch => EmbeddingDialect::GeminiEmbeddings,
        }
    }

    /// The form of `dialect` that carries any request.
    #[must_use]
    pub fn of(dialect: EmbeddingDialect) -> Self {
        match dialect {
            EmbeddingDialect::OpenaiEmbeddings => Self::Openai,
            EmbeddingDialect::GeminiEmbeddings => Self::GeminiBatch,
        }
    }
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How it was written.
    pub form: Form,
    /// Google's without `models/`. Empty where the body names none.
    pub model: String,
    /// Never none, at most [`MOST_INPUTS`]. Each becomes one vector.
    pub inputs: Vec<Input>,
    /// How the client wants its vectors. Absent where it does not say: then as numbers.
    pub encoding: Option<Encoding>,
    /// Who asks, for the provider's own watch.
    pub user: Option<String>,
    /// What nobody models.
    pub rest: Rest,
}

/// What becomes one vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it is made of.
    pub content: Content,
    /// How many numbers it shall have.
    pub dimensions: Option<u64>,
    /// What it is for, in Google's words: `RETRIEVAL_QUERY`.
    pub task: Option<String>,
    /// The title of the document that it is of.
    pub title: Option<String>,
    /// What nobody models.
    pub rest: Rest,
}

/// What a vector is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// One text, or several that come to one vector. JSON strings, never none.
    Texts(Vec<RawJson>),
    /// Numbers of a model's own vocabulary: a JSON list.
    Tokens(RawJson),
    /// Anything else, such as an image.
    Foreign(RawJson),
}

/// How a vector is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// A list of numbers.
    #[default]
    Float,
    /// Four bytes a number, little-endian, in base64. OpenAI's own SDKs ask for this.
    Base64,
}

/// Fields that nobody models, as they stood, and ways of writing. Written again only in the form they came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Those of an object inside have a dotted name: `content.role`.
    pub fields: Vec<(String, RawJson)>,
    notes: Vec<&'static str>,
}

/// Bodies for the other side, one for each call that is needed, and what did not fit in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// JSON texts, never none; their inputs together are those of the request, in order.
    pub bodies: Vec<String>,
    /// What they lack.
    pub losses: Losses,
}

/// Reads a request.
///
/// # Errors
/// [`DecodeError`], for what the vectors hang on: the inputs.
pub fn decode_request(form: Form, body: &str) -> Result<Request, DecodeError> {
    match form {
        Form::Openai => openai::decode(body),
        Form::GeminiOne | Form::GeminiBatch => gemini::decode(form, body),
    }
}

/// Writes a request in `dialect`; in the form it came in, if that is of this dialect.
#[must_use]
pub fn encode_request(dialect: EmbeddingDialect, request: &Request) -> Encoded {
    match dialect {
        EmbeddingDialect::OpenaiEmbeddings => openai::encode(request),
        EmbeddingDialect::GeminiEmbeddings => gemini::encode(request),
    }
}

impl Countable for Request {
    fn tokens(&self, text: &mut dyn FnMut(&str) -> u64) -> u64 {
        self.inputs.iter().map(|input| input.content.tokens(text)).fold(0, u64::saturating_add)
    }
}

impl Content {
    fn tokens(&self, text: &mut dyn FnMut(&str) -> u64) -> u64 {
        match self {
            Self::Texts(texts) => texts.iter().map(|raw| text(&unquoted(raw))).fold(0, u64::saturating_add),
            Self::Tokens(list) => serde_json::from_str::<Vec<&serde_json::value::RawValue>>(list.get())
                .map_or(0, |tokens| tokens.len() as u64),
            Self::Foreign(raw) => text(raw.get()),
        }
    }
}

/// The text that a JSON string has. One with a lone surrogate has none.
fn unquoted(raw: &RawJson) -> Cow<'_, str> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

impl Rest {
    fn notes(&self, note: &str) -> bool {
        self.notes.contains(&note)
    }

    fn note(&mut self, note: &'static str) {
        self.notes.push(note);
    }

    /// What another form cannot say, each name once. `null` says nothing.
    fn lost(&self, place: &str, losses: &mut Losses) {
        for (name, _) in self.fields.iter().filter(|(_, raw)| raw.get() != "null") {
            let path = format!("{place}{name}");
            if losses.all().iter().any(|loss| loss.field == path) {
                continue;
            }
            match weight(name) {
                Weight::Meaning => losses.meaning(path, "other vectors would come of it"),
                Weight::Hint => losses.hint(path, "the provider's language has no such field"),
            }
        }
    }
}

/// Fields that nobody models and on which it hangs what kind of vectors come.
const MEANING: [&str; 8] = [
    "dimensions",
    "embedding_types",
    "encoding_format",
    "outputDimensionality",
    "output_dimension",
    "output_dimensionality",
    "output_dtype",
    "prompt",
];

fn weight(name: &str) -> Weight {
    let last = name.rsplit('.').next().unwrap_or(name);
    if MEANING.contains(&last) { Weight::Meaning } else { Weight::Hint }
}

#[cfg(test)]
mod tests;

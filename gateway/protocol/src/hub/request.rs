//! A chat request.

use std::sync::Arc;

use catalogue::Quirks;

use super::{Extras, Part, Tool, ToolChoice};
use crate::json::RawJson;

/// What a client asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// As the client wrote it; in dialects that name it in the path, empty.
    pub model: String,
    /// The conversation, system prompts included, in order.
    pub turns: Vec<Turn>,
    /// In order: prompt caches cover them too.
    pub tools: Vec<Tool>,
    /// `None` is the dialect's default, which is `Auto` in all.
    pub tool_choice: Option<ToolChoice>,
    /// Whether the model may ask for several tools at once. `None` is yes.
    pub parallel_tools: Option<bool>,
    /// The most tokens that may be written.
    pub max_output: Option<u64>,
    /// How to choose words.
    pub sampling: Sampling,
    /// What the answer must look like.
    pub format: Option<Format>,
    /// How much to think.
    pub reasoning: Option<Reasoning>,
    /// Whether the answer shall be a stream.
    pub stream: bool,
    /// Whether the client wants the stream to tell the usage; dialects that always do say yes.
    pub stream_usage: bool,
    /// Who asks, for the provider's abuse detection.
    pub user: Option<String>,
    /// Key and value pairs that the provider keeps.
    pub metadata: Option<RawJson>,
    /// `auto`, `default`, `flex`, `priority`, `standard_only` ...
    pub service_tier: Option<String>,
    /// Helps the provider to find its prompt cache.
    pub cache_key: Option<String>,
    /// How long the provider shall keep it: `in_memory`, `24h`.
    pub cache_retention: Option<String>,
    /// How much to say: `low`, `medium`, `high`.
    pub verbosity: Option<String>,
    /// Whether the provider shall keep the answer.
    pub store: Option<bool>,
    /// What the model that will read it takes otherwise than its language says. Like `model`, put in by the caller.
    pub quirks: Arc<Quirks>,
    /// What nobody models.
    pub extras: Extras,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// What nobody models, such as a speaker's name.
    pub extras: Extras,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The provider's client, above the developer.
    System,
    /// The application.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool. Dialects without it put results into user turns.
    Tool,
}

/// How to choose words. Numbers keep their spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampling {
    /// 0 to 2, or to 1.
    pub temperature: Option<RawJson>,
    /// 0 to 1.
    pub top_p: Option<RawJson>,
    /// A count.
    pub top_k: Option<RawJson>,
    /// For repeatable answers.
    pub seed: Option<RawJson>,
    /// -2 to 2.
    pub frequency_penalty: Option<RawJson>,
    /// -2 to 2.
    pub presence_penalty: Option<RawJson>,
    /// By token id, how much more or less likely: -100 to 100. Never parsed.
    pub logit_bias: Option<RawJson>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// How many answers. Changes meaning.
    pub n: Option<u64>,
    /// How many likely tokens to tell at each place; 0 is the chosen one only.
    pub logprobs: Option<u64>,
}

/// What the answer must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Plain text, said expressly.
    Text,
    /// Any JSON object.
    Json,
    /// JSON of this schema.
    Schema {
        /// A name for it, where the dialect wants one.
        name: Option<String>,
        /// For the model.
        description: Option<String>,
        /// Never parsed and never reordered.
        schema: RawJson,
        /// The provider must hold it.
        strict: Option<bool>,
        /// What nobody models.
        extras: Extras,
    },
}

/// How much to think.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// In steps.
    pub effort: Option<Effort>,
    /// In tokens. Some(0) is none at all.
    pub budget: Option<u64>,
    /// Whether to show thoughts or a summary of them: `auto`, `concise`, `detailed`.
    pub summary: Option<String>,
    /// What nobody models.
    pub extras: Extras,
}

/// Steps of thinking. Encoders of dialects with fewer take the nearest and tell a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as can be.
    Minimal,
    /// A little.
    Low,
    /// As usual.
    Medium,
    /// Much.
    High,
    /// More.
    XHigh,
    /// As much as can be.
    Max,
    /// A step that nobody models, as written.
    Other(String),
}

impl Effort {
    /// Its name, which is the same in all dialects that have it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
            Self::Other(name) => name,
        }
    }

    /// Reads a name. One that is not known is [`Effort::Other`].
    #[must_use]
    pub fn read(name: String) -> Self {
        match name.as_str() {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => Self::Other(name),
        }
    }
}

//! A whole answer.

use super::{Extras, Part};
use crate::json::RawJson;
use crate::usage::Usage;

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The provider's id of it.
    pub id: String,
    /// The model that answered, as the provider names it.
    pub model: String,
    /// Seconds since 1970, where the dialect has it.
    pub created: Option<u64>,
    /// One, unless the request asked for several.
    pub candidates: Vec<Candidate>,
    /// `None` if the provider did not tell.
    pub usage: Option<Usage>,
    /// What nobody models.
    pub extras: Extras,
}

/// One of the answers that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// Why it ended; `None` where the provider did not say.
    pub finish: Option<Finish>,
    /// The text that ended it.
    pub stop: Option<String>,
    /// How likely its tokens were, in order, if that was asked for. Of whole answers only.
    pub likely: Vec<Likely>,
    /// What nobody models.
    pub extras: Extras,
}

/// How likely a token was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likely {
    /// Its text.
    pub token: String,
    /// The logarithm of its probability.
    pub logprob: RawJson,
    /// Its bytes, where it is no whole character.
    pub bytes: Option<RawJson>,
    /// What else was likely in its place.
    pub others: Vec<Likely>,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It was complete.
    Stop,
    /// A text of the request's stop list came.
    StopSequence,
    /// The limit of tokens was reached.
    Length,
    /// The model waits for tools.
    ToolCalls,
    /// The provider's filter cut it, or the model refused.
    Filtered,
    /// The provider paused a long turn; send the answer back to go on.
    Paused,
    /// A reason that nobody models, as written.
    Other(String),
}

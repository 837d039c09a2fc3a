//! The tools that a request offers.

use catalogue::Dialect;

use super::{CacheHint, Extras};
use crate::json::RawJson;

/// One tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// What it is.
    pub body: ToolBody,
    /// The provider shall cache the tools up to and including this one.
    pub cache: Option<CacheHint>,
    /// What nobody models.
    pub extras: Extras,
}

/// What a tool is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolBody {
    /// The client runs it.
    Function {
        /// Unique in the request.
        name: String,
        /// For the model.
        description: Option<String>,
        /// JSON schema of the arguments, never parsed and never reordered. `None` is no arguments.
        parameters: Option<RawJson>,
        /// The provider must hold the schema.
        strict: Option<bool>,
    },
    /// The provider searches the web. Options that one dialect only has are extras.
    WebSearch(Search),
    /// Another tool that the provider runs.
    Foreign {
        /// Whose.
        dialect: Dialect,
        /// As it stood.
        json: RawJson,
    },
}

/// How to search the web.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// How much of the pages to read: `low`, `medium`, `high`.
    pub context: Option<String>,
    /// Where the person is, roughly.
    pub location: Option<Location>,
    /// Only pages of these domains.
    pub allowed: Option<Vec<String>>,
    /// No pages of these.
    pub blocked: Option<Vec<String>>,
    /// The most searches for one answer.
    pub max_uses: Option<u64>,
}

/// A place on earth, as far as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// `Utrecht`
    pub city: Option<String>,
    /// A province or state.
    pub region: Option<String>,
    /// Two letters: `NL`.
    pub country: Option<String>,
    /// `Europe/Amsterdam`
    pub timezone: Option<String>,
}

/// Which tools the model may or must use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// None at all.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(String),
    /// Of these as it likes, or at least one.
    Allowed {
        /// At least one.
        required: bool,
        /// Names of function tools.
        names: Vec<String>,
    },
    /// A form that nobody models.
    Foreign {
        /// Whose.
        dialect: Dialect,
        /// As it stood.
        json: RawJson,
    },
}

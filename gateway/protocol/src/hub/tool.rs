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
    /// The provider searches the web. Its options are extras.
    WebSearch,
    /// Another tool that the provider runs.
    Foreign {
        /// Whose.
        dialect: Dialect,
        /// As it stood.
        json: RawJson,
    },
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

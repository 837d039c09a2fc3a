//! What calls cost, as rendered. The gateway looks up the rest in its catalogue when it compiles a config.

use serde::{Deserialize, Serialize};

/// What calls of one deployment cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pricing {
    /// The catalogue's name of the model, where it is not the upstream's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_model: Option<String>,
    /// What was written.
    #[serde(default, skip_serializing_if = "Rates::is_empty")]
    pub rates: Rates,
    /// Whose rates hold where none was written.
    #[serde(default)]
    pub source: PriceSource,
    /// Whether the provider's answers say what they cost.
    #[serde(default)]
    pub bills: Bills,
}

impl Pricing {
    /// Whether all is the catalogue's: most deployments then need no word about it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Whose rates hold where none was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// The catalogue's.
    #[default]
    Catalogue,
    /// Nobody's.
    Inline,
}

/// Who says what a call costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bills {
    /// The rates do.
    #[default]
    Computed,
    /// The provider does in its answers; where one does not, the rates.
    Told,
}

/// US dollars × 10^-18 for one unit: a token, a search, a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "they are the meters of the catalogue, which says what each counts")]
pub struct Rates {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_hour: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
}

impl Rates {
    /// Whether none was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What becomes of a deployment whose price nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPrice {
    /// It is served, and its calls have no cost.
    #[default]
    Allow,
    /// It is not served.
    Reject,
}

//! What calls cost: prices of a deployment, and what becomes of models that have none.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What calls of this upstream cost, in US dollars. Default: what the catalogue says of the provider's model.
/// Prices are decimal texts such as "2.50", since a number would be rounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "!has(self.source) || self.source != 'Inline' || has(self.input) || has(self.output) || has(self.request)")
    .message("source Inline needs prices: write input and output, or request"))]
pub struct PricingSpec {
    /// How many tokens the prices of tokens are for. Default Million. `search` and `request` are for one.
    #[serde(default)]
    pub per: PricedTokens,
    /// Tokens that the provider had to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<PriceText>,
    /// Tokens that the client sees, and all output that has no price of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<PriceText>,
    /// Tokens that the provider had in its cache. Default: as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<PriceText>,
    /// Tokens that the provider wrote to its cache, to be kept for minutes. Default: as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<PriceText>,
    /// The same, to be kept for an hour. Default: as cacheWrite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_hour: Option<PriceText>,
    /// Tokens that were thought. Default: as output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<PriceText>,
    /// Tokens of sound that was sent. Default: as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<PriceText>,
    /// Tokens of sound that was made. Default: as output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<PriceText>,
    /// One search in the web by the provider. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<PriceText>,
    /// One call, whatever it uses. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<PriceText>,
    /// Whose prices hold where none is written here. Inline: nobody's, so these are all. Catalog: the catalogue's, its
    /// tiers and thresholds too. Default: Inline if a price is written, else Catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PriceSource>,
    /// The catalogue's name of the model, where the provider's own says nothing: a deployment on Azure, a tuned model.
    /// For example gpt-4o.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub base_model: Option<String>,
}

/// How many tokens a price is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PricedTokens {
    /// A million.
    #[default]
    Million,
    /// One.
    Token,
}

/// Whose prices hold where none is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PriceSource {
    /// Nobody's.
    Inline,
    /// The catalogue's.
    Catalog,
}

/// US dollars in decimal digits, for example 2.50.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PriceText(
    #[schemars(length(min = 1, max = 32), regex(pattern = r"^[0-9]+(\.[0-9]+)?$"))] pub String,
);

/// What becomes of models whose price nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayPricingSpec {
    /// Allow: they are served, and their calls have no cost. Reject: they are not served until their ModelDeployment
    /// has a pricing. Default Allow.
    #[serde(default)]
    pub unknown_model: UnknownModel,
    /// Prices of your own for all models of the gateway: a ConfigMap in its namespace that carries the label
    /// `fairlead.dev/price-catalog: "true"`. Its key `prices.yaml` has a pricing for each name of a model at its
    /// provider, or `provider/name`. They go before the catalogue's, and after those of a ModelDeployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_config_map_ref: Option<ConfigMapRef>,
}

/// A ConfigMap of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapRef {
    /// The ConfigMap's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What becomes of a model whose price nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UnknownModel {
    /// It is served.
    #[default]
    Allow,
    /// It is not.
    Reject,
}

//! Prices of a gateway's owner: a ConfigMap with a catalogue of their own, for all models of the gateway.

use std::collections::BTreeMap;

use config::{ObjectName, Rates};
use crds::{ModelGateway, PricingSpec};

use super::rates;
use crate::upstream::Fault;
use crate::{Manifests, Reason};

/// The key of the ConfigMap that holds the catalogue.
const KEY: &str = "prices.yaml";

/// By a model's name at its provider, or `provider/name`.
pub(crate) type Prices = BTreeMap<String, Rates>;

/// What the gateway's catalogue says.
pub(crate) fn prices(
    manifests: &Manifests,
    object: &ModelGateway,
    own: &ObjectName,
) -> Result<Prices, Fault> {
    let Some(reference) = &object.spec.pricing.catalog_config_map_ref else { return Ok(Prices::new()) };
    let name = ObjectName { namespace: own.namespace.clone(), name: reference.name.clone() };
    let found = manifests.price_catalogs.get(&name).ok_or_else(|| {
        let message = format!(
            "ConfigMap {name} does not exist, or does not carry the label {}: \"true\": create it with the key {KEY}",
            crds::PRICE_CATALOG_LABEL
        );
        (Reason::CatalogNotFound, message)
    })?;
    let invalid = |why: String| (Reason::InvalidCatalog, format!("ConfigMap {name}: {why}"));
    let text = found.get(KEY).ok_or_else(|| invalid(format!("it has no key {KEY}")))?;
    read(text).map_err(|why| invalid(format!("{KEY}: {why}")))
}

/// The rates of `model` at `provider`, if the catalogue has them.
pub(crate) fn find<'p>(prices: &'p Prices, provider: &str, model: &str) -> Option<&'p Rates> {
    prices.get(&format!("{provider}/{model}")).or_else(|| prices.get(model))
}

fn read(text: &str) -> Result<Prices, String> {
    let document: serde_json::Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let mut unknown = Vec::new();
    let entries: BTreeMap<String, PricingSpec> =
        serde_ignored::deserialize(document, |path| unknown.push(path.to_string()))
            .map_err(|error: serde_json::Error| error.to_string())?;
    if let Some(path) = unknown.first() {
        return Err(format!("{path} is not a price"));
    }
    let each = entries.into_iter().map(|(model, written)| {
        if written.source.is_some() || written.base_model.is_some() {
            return Err(format!(
                "{model}: source and baseModel belong into a ModelDeployment: leave them out"
            ));
        }
        let rates = rates(&written).map_err(|(_, message)| format!("{model}: {message}"))?;
        if rates.is_empty() {
            return Err(format!("{model} has no price: write input and output, or request"));
        }
        Ok((model, rates))
    });
    each.collect()
}

//! The prices of one ModelDeployment, read and checked. `pricing/own.rs` has those of its gateway's owner.

pub(crate) mod own;

use catalogue::price::{Rate, RateError};
use catalogue::{Catalogue, prices};
use config::{Bills, PriceSource, Pricing, Rates, UnknownPrice};
use crds::{ModelDeploymentSpec, PriceText, PricedTokens, PricingSpec, UnknownModel};

use crate::upstream::{Fault, invalid};

/// What the calls of `spec` cost.
pub(crate) fn pricing(
    catalogue: &Catalogue,
    (spec, upstream_model): (&ModelDeploymentSpec, &str),
    owners: &own::Prices,
) -> Result<Pricing, Fault> {
    let written = &spec.pricing;
    let rates = rates(written)?;
    let model = written.base_model.as_deref().unwrap_or(upstream_model);
    if rates.is_empty()
        && let Some(rates) = own::find(owners, &spec.provider.type_, model)
    {
        let base_model = written.base_model.clone();
        return Ok(Pricing {
            base_model,
            rates: *rates,
            source: PriceSource::Inline,
            bills: Bills::Computed,
        });
    }
    let source = match written.source {
        Some(crds::PriceSource::Catalog) => PriceSource::Catalogue,
        Some(crds::PriceSource::Inline) if rates.is_empty() => {
            return Err(invalid(
                "pricing has source Inline and no price: write input and output, or leave source out".into(),
            ));
        }
        Some(crds::PriceSource::Inline) => PriceSource::Inline,
        None if rates.is_empty() => PriceSource::Catalogue,
        None => PriceSource::Inline,
    };
    let provider = spec.provider.type_.as_str();
    if let Some(model) = &written.base_model {
        base_model(provider, model, source)?;
    }
    let tells_cost = catalogue.provider(provider).is_some_and(|row| row.tells_cost);
    // What people write, they mean.
    let bills = if tells_cost && rates.is_empty() { Bills::Told } else { Bills::Computed };
    Ok(Pricing { base_model: written.base_model.clone(), rates, source, bills })
}

/// What becomes of a deployment whose price nobody knows.
pub(crate) fn unknown_price(written: UnknownModel) -> UnknownPrice {
    match written {
        UnknownModel::Allow => UnknownPrice::Allow,
        UnknownModel::Reject => UnknownPrice::Reject,
    }
}

fn base_model(provider: &str, model: &str, source: PriceSource) -> Result<(), Fault> {
    if source == PriceSource::Inline {
        return Err(invalid(
            "pricing has prices of its own and a baseModel: set source to Catalog to have both, or leave one out".into(),
        ));
    }
    // Any line will do: who writes it knows whose model it is.
    let is_known =
        prices::find(provider, model).or_else(|| prices::listing(&model.to_ascii_lowercase())).is_some();
    if is_known {
        return Ok(());
    }
    Err(invalid(format!(
        "pricing.baseModel {model} is not in the catalogue: name a model that is, such as gpt-4o, or write prices"
    )))
}

fn rates(written: &PricingSpec) -> Result<Rates, Fault> {
    let token = |field, text: &Option<PriceText>| match written.per {
        PricedTokens::Million => rate(field, text, Rate::per_million),
        PricedTokens::Token => rate(field, text, Rate::per_unit),
    };
    Ok(Rates {
        input: token("input", &written.input)?,
        output: token("output", &written.output)?,
        cached_input: token("cachedInput", &written.cached_input)?,
        cache_write: token("cacheWrite", &written.cache_write)?,
        cache_write_hour: token("cacheWriteHour", &written.cache_write_hour)?,
        reasoning: token("reasoning", &written.reasoning)?,
        audio_input: token("audioInput", &written.audio_input)?,
        audio_output: token("audioOutput", &written.audio_output)?,
        search: rate("search", &written.search, Rate::per_unit)?,
        request: rate("request", &written.request, Rate::per_unit)?,
    })
}

fn rate(
    field: &str,
    text: &Option<PriceText>,
    read: fn(&str) -> Result<Rate, RateError>,
) -> Result<Option<u64>, Fault> {
    let Some(PriceText(text)) = text else { return Ok(None) };
    let rate = read(text).map_err(|error| invalid(format!("pricing.{field} {text:?} {error}")))?;
    Ok(Some(rate.atto_dollars()))
}

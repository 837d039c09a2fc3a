//! What a deployment's calls cost: what was written for it, and what the catalogue knows. It is found once for each
//! snapshot, since nothing of it depends on a request.

use catalogue::price::{Entry, Meter, Price, Rate, Tier};
use catalogue::prices::{self, Listing};
use config::{PriceSource, Pricing, Rates};

use super::Abilities;
use crate::cost::{Bills, Tariff};

/// The tariff of `model` at `provider`.
pub(super) fn tariff(provider: &str, model: &str, pricing: &Pricing) -> Tariff {
    let bills = match pricing.bills {
        config::Bills::Computed => Bills::Computed,
        config::Bills::Told => Bills::Told,
    };
    let written = entries(&pricing.rates);
    if provider == catalogue::MOCK {
        // It calls nobody, so what nobody has written is free.
        return Tariff::new(Some(Price::new(written)), bills);
    }
    let listed = match pricing.source {
        PriceSource::Catalogue => listed(provider, model, pricing.base_model.as_deref()),
        PriceSource::Inline => None,
    };
    let mut all =
        listed.and_then(|listing| listing.price).map(|price| price.entries().to_vec()).unwrap_or_default();
    // A rate that is written stands for all tiers and lengths.
    all.retain(|entry| written.iter().all(|own| own.meter != entry.meter));
    all.extend(written);
    let known = self::listed(provider, model, pricing.base_model.as_deref());
    Tariff::new(Some(Price::new(all)).filter(|price| !price.is_empty()), bills)
        .with_most_output(known.and_then(|listing| listing.most_output))
}

/// What `model` at `provider` takes.
pub(super) fn abilities(provider: &str, model: &str, pricing: &Pricing) -> Abilities {
    Abilities::of(listed(provider, model, pricing.base_model.as_deref()).as_ref())
}

fn listed(provider: &str, model: &str, base: Option<&str>) -> Option<Listing> {
    let Some(base) = base else { return prices::find(provider, model) };
    prices::find(provider, base).or_else(|| prices::listing(&base.to_ascii_lowercase()))
}

fn entries(rates: &Rates) -> Vec<Entry> {
    let Rates {
        input,
        output,
        cached_input,
        cache_write,
        cache_write_hour,
        reasoning,
        audio_input,
        audio_output,
        search,
        request,
    } = *rates;
    let written = [
        (Meter::Input, input),
        (Meter::Output, output),
        (Meter::CachedInput, cached_input),
        (Meter::CacheWrite, cache_write),
        (Meter::CacheWriteHour, cache_write_hour),
        (Meter::Reasoning, reasoning),
        (Meter::AudioInput, audio_input),
        (Meter::AudioOutput, audio_output),
        (Meter::Search, search),
        // One price for both ways of counting searches would bill twice.
        (Meter::Grounding, search.map(|_| 0)),
        (Meter::Request, request),
    ];
    let entry = |(meter, atto): (Meter, Option<u64>)| {
        Some(Entry { meter, tier: Tier::Standard, above: 0, rate: Rate::from_atto_dollars(atto?) })
    };
    written.into_iter().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use protocol::usage::Usage;

    use super::*;

    const MILLION: u64 = 1_000_000;

    /// Two dollars for a million tokens of input.
    fn written(source: PriceSource) -> Pricing {
        let rates = Rates { input: Some(2_000_000_000_000), ..Rates::default() };
        Pricing { rates, source, ..Pricing::default() }
    }

    fn cost(provider: &str, model: &str, pricing: &Pricing) -> Option<String> {
        let usage = Usage { fresh_input: MILLION, output: MILLION, ..Usage::default() };
        tariff(provider, model, pricing).cost(&usage).map(|cost| cost.to_string())
    }

    #[test]
    fn what_nobody_has_written_is_the_catalogues() {
        assert_eq!(cost("openai", "gpt-4o", &Pricing::default()).as_deref(), Some("12.5"));
        assert_eq!(cost("openai", "gpt-4o", &written(PriceSource::Catalogue)).as_deref(), Some("12"));
        assert_eq!(cost("openai", "gpt-4o", &written(PriceSource::Inline)).as_deref(), Some("2"));
    }

    #[test]
    fn a_written_rate_stands_for_all_tiers_and_lengths() {
        let tariff = tariff("openai", "gpt-4o", &written(PriceSource::Catalogue));
        let usage = Usage { fresh_input: MILLION, tier: Tier::Priority, ..Usage::default() };
        assert_eq!(tariff.cost(&usage).map(|cost| cost.to_string()).as_deref(), Some("2"));
    }

    #[test]
    fn a_base_model_is_whose_price_holds() {
        let based = |model: &str| Pricing { base_model: Some(model.into()), ..Pricing::default() };
        assert_eq!(cost("azure", "my-deployment", &Pricing::default()), None);
        assert_eq!(cost("azure", "my-deployment", &based("gpt-4o")).as_deref(), Some("12.5"));
        assert_eq!(cost("hosted_vllm", "x", &based("groq/openai/gpt-oss-120b")).as_deref(), Some("0.75"));
    }

    #[test]
    fn the_mock_is_free_unless_somebody_writes_a_price() {
        assert_eq!(cost("mock", "any", &Pricing::default()).as_deref(), Some("0"));
        assert_eq!(cost("mock", "any", &written(PriceSource::Inline)).as_deref(), Some("2"));
    }
}

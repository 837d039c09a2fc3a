//! Prices are read exactly, and a wrong one says what would be right.

use config::{Bills, PriceSource, Pricing};
use render::{Effect, Reason};

use crate::support::{GATEWAY, reasons, render, served, world};

/// A deployment of `provider` with this pricing.
fn rendered(provider: &str, pricing: &str) -> render::Rendered {
    let yaml = format!(
        "{GATEWAY}---
kind: Secret
metadata: {{name: keys, namespace: ai}}
stringData: {{apiKey: sk-any}}
---
kind: ProviderSecret
metadata: {{name: any, namespace: ai}}
spec: {{kubernetes: {{secretRef: {{name: keys}}}}}}
---
kind: ModelDeployment
metadata: {{name: priced, namespace: ai}}
spec:
  provider: {{type: {provider}}}
  credentialsRef: {{name: any}}
  pricing: {pricing}
"
    );
    render(&world(&yaml))
}

fn pricing(provider: &str, pricing: &str) -> Pricing {
    let rendered = rendered(provider, pricing);
    assert_eq!(rendered.findings, []);
    served(&rendered, "ai/priced").expect("served").pricing.clone()
}

fn refusal(pricing: &str) -> String {
    let rendered = rendered("openai", pricing);
    assert_eq!(reasons(&rendered, "ai/priced"), [(Reason::InvalidSpec, Effect::NotServed)]);
    rendered.findings[0].message.clone()
}

#[test]
fn prices_are_rendered_without_rounding() {
    let rates =
        pricing("openai", "{input: '2.50', cachedInput: '0.0375', output: '0', request: '0.005'}").rates;
    assert_eq!(rates.input, Some(2_500_000_000_000));
    assert_eq!(rates.cached_input, Some(37_500_000_000));
    assert_eq!(rates.output, Some(0), "free is a price");
    assert_eq!(rates.request, Some(5_000_000_000_000_000));
    let each = pricing("openai", "{per: Token, input: '0.0000025', output: '0', request: '0.005'}").rates;
    assert_eq!((each.input, each.request), (rates.input, rates.request));
}

#[test]
fn what_is_written_stands_alone_unless_its_source_is_the_catalogue() {
    assert_eq!(pricing("openai", "{}"), Pricing::default());
    assert_eq!(pricing("openai", "{input: '1'}").source, PriceSource::Inline);
    assert_eq!(pricing("openai", "{input: '1', source: Catalog}").source, PriceSource::Catalogue);
    assert_eq!(pricing("openai", "{baseModel: gpt-4o}").base_model.as_deref(), Some("gpt-4o"));
}

#[test]
fn a_provider_that_tells_its_bill_is_believed_unless_a_price_is_written() {
    assert_eq!(pricing("openrouter", "{}").bills, Bills::Told);
    assert_eq!(pricing("openrouter", "{input: '1'}").bills, Bills::Computed);
    assert_eq!(pricing("openai", "{}").bills, Bills::Computed);
}

#[test]
fn a_wrong_price_names_the_field_and_the_way_out() {
    for (pricing, signs) in [
        ("{input: '1e-6'}", ["pricing.input", "write it as 2.50"]),
        ("{output: '-1'}", ["pricing.output", "write it as 2.50"]),
        ("{input: '0.0000000000001'}", ["pricing.input", "more than 12 decimals"]),
        ("{request: '100'}", ["pricing.request", "more than 18 dollars"]),
        ("{per: Token, cachedInput: '2.50e'}", ["pricing.cachedInput", "write it as 2.50"]),
        ("{source: Inline}", ["no price", "leave source out"]),
        ("{source: Inline, input: '1', baseModel: gpt-4o}", ["baseModel", "source to Catalog"]),
        ("{baseModel: gpt-4oh}", ["gpt-4oh", "not in the catalogue"]),
    ] {
        let message = refusal(pricing);
        assert!(signs.iter().all(|sign| message.contains(sign)), "{pricing}: {message}");
    }
}

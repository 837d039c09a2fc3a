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

/// A deployment of `model` at openai before a gateway whose owner has these prices.
fn owned(catalog: &str, model: &str, pricing: &str) -> render::Rendered {
    let yaml = format!(
        "
kind: ModelGateway
metadata: {{name: main, namespace: ai}}
spec: {{pricing: {{catalogConfigMapRef: {{name: prices}}}}}}
---
{catalog}
---
kind: ModelDeployment
metadata: {{name: priced, namespace: ai}}
spec: {{provider: {{type: openai, model: {model}}}, credentialsRef: {{name: any}}, pricing: {pricing}}}
---
kind: Secret
metadata: {{name: keys, namespace: ai}}
stringData: {{apiKey: sk-any}}
---
kind: ProviderSecret
metadata: {{name: any, namespace: ai}}
spec: {{kubernetes: {{secretRef: {{name: keys}}}}}}
"
    );
    render(&world(&yaml))
}

fn catalog(text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("    {line}\n")).collect();
    format!("kind: ConfigMap\nmetadata: {{name: prices, namespace: ai}}\ndata:\n  prices.yaml: |\n{lines}")
}

#[test]
fn the_owners_prices_go_after_a_deployments_and_before_the_catalogues() {
    let prices = catalog(
        "gpt-4o: {input: '1', output: '2'}\nopenai/gpt-5: {per: Token, input: '3'}\nazure/gpt-4.1: {input: '9'}",
    );
    let of = |model: &str, pricing: &str| {
        let rendered = owned(&prices, model, pricing);
        assert_eq!(rendered.findings, []);
        served(&rendered, "ai/priced").expect("served").pricing.clone()
    };
    let millionths = |dollars: u64| Some(dollars * 1_000_000_000_000);
    let own = of("gpt-4o", "{}");
    assert_eq!(
        (own.rates.input, own.rates.output, own.source),
        (millionths(1), millionths(2), PriceSource::Inline)
    );
    assert_eq!(of("gpt-5", "{}").rates.input, Some(3_000_000_000_000_000_000));
    assert_eq!(of("gpt-4.1", "{}"), Pricing::default(), "another provider's is another model");
    assert_eq!(of("gpt-4o", "{input: '7'}").rates.input, millionths(7));
    assert_eq!(of("my-tuned", "{baseModel: gpt-4o}").rates.input, millionths(1));
}

#[test]
fn a_catalogue_that_cannot_be_read_is_told_and_the_built_in_one_holds() {
    for (text, said) in [
        (String::new(), "does not carry the label fairlead.dev/price-catalog"),
        (catalog("gpt-4o: {inptu: '1'}"), "inptu"),
        (catalog("gpt-4o: {input: '1e3'}"), "gpt-4o"),
        (catalog("gpt-4o: {}"), "has no price"),
        (catalog("gpt-4o: {input: '1', baseModel: x}"), "belong into a ModelDeployment"),
        (catalog("- a"), "prices.yaml"),
        (catalog("gpt-4o: {input: '1'}").replace("prices.yaml", "other.yaml"), "no key prices.yaml"),
    ] {
        let text = if text.is_empty() { "kind: Namespace\nmetadata: {name: x}".to_owned() } else { text };
        let rendered = owned(&text, "gpt-4o", "{}");
        let [finding] = rendered.findings.as_slice() else { panic!("{said}: {:?}", rendered.findings) };
        assert_eq!(finding.effect, Effect::Partly);
        assert!(finding.message.contains(said), "{said}: {}", finding.message);
        assert_eq!(served(&rendered, "ai/priced").expect("served").pricing, Pricing::default());
    }
}

//! Sums by hand, and the same sums by `tests/prices/oracle.py` for every model and every recorded answer.

mod oracle;

use catalogue::price::{Entry, Rate};
use catalogue::prices;

use super::*;

fn price(rates: &[(Meter, &str)]) -> Price {
    let entry = |(meter, dollars): &(Meter, &str)| {
        let rate = Rate::per_million(dollars).unwrap();
        Entry { meter: *meter, tier: Tier::Standard, above: 0, rate }
    };
    Price::new(rates.iter().map(entry).collect())
}

fn of(provider: &str, model: &str, usage: Usage) -> String {
    cost(&prices::find(provider, model).unwrap().price.unwrap(), &usage).to_string()
}

#[test]
fn a_call_costs_the_sum_of_its_buckets() {
    // 1,000 × 2.50 + 400 × 1.25 + 100 × 10 dollars for a million.
    let usage = Usage { fresh_input: 1000, cached_input: 400, output: 100, ..Usage::default() };
    assert_eq!(of("openai", "gpt-4o", usage), "0.004");
    // 10 × 3 + 20 × 3.75 + 30 × 6 + 40 × 0.30 + 50 × 15, and two searches for a cent each.
    let usage = Usage {
        fresh_input: 10,
        cache_write: 20,
        cache_write_hour: 30,
        cached_input: 40,
        output: 30,
        reasoning: 20,
        searches: 2,
        ..Usage::default()
    };
    assert_eq!(of("anthropic", "claude-sonnet-4-5", usage), "0.021047");
}

#[test]
fn the_tier_and_the_length_of_the_prompt_choose_the_rates() {
    let short = Usage { fresh_input: 200_000, output: 1000, ..Usage::default() };
    assert_eq!(of("gemini", "gemini-2.5-pro", short), "0.26");
    // A token more, though it was cached, and all cost more.
    let long = Usage { cached_input: 1, ..short };
    assert_eq!(of("gemini", "gemini-2.5-pro", long), "0.51500025");
    assert_eq!(of("openai", "gpt-4o", Usage { tier: Tier::Priority, ..short }), "0.867");
}

#[test]
fn a_sum_is_rounded_once_and_half_to_even() {
    let price = price(&[(Meter::Input, "0.0005"), (Meter::Output, "0.0002")]);
    let nano = |fresh_input, output| cost(&price, &Usage { fresh_input, output, ..Usage::default() }).nano();
    assert_eq!((nano(1, 0), nano(3, 0), nano(5, 0)), (0, 2, 2), "half a nano-dollar each");
    assert_eq!(nano(1, 1), 1, "0.7 together, though each alone is less than one");
}

#[test]
fn what_is_beyond_all_measure_is_the_most_there_is() {
    let price = price(&[(Meter::Input, "18000000"), (Meter::Output, "18000000")]);
    let usage = Usage { fresh_input: u64::MAX, output: u64::MAX, ..Usage::default() };
    assert_eq!(cost(&price, &usage).nano(), i64::MAX);
}

#[test]
fn a_request_may_have_a_price_of_its_own() {
    let usage = Usage { output: 100, ..Usage::default() };
    assert_eq!(of("perplexity", "sonar-small-online", usage), "0.005028");
}

#[test]
fn a_grounded_answer_costs_once_or_for_each_search() {
    let usage = Usage { searches: 3, ..Usage::default() };
    assert_eq!(of("gemini", "gemini-2.5-flash", usage), "0.035");
    assert_eq!(of("gemini", "gemini-3-flash-preview", usage), "0.042");
}

#[test]
fn the_providers_bill_counts_where_it_is_the_one_who_tells() {
    let usage = Usage { fresh_input: 1_000_000, billed_nano_dollars: Some(7), ..Usage::default() };
    let price = Some(price(&[(Meter::Input, "2")]));
    let cost = |price: &Option<Price>, bills, usage| {
        Tariff::new(price.clone(), bills).cost(&usage).map(NanoUsd::nano)
    };
    assert_eq!(cost(&price, Bills::Told, usage), Some(7));
    assert_eq!(cost(&price, Bills::Computed, usage), Some(2_000_000_000));
    let silent = Usage { billed_nano_dollars: None, ..usage };
    assert_eq!(cost(&price, Bills::Told, silent), Some(2_000_000_000));
    assert_eq!(cost(&None, Bills::Told, silent), None);
    assert_eq!(cost(&None, Bills::Computed, usage), None);
}

#[test]
fn dollars_are_written_in_plain_digits() {
    let written = |nano| NanoUsd(nano).to_string();
    assert_eq!(written(0), "0");
    assert_eq!(written(12_500), "0.0000125");
    assert_eq!(written(3_000_000_001), "3.000000001");
    assert_eq!(written(2_000_000_000), "2");
    assert_eq!(written(-1), "-0.000000001");
}

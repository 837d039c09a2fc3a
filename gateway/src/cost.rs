//! What a call costs: pure functions of a price and what was used. Prices are found when a snapshot is compiled,
//! never for a request. Money is whole nano-dollars; rates are finer (`catalogue::price`), so the sum is rounded
//! once for each call, half to even.

#[cfg(test)]
mod tests;

use catalogue::price::{Meter, Price, Tier};
use protocol::usage::Usage;

/// US dollars × 10^-9.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NanoUsd(i64);

/// What the calls of one deployment are billed by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tariff {
    /// Absent where nobody knows.
    price: Option<Price>,
    bills: Bills,
    most_output: Option<u64>,
}

/// Who says what a call costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bills {
    /// The price does.
    #[default]
    Computed,
    /// The provider does in its answers; where one does not, the price.
    Told,
}

impl Tariff {
    pub(crate) fn new(price: Option<Price>, bills: Bills) -> Self {
        Self { price, bills, most_output: None }
    }

    /// The same for a model whose longest answer has so many tokens, if somebody knows.
    pub(crate) fn with_most_output(self, most_output: Option<u64>) -> Self {
        Self { most_output, ..self }
    }

    /// The longest answer, in tokens.
    pub(crate) fn most_output(&self) -> Option<u64> {
        self.most_output
    }

    /// Whether the cost of a call will be known.
    pub(crate) fn is_known(&self) -> bool {
        self.price.is_some() || self.bills == Bills::Told
    }

    /// What `usage` costs; `None` where nobody knows.
    pub(crate) fn cost(&self, usage: &Usage) -> Option<NanoUsd> {
        let told = usage.billed_nano_dollars.filter(|_| self.bills == Bills::Told).map(NanoUsd::saturating);
        told.or_else(|| self.price.as_ref().map(|price| cost(price, usage)))
    }
}

impl NanoUsd {
    /// As a whole number.
    pub(crate) fn nano(self) -> i64 {
        self.0
    }

    /// So many, or the most there are.
    pub(crate) fn saturating(nano: u64) -> Self {
        Self(i64::try_from(nano).unwrap_or(i64::MAX))
    }
}

/// Dollars in plain digits: `0.0000125`.
impl std::fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (nano, sign) = (self.0.unsigned_abs(), if self.0 < 0 { "-" } else { "" });
        let (whole, rest) = (nano / 1_000_000_000, nano % 1_000_000_000);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        write!(f, "{sign}{whole}.{}", format!("{rest:09}").trim_end_matches('0'))
    }
}

/// What one call costs. How long its prompt is decides over all its rates; cached tokens count as prompt too.
pub(crate) fn cost(price: &Price, usage: &Usage) -> NanoUsd {
    let used = [
        (Meter::Request, 1),
        (Meter::Input, usage.fresh_input),
        (Meter::CachedInput, usage.cached_input),
        (Meter::CacheWrite, usage.cache_write),
        (Meter::CacheWriteHour, usage.cache_write_hour),
        (Meter::AudioInput, usage.audio_input),
        (Meter::CachedAudio, usage.cached_audio),
        (Meter::ImageInput, usage.image_input),
        (Meter::Output, usage.output),
        (Meter::Reasoning, usage.reasoning),
        (Meter::AudioOutput, usage.audio_output),
        (Meter::ImageOutput, usage.image_output),
        (Meter::Search, usage.searches),
        (Meter::Grounding, usage.searches.min(1)),
    ];
    sum(price, &used, usage.tier, usage.input())
}

/// What so many units of each meter cost after a prompt of `prompt` tokens.
fn sum(price: &Price, used: &[(Meter, u64)], tier: Tier, prompt: u64) -> NanoUsd {
    let atto = used.iter().filter(|(_, units)| *units > 0).fold(0_u128, |sum, (meter, units)| {
        let rate = price.rate(*meter, tier, prompt).atto_dollars();
        sum.saturating_add(u128::from(rate) * u128::from(*units))
    });
    NanoUsd::saturating(u64::try_from(half_even(atto, 1_000_000_000)).unwrap_or(u64::MAX))
}

fn half_even(number: u128, by: u128) -> u128 {
    let (whole, rest) = (number / by, number % by);
    let is_more = rest > by - rest || (rest == by - rest && whole % 2 == 1);
    whole + u128::from(is_more)
}

//! About what a request will use, before anybody knows: what it reserves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use config::ReservationEstimate;
use limits::Unit;
use protocol::usage::Usage;

use crate::pipeline::{Ask, Task};
use crate::snapshot::Model;

/// Few texts of any script have fewer bytes in a token.
const BYTES_PER_TOKEN: u64 = 3;

/// The most that a model answers of which nobody knows that.
const MOST_OUTPUT: u64 = 4096;

/// How much the newest call counts in an average.
const WEIGHT: f64 = 0.05;

/// What a request may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forecast {
    pub(crate) input: u64,
    pub(crate) output: u64,
    pub(crate) nano_usd: u64,
}

impl Forecast {
    /// About how many tokens the input of `ask` has at most. Long ones are read for it, once.
    pub(crate) fn input_of(ask: &Ask) -> u64 {
        input(ask)
    }

    /// The most that `ask` can come to at any deployment of `model`.
    pub(crate) fn most(ask: &Ask, model: &Model) -> Self {
        let (input, said) = (input(ask), &ask.said);
        let known = model.deployments.iter().filter_map(|deployment| deployment.tariff.most_output()).max();
        let output = match ask.task {
            Task::Answer => said.most_output.or(known).unwrap_or(MOST_OUTPUT).saturating_mul(said.answers),
            Task::Count | Task::Embed(_) => 0,
        };
        let usage = Usage { fresh_input: input, output, ..Usage::default() };
        let costs = model.deployments.iter().filter_map(|deployment| deployment.tariff.cost(&usage));
        let nano_usd =
            costs.map(|cost| u64::try_from(cost.nano()).unwrap_or_default()).max().unwrap_or_default();
        Self { input, output, nano_usd }
    }

    /// Of that unit.
    pub(crate) fn of(&self, unit: Unit) -> u64 {
        match unit {
            Unit::NanoUsd => self.nano_usd,
            Unit::Tokens => self.input.saturating_add(self.output),
            Unit::InputTokens => self.input,
            Unit::OutputTokens => self.output,
            Unit::Requests | Unit::Concurrency => 1,
        }
    }

    /// What a limit reserves that estimates in this way.
    pub(crate) fn reserve(&self, unit: Unit, way: ReservationEstimate, usual: Option<Self>) -> u64 {
        match (unit, way) {
            (Unit::Requests | Unit::Concurrency, _) => 1,
            (_, ReservationEstimate::MaxTokens) => self.of(unit),
            (_, ReservationEstimate::Average) => usual.unwrap_or(*self).of(unit),
            (_, ReservationEstimate::None) => 0,
        }
    }
}

fn input(ask: &Ask) -> u64 {
    let by_bytes = (ask.body.len() as u64).div_ceil(BYTES_PER_TOKEN);
    if !ask.question.is_long() {
        return by_bytes;
    }
    let by_text = ask.question.by_length();
    by_text.map_or(by_bytes, |tokens| tokens.saturating_mul(4).div_ceil(BYTES_PER_TOKEN).min(by_bytes))
}

/// What calls of each model used of late.
#[derive(Debug, Default)]
pub(crate) struct Averages(Mutex<HashMap<String, [f64; 3]>>);

impl Averages {
    /// One more call.
    pub(crate) fn note(&self, model: &str, used: Forecast) {
        #[expect(clippy::cast_precision_loss, reason = "an average is not exact")]
        let used = [used.input as f64, used.output as f64, used.nano_usd as f64];
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(model) {
            Some(mean) => {
                for (mean, used) in mean.iter_mut().zip(used) {
                    *mean += WEIGHT * (used - *mean);
                }
            }
            None => drop(all.insert(model.to_owned(), used)),
        }
    }

    /// `None` before the first.
    pub(crate) fn of(&self, model: &str) -> Option<Forecast> {
        let [input, output, nano_usd] = *self.0.lock().unwrap_or_else(PoisonError::into_inner).get(model)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "means of whole numbers")]
        let whole = |mean: f64| mean.ceil() as u64;
        Some(Forecast { input: whole(input), output: whole(output), nano_usd: whole(nano_usd) })
    }
}

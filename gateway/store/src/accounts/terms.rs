//! How much somebody may use. Money is nano-dollars, times are microseconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is absent has no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Money in one `budget_duration`; without one, for ever.
    pub max_budget_nano: Option<i64>,
    /// Money above which people are told.
    pub soft_budget_nano: Option<i64>,
    /// As LiteLLM writes it: `30d`, `1mo`.
    pub budget_duration: Option<String>,
    /// More money over other times. All hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<SpendWindow>,
    /// Requests begun.
    pub requests_per_minute: Option<i64>,
    /// Tokens sent and made.
    pub tokens_per_minute: Option<i64>,
    /// Tokens sent and made.
    pub tokens_per_day: Option<i64>,
    /// Requests under way.
    pub max_concurrent: Option<i64>,
    /// Of single models, by public name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, ModelTerms>,
    /// When somebody set what is used back to nothing, since 1970.
    pub reset_us: Option<i64>,
}

/// Money over one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendWindow {
    /// How much.
    pub max_budget_nano: i64,
    /// In which time, as in [`Terms::budget_duration`].
    pub budget_duration: String,
}

/// How much of one model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelTerms {
    /// As in [`Terms`].
    pub max_budget_nano: Option<i64>,
    /// As in [`Terms`].
    pub budget_duration: Option<String>,
    /// As in [`Terms`].
    pub requests_per_minute: Option<i64>,
    /// As in [`Terms`].
    pub tokens_per_minute: Option<i64>,
}

impl Terms {
    /// These terms, and those of `budget` where they say nothing. A budget's duration goes with its money.
    #[must_use]
    pub fn or(&self, budget: Option<&Self>) -> Self {
        let Some(budget) = budget else { return self.clone() };
        let own = self.clone();
        let has_money = own.max_budget_nano.is_some();
        Self {
            max_budget_nano: own.max_budget_nano.or(budget.max_budget_nano),
            soft_budget_nano: own.soft_budget_nano.or(budget.soft_budget_nano),
            budget_duration: match has_money {
                true => own.budget_duration,
                false => budget.budget_duration.clone().or(own.budget_duration),
            },
            windows: if own.windows.is_empty() { budget.windows.clone() } else { own.windows },
            requests_per_minute: own.requests_per_minute.or(budget.requests_per_minute),
            tokens_per_minute: own.tokens_per_minute.or(budget.tokens_per_minute),
            tokens_per_day: own.tokens_per_day.or(budget.tokens_per_day),
            max_concurrent: own.max_concurrent.or(budget.max_concurrent),
            models: if own.models.is_empty() { budget.models.clone() } else { own.models },
            reset_us: own.reset_us.max(budget.reset_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_goes_before_what_a_budget_says_and_a_duration_goes_with_its_money() {
        let budget = Terms {
            max_budget_nano: Some(9),
            budget_duration: Some("1d".into()),
            requests_per_minute: Some(5),
            ..Terms::default()
        };
        let own = Terms { requests_per_minute: Some(1), ..Terms::default() };
        let both = own.or(Some(&budget));
        assert_eq!((both.max_budget_nano, both.requests_per_minute), (Some(9), Some(1)));
        assert_eq!(both.budget_duration.as_deref(), Some("1d"));
        let for_ever = Terms { max_budget_nano: Some(7), ..Terms::default() }.or(Some(&budget));
        assert_eq!((for_ever.max_budget_nano, for_ever.budget_duration), (Some(7), None));
        assert_eq!(own.or(None), own);
    }
}

//! What of a BudgetPolicy is used, as its status tells it. Amounts are text as in specs: money in dollars, `12.34`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is used of the limit that is fullest, for those who look at a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetUsage {
    /// The limit.
    pub limit: String,
    /// Whose it is; absent where all that match share it, and where nobody has used anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is used up.
    pub spent: String,
    /// What is neither used up nor held by running requests.
    pub remaining: String,
    /// What is used up, of the amount.
    pub percent: i64,
    /// When it begins at nothing again. Absent for windows that roll, or last a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
}

/// What is used of one limit: where each subject has its own amount, of the one that has used most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitUsage {
    /// The limit.
    pub name: String,
    /// What is used up.
    pub spent: String,
    /// What running requests hold.
    pub reserved: String,
    /// What is neither used up nor held.
    pub remaining: String,
    /// What is used up, of the amount.
    pub percent: i64,
    /// How many subjects have used something, up to ten thousand. Absent where all that match share the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<i64>,
    /// How many of them have used it up.
    #[serde(default)]
    pub exceeded_subjects: i64,
    /// When the window began. Absent for windows that roll, or last a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_start: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_end: Option<String>,
}

/// What one subject has used of one limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectUsage {
    /// Who, for example `team:red`.
    pub subject: String,
    /// The limit.
    pub limit: String,
    /// What is used up.
    pub spent: String,
    /// What is used up, of the amount.
    pub percent: i64,
}

/// A threshold that was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToldAlert {
    /// When it was told.
    pub at: String,
    /// The limit.
    pub limit: String,
    /// Whose it is; absent where all that match share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The threshold; absent for the limit's soft amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_percent: Option<i64>,
    /// When the window began. Absent for windows that roll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_start: Option<String>,
    /// The reset since which the limit counts, in Unix seconds. Absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<i64>,
    /// As the event tells it.
    pub message: String,
}

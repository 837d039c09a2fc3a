//! What a BudgetPolicy counts, and over which time.

use std::borrow::Cow;
use std::time::Duration;

use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Amount;

/// How much of what, in which time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.unit == 'Concurrency') != has(self.window)")
    .message("every limit needs a window, but for unit Concurrency, which has none"))]
#[x_kube(validation = Rule::new("(self.onExceed == 'Fallback') == has(self.fallbackModel)")
    .message("fallbackModel goes with onExceed: Fallback, and Fallback needs one"))]
#[x_kube(validation = Rule::new("self.unit == 'USD' || !string(self.amount).contains('.')")
    .message("only an amount of USD has decimals"))]
#[x_kube(validation = Rule::new("self.unit == 'USD' || !has(self.soft) || !string(self.soft).contains('.')")
    .message("only a soft amount of USD has decimals"))]
pub struct BudgetLimit {
    /// The limit's name. What was counted is kept by it: an edit of the amount loses nothing, another name begins anew.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// What is counted. USD: what requests cost. Tokens, InputTokens, OutputTokens: what they use. Requests: how many
    /// begin. Concurrency: how many are under way.
    pub unit: BudgetUnit,
    /// How much: a whole number, or a decimal one of USD in quotes, such as "0.50". At most 9007199 USD; 0 lets nothing
    /// through. An edit keeps what was counted.
    pub amount: Amount,
    /// The time it counts over. Not with unit Concurrency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowSpec>,
    /// What happens to a request that does not fit. Reject: it is refused with status 429. Warn: it is served, and
    /// people are told. Throttle: it waits for room for some seconds before it is refused. Fallback: fallbackModel
    /// serves it. Default Reject.
    #[serde(default)]
    pub on_exceed: OnExceed,
    /// The public name of the model that serves what does not fit. With onExceed: Fallback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub fallback_model: Option<String>,
    /// People are told above this amount, and nothing else happens. Below amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft: Option<Amount>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BudgetUnit {
    /// US dollars.
    #[serde(rename = "USD")]
    Usd,
    /// All tokens.
    Tokens,
    /// Tokens that are sent.
    InputTokens,
    /// Tokens that are made.
    OutputTokens,
    /// Requests that begin.
    Requests,
    /// Requests under way.
    Concurrency,
}

/// The time that a limit counts over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.calendar) != has(self.rolling)")
    .message("write calendar or rolling, one of the two"))]
#[x_kube(validation = Rule::new("has(self.calendar) || !has(self.timeZone)")
    .message("timeZone goes with calendar: a rolling window has no boundaries"))]
#[x_kube(validation = Rule::new(
    "!has(self.startDay) || (has(self.calendar) && (self.calendar in ['Month', 'Quarter', 'Year'] || (self.calendar == 'Week' && self.startDay <= 7)))")
    .message("startDay goes with calendar: Week (1 is Monday, 7 is Sunday), Month, Quarter or Year (1 to 31)"))]
#[x_kube(validation = Rule::new(
    "!has(self.rolling) || int(self.rolling.substring(0, self.rolling.size() - 1)) * (self.rolling.endsWith('d') ? 86400 : self.rolling.endsWith('h') ? 3600 : self.rolling.endsWith('m') ? 60 : 1) <= 31622400")
    .message("rolling is at most 366d"))]
pub struct WindowSpec {
    /// From one boundary of the calendar to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarUnit>,
    /// Whose calendar: an IANA name such as Europe/Berlin. Default UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_+/-]+$"))]
    pub time_zone: Option<String>,
    /// The day that a Week (1 is Monday, 7 is Sunday), or the first month of a Month, Quarter or Year begins on (1 to
    /// 31, clipped to the month's end). Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31))]
    pub start_day: Option<i64>,
    /// Always the last so much time, 1s to 366d, for example 5m, 24h or 30d.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolling: Option<RollingText>,
}

/// How often a window begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CalendarUnit {
    /// Each minute.
    Minute,
    /// Each hour.
    Hour,
    /// Each day.
    Day,
    /// Each week.
    Week,
    /// Each month.
    Month,
    /// In January, April, July and October.
    Quarter,
    /// Each year.
    Year,
}

impl CalendarUnit {
    /// As written in manifests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "Minute",
            Self::Hour => "Hour",
            Self::Day => "Day",
            Self::Week => "Week",
            Self::Month => "Month",
            Self::Quarter => "Quarter",
            Self::Year => "Year",
        }
    }
}

/// What happens to a request that does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnExceed {
    /// It is refused.
    #[default]
    Reject,
    /// It is served, and people are told.
    Warn,
    /// It waits for room.
    Throttle,
    /// Another model serves it.
    Fallback,
}

/// The length of a rolling window as people write it: `30s`, `5m`, `24h`, `30d`. Kept as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RollingText(pub String);

impl RollingText {
    /// The longest window.
    pub const LONGEST: Duration = Duration::from_secs(366 * 86_400);

    /// The span, or `None` if the text is not one whole number and one unit, is zero, or too long.
    #[must_use]
    pub fn parse(&self) -> Option<Duration> {
        let split = self.0.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = self.0.split_at_checked(split)?;
        let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
        let seconds = match unit {
            "s" => number,
            "m" => number.checked_mul(60)?,
            "h" => number.checked_mul(3_600)?,
            "d" => number.checked_mul(86_400)?,
            _ => return None,
        };
        Some(Duration::from_secs(seconds)).filter(|span| *span <= Self::LONGEST)
    }
}

impl JsonSchema for RollingText {
    fn schema_name() -> Cow<'static, str> {
        "RollingText".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 9, "pattern": "^[1-9][0-9]{0,7}[smhd]$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rolling_window_is_one_second_to_a_year_and_a_day() {
        let seconds = |text: &str| RollingText(text.into()).parse().map(|span| span.as_secs());
        assert_eq!(seconds("1s"), Some(1));
        assert_eq!(seconds("5m"), Some(300));
        assert_eq!(seconds("24h"), Some(86_400));
        assert_eq!(seconds("366d"), Some(31_622_400));
        for bad in
            ["", "s", "5", "0s", "500ms", "367d", "8785h", "1.5h", "-1h", "1w", "99999999999999999999d"]
        {
            assert_eq!(seconds(bad), None, "{bad:?} must be refused");
        }
    }
}

//! LiteLLM's durations of budgets as windows: what fits the calendar begins where the calendar does, in UTC; all else is
//! the last so many hours or days.
//! Source: LiteLLM's documentation of budgets and its `duration_parser`, read 2026-11-25.

use std::time::Duration;

use limits::{CalendarUnit, Window, WindowError};

/// Why a text is no duration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PeriodError {
    #[error("'{0}' is not a duration: write a number and s, m, h, d, w or mo, such as 30d")]
    Form(String),
    #[error("'{0}' is no time to count over: the longest is 366d, or 1mo")]
    Length(String),
}

/// The window of a budget of this duration.
///
/// # Errors
/// [`PeriodError`].
pub(crate) fn window(text: &str) -> Result<Window, PeriodError> {
    let length = |_: WindowError| PeriodError::Length(text.to_owned());
    let (number, unit) = parts(text).ok_or_else(|| PeriodError::Form(text.to_owned()))?;
    let calendar = match (number, unit) {
        (60, "s") | (1, "m") => Some(CalendarUnit::Minute),
        (60, "m") | (1, "h") => Some(CalendarUnit::Hour),
        (24, "h") | (1, "d") => Some(CalendarUnit::Day),
        (7, "d") | (1, "w") => Some(CalendarUnit::Week),
        (30, "d") | (1, "mo") => Some(CalendarUnit::Month),
        (365, "d") => Some(CalendarUnit::Year),
        _ => None,
    };
    if let Some(unit) = calendar {
        return Window::calendar(unit, "UTC", None).map_err(length);
    }
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        // Months are not alike.
        _ => return Err(PeriodError::Length(text.to_owned())),
    };
    Window::rolling(Duration::from_secs(number.saturating_mul(seconds))).map_err(length)
}

fn parts(text: &str) -> Option<(u64, &str)> {
    let text = match text.trim() {
        "hourly" => "1h",
        "daily" => "1d",
        "weekly" => "7d",
        "monthly" => "1mo",
        other => other,
    };
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number = number.parse().ok()?;
    matches!(unit, "s" | "m" | "h" | "d" | "w" | "mo").then_some((number, unit))
}

#[cfg(test)]
mod tests {
    use limits::Timestamp;

    use super::*;

    fn ends(text: &str, now: &str) -> String {
        let now: Timestamp = now.parse().unwrap();
        window(text).unwrap().span(now).unwrap().end.to_string()
    }

    #[test]
    fn what_fits_the_calendar_ends_with_it() {
        let now = "2026-11-25T14:30:15Z";
        for (text, end) in [
            ("1m", "2026-11-25T14:31:00Z"),
            ("1h", "2026-11-25T15:00:00Z"),
            ("hourly", "2026-11-25T15:00:00Z"),
            ("1d", "2026-11-26T00:00:00Z"),
            ("24h", "2026-11-26T00:00:00Z"),
            ("7d", "2026-11-30T00:00:00Z"),
            ("1w", "2026-11-30T00:00:00Z"),
            ("30d", "2026-12-01T00:00:00Z"),
            ("1mo", "2026-12-01T00:00:00Z"),
            (" monthly ", "2026-12-01T00:00:00Z"),
        ] {
            assert_eq!(ends(text, now), end, "{text}");
        }
    }

    #[test]
    fn all_else_rolls_and_what_is_none_is_refused() {
        for text in ["2h", "15m", "14d", "90s", "3w", "366d"] {
            assert!(matches!(window(text), Ok(Window::Rolling(_))), "{text}");
        }
        for text in ["", "d", "30", "x d", "-1d", "1y", "1 d", "30D"] {
            assert_eq!(window(text).unwrap_err(), PeriodError::Form(text.to_owned()));
        }
        for text in ["0s", "2mo", "400d", "18446744073709551615w"] {
            assert_eq!(window(text).unwrap_err(), PeriodError::Length(text.to_owned()));
        }
    }
}

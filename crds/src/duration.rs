//! A span of time as people write it: `500ms`, `30s`, `5m`, `2h`.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Kept as written, so that an object with a bad one can still be read and reported on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DurationText(pub String);

impl DurationText {
    /// The span, or `None` if the text is not one whole number and one unit, or is zero.
    #[must_use]
    pub fn parse(&self) -> Option<Duration> {
        let split = self.0.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = self.0.split_at_checked(split)?;
        let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
        let milliseconds = match unit {
            "ms" => number,
            "s" => number.checked_mul(1_000)?,
            "m" => number.checked_mul(60_000)?,
            "h" => number.checked_mul(3_600_000)?,
            _ => return None,
        };
        Some(Duration::from_millis(milliseconds))
    }
}

impl JsonSchema for DurationText {
    fn schema_name() -> Cow<'static, str> {
        "DurationText".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 12, "pattern": "^[1-9][0-9]{0,8}(ms|s|m|h)$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_and_one_unit_is_a_duration() {
        let parse = |text: &str| DurationText(text.into()).parse();
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse("30s"), Some(Duration::from_secs(30)));
        assert_eq!(parse("2h"), Some(Duration::from_secs(7200)));
        for bad in ["", "s", "30", "0s", "-1s", "1d", "1s1", "1.5s", "99999999999999999999h"] {
            assert_eq!(parse(bad), None, "{bad:?} must be refused");
        }
    }
}

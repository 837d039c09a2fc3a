//! An amount as people write it: a whole number, or decimal digits in quotes. Never a float, which would be rounded.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Kept as written, so that an object with a bad one can still be read and reported on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    /// 400000
    Whole(i64),
    /// "500.00"
    Text(String),
}

impl Amount {
    /// The amount in units of which `10^decimals` make one, or `None` if it is no decimal number, has more decimal
    /// places than that, or does not fit.
    #[must_use]
    pub fn scaled(&self, decimals: u32) -> Option<u64> {
        let scale = 10_u64.checked_pow(decimals)?;
        let text = match self {
            Self::Whole(number) => return u64::try_from(*number).ok()?.checked_mul(scale),
            Self::Text(text) => text,
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let missing = decimals.checked_sub(u32::try_from(fraction.len()).ok()?)?;
        let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? };
        let whole = whole.parse::<u64>().ok()?.checked_mul(scale)?;
        whole.checked_add(fraction.checked_mul(10_u64.checked_pow(missing)?)?)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl de::Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or a decimal one in quotes, such as \"0.50\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
        Ok(Amount::Whole(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
        i64::try_from(number)
            .map(Amount::Whole)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
        Ok(Amount::Text(text.to_owned()))
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "minimum": 0,
            "maxLength": 22,
            "pattern": r"^[0-9]{1,12}(\.[0-9]{1,9})?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_to_the_last_digit() {
        let nano = |text: &str| Amount::Text(text.into()).scaled(9);
        assert_eq!(nano("500.00"), Some(500_000_000_000));
        assert_eq!(nano("0.000000001"), Some(1));
        assert_eq!(nano("0.1000000000000"), Some(100_000_000), "trailing zeros say nothing");
        assert_eq!(nano("007"), Some(7_000_000_000));
        assert_eq!(nano("0"), Some(0));
        assert_eq!(Amount::Whole(500).scaled(9), Some(500_000_000_000));
        for bad in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", "0.0000000001", "1.2.3", " 1", "99999999999"]
        {
            assert_eq!(nano(bad), None, "{bad:?} must be refused");
        }
        assert_eq!(Amount::Whole(-1).scaled(9), None);
        assert_eq!(Amount::Whole(i64::MAX).scaled(9), None);
    }

    #[test]
    fn what_is_counted_whole_has_no_decimals() {
        assert_eq!(Amount::Text("400000".into()).scaled(0), Some(400_000));
        assert_eq!(Amount::Text("1.0".into()).scaled(0), Some(1));
        assert_eq!(Amount::Text("1.5".into()).scaled(0), None);
    }

    #[test]
    fn a_float_is_refused_with_the_way_out() {
        let read = |text: &str| serde_json::from_str::<Amount>(text);
        assert_eq!(read("5").unwrap(), Amount::Whole(5));
        assert_eq!(read("\"0.50\"").unwrap(), Amount::Text("0.50".into()));
        let error = read("0.5").unwrap_err().to_string();
        assert!(error.contains("in quotes"), "{error}");
        assert_eq!(serde_json::to_string(&Amount::Text("0.50".into())).unwrap(), "\"0.50\"");
    }
}

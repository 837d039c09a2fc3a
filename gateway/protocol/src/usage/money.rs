//! Reads what providers say an answer cost, without a float in between.

use serde_json::value::RawValue;

use crate::json::Fields;

/// Nano-dollars from dollars, as a number or as Perplexity's object with `total_cost`. `None` for what is neither,
/// or negative.
///
/// Sources: answers of both, as recorded by 2026-11-25.
pub(crate) fn dollars(raw: &RawValue) -> Option<u64> {
    match Fields::read(raw) {
        Some(fields) => nano(fields.get("total_cost")?.get(), 9),
        None => nano(raw.get(), 9),
    }
}

/// Nano-dollars from xAI's ticks: ten thousand million are a dollar.
///
/// Source: LiteLLM 1.110.2, which names docs.x.ai/developers/cost-tracking; read 2026-11-25.
pub(crate) fn ticks(raw: &RawValue) -> Option<u64> {
    nano(raw.get(), -1)
}

/// `text` × 10^`shift`, rounded half to even. `text` is a JSON number.
fn nano(text: &str, shift: i32) -> Option<u64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let exponent = exponent.checked_add(shift)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10u128.checked_pow(exponent.unsigned_abs());
    let scaled = match (exponent >= 0, power) {
        (true, Some(power)) => digits.checked_mul(power)?,
        (true, None) => return (digits == 0).then_some(0),
        (false, Some(power)) => half_even(digits, power),
        // Less than any nano-dollar.
        (false, None) => 0,
    };
    u64::try_from(scaled).ok()
}

fn half_even(number: u128, by: u128) -> u128 {
    let (whole, rest) = (number / by, number % by);
    let is_more = rest > by - rest || (rest == by - rest && whole % 2 == 1);
    whole + u128::from(is_more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<u64> {
        dollars(serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn dollars_become_nano_dollars() {
        for (text, nano) in [
            ("0", 0),
            ("1", 1_000_000_000),
            ("0.00614", 6_140_000),
            ("5e-05", 50_000),
            ("1.5E+1", 15_000_000_000),
            ("0.0000000005", 0),
            ("0.0000000015", 2),
            ("0.00000000250000001", 3),
            ("1e-400", 0),
            ("0e400", 0),
        ] {
            assert_eq!(read(text), Some(nano), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["-1", "null", "\"1\"", "{}", "[]", "true", "1e300", "1e99999999999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

//! How much a provider still allows, as its headers tell it, in the words of a client of another language. OpenAI's say
//! in how long a count begins anew (`6m0s`), Anthropic's at what time (RFC 3339); Gemini's are none, but its errors say
//! when to come back.
//!
//! Sources: platform.openai.com/docs/guides/rate-limits, docs.anthropic.com/en/api/rate-limits,
//! github.com/googleapis/googleapis (google/rpc/error_details.proto, RetryInfo), read 2026-11-25; and recorded headers.

use catalogue::Dialect;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::time;

/// Whose headers a language has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    OpenAi,
    Anthropic,
}

/// What is counted. Anthropic's `tokens` are those of the limit that is nearest.
const COUNTED: [&str; 2] = ["requests", "tokens"];

/// What the headers of every provider of `dialect` begin with; `None` where there are none.
#[must_use]
pub fn prefix(dialect: Dialect) -> Option<&'static str> {
    family(dialect).map(|family| match family {
        Family::OpenAi => "x-ratelimit-",
        Family::Anthropic => "anthropic-ratelimit-",
    })
}

/// The headers that tell a `client` what those of a `provider` tell: names and values. `header` looks one of those up,
/// `now` is in seconds since 1970. A value that cannot be read is left out. Where both have the same headers, or one has
/// none, there is nothing to retell.
#[must_use]
pub fn retold<'h>(
    provider: Dialect,
    client: Dialect,
    now: u64,
    header: impl Fn(&str) -> Option<&'h str>,
) -> Vec<(String, String)> {
    let (Some(from), Some(to)) = (family(provider), family(client)) else { return Vec::new() };
    if from == to {
        return Vec::new();
    }
    let mut told = Vec::new();
    for counted in COUNTED {
        for what in ["limit", "remaining"] {
            let count = header(&name(from, counted, what)).filter(|count| count.parse::<u64>().is_ok());
            told.extend(count.map(|count| (name(to, counted, what), count.to_owned())));
        }
        let reset = header(&name(from, counted, "reset")).and_then(|reset| converted(from, reset, now));
        told.extend(reset.map(|reset| (name(to, counted, "reset"), reset)));
    }
    told
}

/// How much is left of a limit of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// `requests` or `tokens`.
    pub counted: &'static str,
    /// How much fits.
    pub limit: u64,
    /// How much is left.
    pub remaining: u64,
    /// In how many seconds there is room again; `None` where nobody knows.
    pub reset_in: Option<u64>,
}

impl Allowance {
    /// The headers that tell a `client`: names and values. `now` is in seconds since 1970.
    #[must_use]
    pub fn told(&self, client: Dialect, now: u64) -> Vec<(String, String)> {
        let Some(family) = family(client) else { return Vec::new() };
        let reset = self.reset_in.map(|seconds| match family {
            Family::OpenAi => duration(seconds),
            Family::Anthropic => time::write(now.saturating_add(seconds)),
        });
        let all = [
            ("limit", Some(self.limit.to_string())),
            ("remaining", Some(self.remaining.to_string())),
            ("reset", reset),
        ];
        all.into_iter().filter_map(|(what, value)| Some((name(family, self.counted, what), value?))).collect()
    }
}

/// In how many seconds to come back, as Google's error body says it. Rounded up.
#[must_use]
pub fn retry_delay(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        error: Inner<'a>,
    }
    #[derive(Deserialize)]
    struct Inner<'a> {
        #[serde(borrow)]
        details: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Detail {
        #[serde(rename = "@type")]
        kind: String,
        #[serde(rename = "retryDelay")]
        delay: String,
    }
    let text = std::str::from_utf8(body).ok()?;
    let outer: Outer<'_> = serde_json::from_str(text)
        .ok()
        .or_else(|| serde_json::from_str::<Vec<Outer<'_>>>(text).ok()?.into_iter().next())?;
    let details =
        outer.error.details.into_iter().filter_map(|raw| serde_json::from_str::<Detail>(raw.get()).ok());
    let info = details.into_iter().find(|detail| detail.kind.ends_with("google.rpc.RetryInfo"))?;
    Some(milliseconds(&info.delay)?.div_ceil(1000))
}

/// All imitators of OpenAI that tell anything tell it in its words.
fn family(dialect: Dialect) -> Option<Family> {
    match dialect {
        Dialect::Anthropic => Some(Family::Anthropic),
        Dialect::Gemini => None,
        _ => Some(Family::OpenAi),
    }
}

fn name(family: Family, counted: &str, what: &str) -> String {
    match family {
        Family::OpenAi => format!("x-ratelimit-{what}-{counted}"),
        Family::Anthropic => format!("anthropic-ratelimit-{counted}-{what}"),
    }
}

fn converted(from: Family, reset: &str, now: u64) -> Option<String> {
    match from {
        Family::OpenAi => Some(time::write(now.checked_add(milliseconds(reset)?.div_ceil(1000))?)),
        Family::Anthropic => Some(duration(time::read(reset)?.saturating_sub(now))),
    }
}

/// As Go writes it: `0s`, `59s`, `6m0s`, `1h0m2s`.
fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// Reads `20ms`, `8.64s`, `6m0s`, `1h2m3.5s`, `1d2h`. A number without a unit is not read: some mean seconds with it and
/// some milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
        let scale = match unit {
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 60e3,
            "h" => 3_600e3,
            "d" => 86_400e3,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * scale;
        rest = tail;
    }
    // A hundred years; below it the number is whole as an integer.
    (!text.is_empty() && sum < 3.2e12).then(|| sum.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T10:00:00Z.
    const NOW: u64 = 1_795_255_200;

    fn told(provider: Dialect, client: Dialect, headers: &[(&str, &str)]) -> Vec<String> {
        let find = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        retold(provider, client, NOW, find).iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }

    #[test]
    fn openai_s_durations_become_times() {
        let headers = [
            ("x-ratelimit-limit-requests", "3000"),
            ("x-ratelimit-remaining-requests", "2999"),
            ("x-ratelimit-reset-requests", "20ms"),
            ("x-ratelimit-remaining-tokens", "7"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ];
        let expected = [
            "anthropic-ratelimit-requests-limit: 3000",
            "anthropic-ratelimit-requests-remaining: 2999",
            "anthropic-ratelimit-requests-reset: 2026-11-21T10:00:01Z",
            "anthropic-ratelimit-tokens-remaining: 7",
            "anthropic-ratelimit-tokens-reset: 2026-11-21T10:06:00Z",
        ];
        assert_eq!(told(Dialect::OpenaiChat, Dialect::Anthropic, &headers), expected);
        assert_eq!(told(Dialect::OpenaiResponses, Dialect::OpenaiChat, &headers), [""; 0]);
        assert_eq!(told(Dialect::OpenaiChat, Dialect::Gemini, &headers), [""; 0]);
    }

    #[test]
    fn a_limit_of_ours_is_told_in_the_words_of_each() {
        let left = Allowance { counted: "tokens", limit: 9, remaining: 2, reset_in: Some(61) };
        let told = |client| -> Vec<_> {
            left.told(client, NOW).into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
        };
        let openai = [
            "x-ratelimit-limit-tokens: 9",
            "x-ratelimit-remaining-tokens: 2",
            "x-ratelimit-reset-tokens: 1m1s",
        ];
        assert_eq!(told(Dialect::OpenaiResponses), openai);
        let anthropic = [
            "anthropic-ratelimit-tokens-limit: 9",
            "anthropic-ratelimit-tokens-remaining: 2",
            "anthropic-ratelimit-tokens-reset: 2026-11-21T10:01:01Z",
        ];
        assert_eq!(told(Dialect::Anthropic), anthropic);
        assert_eq!(told(Dialect::Gemini), [""; 0]);
    }

    #[test]
    fn anthropic_s_times_become_durations() {
        let headers = [
            ("anthropic-ratelimit-tokens-limit", "480000"),
            ("anthropic-ratelimit-tokens-reset", "2026-11-21T11:01:02Z"),
            ("anthropic-ratelimit-requests-reset", "2026-11-21T09:00:00Z"),
        ];
        let expected = [
            "x-ratelimit-reset-requests: 0s",
            "x-ratelimit-limit-tokens: 480000",
            "x-ratelimit-reset-tokens: 1h1m2s",
        ];
        assert_eq!(told(Dialect::Anthropic, Dialect::OpenaiResponses, &headers), expected);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        // As recorded: Azure's without a unit, and one that a proxy had joined with another header.
        for reset in ["500", "", "0s, req_1", "1w", "s", "99999999999d", "1.2.3s", "-1s"] {
            let headers = [("x-ratelimit-reset-tokens", reset), ("x-ratelimit-limit-tokens", "many")];
            assert_eq!(told(Dialect::OpenaiChat, Dialect::Anthropic, &headers), [""; 0], "{reset}");
        }
        assert_eq!(milliseconds("1h2m3.5s"), Some(3_723_500));
        assert_eq!(milliseconds("8.64s"), Some(8_640));
    }

    #[test]
    fn google_s_errors_say_when_to_come_back() {
        let info = |delay: &str| {
            format!(
                r#"{{"error":{{"details":[{{"@type":"type.googleapis.com/google.rpc.Help"}},{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":{delay}}}]}}}}"#
            )
        };
        assert_eq!(retry_delay(info("\"48s\"").as_bytes()), Some(48));
        assert_eq!(retry_delay(info("\"48.93s\"").as_bytes()), Some(49));
        assert_eq!(retry_delay(format!("[{}]", info("\"1s\"")).as_bytes()), Some(1));
        for body in [info("7"), info("\"x\""), "{\"error\":\"no\"}".to_owned(), "<html>".to_owned()] {
            assert_eq!(retry_delay(body.as_bytes()), None, "{body}");
        }
    }
}

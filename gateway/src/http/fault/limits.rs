//! What a client is told when a budget or a rate limit has no room. 429 is what every SDK knows to come back for; LiteLLM
//! says 400 for budgets, with the same type `budget_exceeded`.
//! Source: platform.openai.com/docs/guides/rate-limits; `x-should-retry` as OpenAI's and Anthropic's SDKs read it, in
//! their `_base_client`, read 2026-11-25.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use catalogue::Dialect;
use limits::{Timestamp, Unit};
use protocol::allowance::Allowance;
use protocol::fault::FaultClass;

use super::{Refusal, unavailable};
use crate::pipeline::OverLimit;

/// SDKs do not wait longer than this; without it they come back at once, and in vain.
const WORTH_A_WAIT: u64 = 60;

pub(super) fn over(over: &OverLimit) -> Refusal {
    let (kind, code) = if over.is_budget() {
        ("budget_exceeded", "budget_exceeded")
    } else {
        ("rate_limit_error", "rate_limit_exceeded")
    };
    let mut refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, kind, code, over.message());
    refusal.class = FaultClass::RateLimited;
    let now = Timestamp::now();
    let retry_after = over.retry_after(now);
    refusal.headers.extend(retry_after.map(|seconds| (header::RETRY_AFTER, HeaderValue::from(seconds))));
    if retry_after.is_none_or(|seconds| seconds > WORTH_A_WAIT) && over.unit != Unit::Concurrency {
        refusal.headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
    }
    refusal.allowance = allowance(over, retry_after);
    refusal
}

/// Requests and tokens have headers in the languages of clients; money has none.
fn allowance(over: &OverLimit, reset_in: Option<u64>) -> Option<Allowance> {
    let counted = match over.unit {
        Unit::Requests => "requests",
        Unit::Tokens | Unit::InputTokens | Unit::OutputTokens => "tokens",
        Unit::NanoUsd | Unit::Concurrency => return None,
    };
    let taken = over.level.spent.saturating_add(over.level.reserved);
    let remaining = over.level.amount.saturating_sub(taken);
    Some(Allowance { counted, limit: over.level.amount, remaining, reset_in })
}

pub(super) fn headers(
    allowance: &Allowance,
    client: Dialect,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    let told = allowance.told(client, now);
    told.into_iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
}

/// Nobody can tell; the owner of the limit wants that refused.
pub(super) fn away(owner: &str) -> Refusal {
    let message = format!(
        "the limits of {owner} cannot be checked now, and its failureMode is FailClosed; try again soon"
    );
    unavailable("limits_unavailable", message, "2")
}

//! What gateways and routes say in the same words: how deployments are chosen and tried again, over what is inherited, and
//! lists of fallbacks as written. Whether those exist is looked at in `routes.rs`.

use std::time::Duration;

use config::{Cooldown, Fallbacks, Retries, Routing, Strategy};
use crds::{CooldownSpec, DurationText, FallbacksSpec, RetriesSpec, RoutingSpec, RoutingStrategy};

use crate::deployments::{check_public_name, in_range};
use crate::upstream::{Fault, invalid};

/// Names in one list of fallbacks: each may be a call more for a request that fails.
const FALLBACKS: usize = 5;

/// The longest pause before a deployment is called again.
const LONGEST_BACKOFF: Duration = Duration::from_secs(600);

/// The longest time that one is left alone.
const LONGEST_COOLDOWN: Duration = Duration::from_secs(24 * 3600);

/// `spec` over `inherited`.
pub(crate) fn routing(spec: &RoutingSpec<'_>, inherited: Routing) -> Result<Routing, Fault> {
    Ok(Routing {
        strategy: spec.strategy.map_or(inherited.strategy, strategy),
        session_affinity: match spec.session_affinity {
            None => inherited.session_affinity,
            Some(crds::SessionAffinity::Preferred) => config::SessionAffinity::Preferred,
            Some(crds::SessionAffinity::None) => config::SessionAffinity::Off,
        },
        retries: retries(spec.retries, inherited.retries)?,
        cooldown: cooldown(spec.cooldown, inherited.cooldown)?,
    })
}

fn strategy(written: RoutingStrategy) -> Strategy {
    match written {
        RoutingStrategy::Weighted => Strategy::Weighted,
        RoutingStrategy::RoundRobin => Strategy::RoundRobin,
        RoutingStrategy::LeastBusy => Strategy::LeastBusy,
        RoutingStrategy::LeastLatency => Strategy::LeastLatency,
        RoutingStrategy::UsageBased => Strategy::UsageBased,
        RoutingStrategy::LowestCost => Strategy::LowestCost,
    }
}

fn retries(spec: &RetriesSpec, inherited: Retries) -> Result<Retries, Fault> {
    let retries = Retries {
        attempts: number("retries.attempts", spec.attempts, 16, inherited.attempts)?,
        backoff_ms: span("retries.backoff", spec.backoff.as_ref(), LONGEST_BACKOFF, inherited.backoff_ms)?,
        max_backoff_ms: span(
            "retries.maxBackoff",
            spec.max_backoff.as_ref(),
            LONGEST_BACKOFF,
            inherited.max_backoff_ms,
        )?,
        budget_percent: number(
            "retries.budgetPercent",
            spec.budget_percent,
            1_000,
            inherited.budget_percent,
        )?,
    };
    if retries.backoff_ms > retries.max_backoff_ms {
        return Err(invalid(above(
            "retries.backoff",
            "maxBackoff",
            retries.backoff_ms,
            retries.max_backoff_ms,
        )));
    }
    Ok(retries)
}

fn cooldown(spec: &CooldownSpec, inherited: Cooldown) -> Result<Cooldown, Fault> {
    let cooldown = Cooldown {
        failures: number("cooldown.failures", spec.failures, 1_000, inherited.failures)?,
        failure_percent: number(
            "cooldown.failurePercent",
            spec.failure_percent,
            100,
            inherited.failure_percent,
        )?,
        duration_ms: span(
            "cooldown.duration",
            spec.duration.as_ref(),
            LONGEST_COOLDOWN,
            inherited.duration_ms,
        )?,
        max_duration_ms: span(
            "cooldown.maxDuration",
            spec.max_duration.as_ref(),
            LONGEST_COOLDOWN,
            inherited.max_duration_ms,
        )?,
    };
    if cooldown.duration_ms > cooldown.max_duration_ms {
        return Err(invalid(above(
            "cooldown.duration",
            "maxDuration",
            cooldown.duration_ms,
            cooldown.max_duration_ms,
        )));
    }
    Ok(cooldown)
}

/// One of the two may be inherited, so the message says what both come to.
fn above(field: &str, most: &str, is: u64, limit: u64) -> String {
    format!("{field} is {is}ms, above {most}, which is {limit}ms, written or inherited: set both")
}

fn number<T: TryFrom<i64>>(field: &str, written: Option<i64>, most: i64, inherited: T) -> Result<T, Fault> {
    written.map_or(Ok(inherited), |written| in_range(field, written, most))
}

fn span(field: &str, text: Option<&DurationText>, longest: Duration, inherited: u64) -> Result<u64, Fault> {
    let Some(text) = text else { return Ok(inherited) };
    let parsed = text.parse().filter(|span| *span <= longest);
    parsed.and_then(|span| u64::try_from(span.as_millis()).ok()).ok_or_else(|| {
        let longest = longest.as_secs();
        invalid(format!("{field} {:?} is not a duration of at most {longest}s: write it as 30s", text.0))
    })
}

/// The names as written.
pub(crate) fn fallbacks(spec: &FallbacksSpec) -> Result<Fallbacks, Fault> {
    for (field, list) in spec.lists() {
        check_fallbacks(&format!("fallbacks.{field}"), list)?;
    }
    Ok(Fallbacks {
        on_error: spec.on_error.clone(),
        on_context_window: spec.on_context_window.clone(),
        on_content_policy: spec.on_content_policy.clone(),
        on_budget: spec.on_budget.clone(),
        on_rate_limit: spec.on_rate_limit.clone(),
    })
}

/// Whether a list can be one of fallbacks.
pub(crate) fn check_fallbacks(field: &str, list: &[String]) -> Result<(), Fault> {
    if list.len() > FALLBACKS {
        return Err(invalid(format!("{field} has more than {FALLBACKS} names: leave some out")));
    }
    let named = |(reason, message): Fault| (reason, format!("{field}: {message}"));
    list.iter().try_for_each(|name| check_public_name(name)).map_err(named)
}

/// Each list with the name of its field.
pub(crate) fn lists(fallbacks: &mut Fallbacks) -> [(&'static str, &mut Vec<String>); 5] {
    [
        ("onError", &mut fallbacks.on_error),
        ("onContextWindow", &mut fallbacks.on_context_window),
        ("onContentPolicy", &mut fallbacks.on_content_policy),
        ("onBudget", &mut fallbacks.on_budget),
        ("onRateLimit", &mut fallbacks.on_rate_limit),
    ]
}

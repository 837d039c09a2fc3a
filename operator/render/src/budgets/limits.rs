//! The limits of one policy, read and checked. No float comes near an amount.

use std::collections::BTreeSet;
use std::time::Duration;

use config::{CalendarUnit, Limit, MAX_AMOUNT, OnExceed, Unit, Window};
use crds::{Amount, BudgetLimit, BudgetUnit, DurationText, WindowSpec};
use jiff::tz::TimeZoneDatabase;

use crate::upstream::{Fault, invalid};

/// The longest that a reservation lives.
const LONGEST_TTL: Duration = Duration::from_secs(24 * 3_600);

/// Sorted by name.
pub(super) fn limits(written: &[BudgetLimit]) -> Result<Vec<Limit>, Fault> {
    if written.is_empty() {
        return Err(invalid("limits is empty: write what is limited".into()));
    }
    at_most("limits", written.len(), 16)?;
    let mut names = BTreeSet::new();
    let mut limits = Vec::with_capacity(written.len());
    for limit in written {
        if !names.insert(&limit.name) {
            return Err(invalid(format!("two limits have the name {}: give one another", limit.name)));
        }
        limits.push(read(limit)?);
    }
    limits.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(limits)
}

/// What the schema bounds; files are not checked against it.
pub(super) fn at_most(field: &str, count: usize, most: usize) -> Result<(), Fault> {
    if count > most {
        return Err(invalid(format!("{field} has {count} entries, and at most {most} are possible")));
    }
    Ok(())
}

/// How long a reservation lives, in milliseconds.
pub(super) fn ttl(text: &DurationText) -> Result<u64, Fault> {
    let parsed = text.parse().filter(|ttl| (Duration::from_secs(1)..=LONGEST_TTL).contains(ttl));
    let parsed = parsed.and_then(|ttl| u64::try_from(ttl.as_millis()).ok());
    parsed.ok_or_else(|| {
        invalid(format!("reservation.ttl {:?} is not between 1s and 24h: write it as 10m", text.0))
    })
}

fn read(limit: &BudgetLimit) -> Result<Limit, Fault> {
    let name = &limit.name;
    let of = |(reason, message): Fault| (reason, format!("limit {name}: {message}"));
    check_name(name)?;
    let (unit, decimals) = unit(limit.unit);
    let amount = amount("amount", &limit.amount, decimals).map_err(of)?;
    let soft =
        limit.soft.as_ref().map(|soft| self::amount("soft", soft, decimals)).transpose().map_err(of)?;
    if soft.is_some_and(|soft| soft >= amount) {
        return Err(of(invalid(format!(
            "soft is not below amount {}: lower it, or leave it out",
            limit.amount
        ))));
    }
    let window = match (&limit.window, unit) {
        (None, Unit::Concurrency) => Window::Forever,
        (Some(_), Unit::Concurrency) => {
            return Err(of(invalid("unit Concurrency counts what is under way: leave window out".into())));
        }
        (None, _) => return Err(of(invalid("window is missing: write calendar or rolling".into()))),
        (Some(written), _) => window(written).map_err(of)?,
    };
    let on_exceed = on_exceed(limit).map_err(of)?;
    Ok(Limit { name: name.clone(), unit, amount, window, on_exceed, soft, except: Vec::new() })
}

/// It stands in the keys of counters and in headers.
fn check_name(name: &str) -> Result<(), Fault> {
    let plain = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if name.is_empty() || name.len() > 63 || !plain || name.starts_with('-') || name.ends_with('-') {
        return Err(invalid(format!(
            "{name:?} is no name of a limit: 1 to 63 lower case letters, digits and dashes between them"
        )));
    }
    Ok(())
}

/// With the decimal places that people may write.
fn unit(written: BudgetUnit) -> (Unit, u32) {
    match written {
        BudgetUnit::Usd => (Unit::NanoUsd, 9),
        BudgetUnit::Tokens => (Unit::Tokens, 0),
        BudgetUnit::InputTokens => (Unit::InputTokens, 0),
        BudgetUnit::OutputTokens => (Unit::OutputTokens, 0),
        BudgetUnit::Requests => (Unit::Requests, 0),
        BudgetUnit::Concurrency => (Unit::Concurrency, 0),
    }
}

fn amount(field: &str, written: &Amount, decimals: u32) -> Result<u64, Fault> {
    let most = MAX_AMOUNT / 10_u64.pow(decimals);
    written.scaled(decimals).filter(|amount| *amount <= MAX_AMOUNT).ok_or_else(|| {
        let shape = if decimals == 0 { "a whole number" } else { "a decimal number such as \"0.50\"" };
        invalid(format!("{field} {written} is not {shape} of at most {most}"))
    })
}

fn on_exceed(limit: &BudgetLimit) -> Result<OnExceed, Fault> {
    match (limit.on_exceed, &limit.fallback_model) {
        (crds::OnExceed::Fallback, Some(model)) => Ok(OnExceed::Fallback { model: model.clone() }),
        (crds::OnExceed::Fallback, None) => Err(invalid("onExceed Fallback needs a fallbackModel".into())),
        (_, Some(_)) => Err(invalid("fallbackModel goes with onExceed: Fallback: leave it out".into())),
        (crds::OnExceed::Reject, None) => Ok(OnExceed::Reject),
        (crds::OnExceed::Warn, None) => Ok(OnExceed::Warn),
        (crds::OnExceed::Throttle, None) => Ok(OnExceed::Throttle),
    }
}

fn window(written: &WindowSpec) -> Result<Window, Fault> {
    match (written.calendar, &written.rolling) {
        (Some(every), None) => calendar(every, written),
        (None, Some(text)) => {
            if written.time_zone.is_some() || written.start_day.is_some() {
                return Err(invalid("timeZone and startDay go with calendar: leave them out".into()));
            }
            let length = text.parse().and_then(|length| u64::try_from(length.as_millis()).ok());
            length.map(|ms| Window::Rolling { ms }).ok_or_else(|| {
                invalid(format!(
                    "rolling {:?} is not between 1s and 366d: write it as 5m, 24h or 30d",
                    text.0
                ))
            })
        }
        _ => Err(invalid("window needs calendar or rolling, one of the two".into())),
    }
}

fn calendar(every: crds::CalendarUnit, written: &WindowSpec) -> Result<Window, Fault> {
    let (every, days) = match every {
        crds::CalendarUnit::Minute => (CalendarUnit::Minute, 0),
        crds::CalendarUnit::Hour => (CalendarUnit::Hour, 0),
        crds::CalendarUnit::Day => (CalendarUnit::Day, 0),
        crds::CalendarUnit::Week => (CalendarUnit::Week, 7),
        crds::CalendarUnit::Month => (CalendarUnit::Month, 31),
        crds::CalendarUnit::Quarter => (CalendarUnit::Quarter, 31),
        crds::CalendarUnit::Year => (CalendarUnit::Year, 31),
    };
    let start_day = match written.start_day {
        None | Some(1) if days > 0 => None,
        None => None,
        Some(day) => match u8::try_from(day) {
            Ok(day) if (2..=days).contains(&day) => Some(day),
            _ => {
                return Err(invalid(format!(
                    "startDay {day} is not possible: a Week takes 1 (Monday) to 7, a Month, Quarter or Year 1 to 31, others none"
                )));
            }
        },
    };
    let time_zone = time_zone(written.time_zone.as_deref().unwrap_or("UTC"))?;
    Ok(Window::Calendar { every, time_zone, start_day })
}

/// As the database writes it. It is the one in the binary, which the gateway has too.
fn time_zone(name: &str) -> Result<String, Fault> {
    let zone = TimeZoneDatabase::bundled().get(name).ok();
    let known = zone.as_ref().and_then(|zone| zone.iana_name());
    known
        .map(str::to_owned)
        .ok_or_else(|| invalid(format!("timeZone {name:?} is unknown: write it as Europe/Vienna or UTC")))
}

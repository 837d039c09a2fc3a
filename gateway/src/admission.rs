//! Whether a request may go on: the stage of the pipeline that reserves what a request may use in all budgets and rate
//! limits that hold for it. What it came to is settled when its record ends. `whom.rs` tells whom a
//! request is counted for, `snapshot/budgets.rs` which limits hold for them, `forecast.rs` what it may use, `told.rs` what
//! clients hear of limits, `usage.rs` what the operator does; `rounds.rs` keeps track of budgets beside the requests. `load.rs` counts what providers allow.

mod alerts;
mod forecast;
mod load;
mod posts;
mod roll;
mod rooms;
pub(crate) mod rounds;
mod said;
mod told;
mod usage;
mod whom;

use std::sync::Arc;
use std::time::Duration;

use config::OnExceed;
use limits::{Admission, Away, Counter, Lease, Limiter, ReservationId, Timestamp, Unit};
use store::Counted;
use tokio::time::{Instant, sleep};

pub(crate) use forecast::{Averages, Forecast};
pub(crate) use load::Load;
pub(crate) use roll::Roll;
pub(crate) use rooms::Room;
pub(crate) use said::Said;
pub(crate) use told::OverLimit;
pub(crate) use usage::Usage;
use whom::Whom;
pub(crate) use whom::tags;

use crate::auth::{Accounts, Caller};
use crate::pipeline::{Ask, Fault, Metrics};
use crate::snapshot::{Charge, Key, Model, Snapshot};

/// A request waits for room no longer than this: its client waits with it.
const THROTTLE: Duration = Duration::from_secs(10);

/// Between two tries where nobody knows when there will be room.
const PACE: Duration = Duration::from_millis(100);

/// Other models that are tried one after the other.
const FALLBACKS: usize = 4;

/// What this stage needs of the process.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) limiter: Limiter,
    pub(crate) averages: Arc<Averages>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) roll: Arc<Roll>,
    /// Who knows customers.
    pub(crate) accounts: Option<Accounts>,
}

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) ask: &'a Ask,
}

/// A request that may go on.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// Another model than asked for, where a limit falls back to it.
    pub(crate) model: Arc<Model>,
    /// Absent where no limit holds.
    pub(crate) tab: Option<Tab>,
}

/// What an admitted request holds until it is known what it came to.
#[derive(Debug)]
pub(crate) struct Tab {
    lease: Lease,
    model: String,
    averages: Arc<Averages>,
}

impl Desk {
    /// Reserves what a request may use of `model`, or of what a limit falls back to.
    ///
    /// # Errors
    /// [`Fault::OverLimit`], [`Fault::LimitsAway`]; those of [`Whom::new`] and [`Whom::asks`].
    pub(crate) async fn admit(
        &self,
        now: &Snapshot,
        asked: Asked<'_>,
        model: &Arc<Model>,
    ) -> Result<Admitted, Fault> {
        let (key, mut model) = (asked.caller.key(), Arc::clone(model));
        let accounts = self.accounts.as_ref().filter(|_| key.is_some_and(Key::is_stored));
        if now.budgets.is_empty() && !key.is_some_and(Key::is_limited) && accounts.is_none() {
            return Ok(Admitted { model, tab: None });
        }
        let said = &asked.ask.said;
        let whom = Whom::new(asked.caller, said, accounts).await?;
        whom.asks(&model, &asked.ask.model)?;
        let mut fallbacks = FALLBACKS;
        loop {
            let held = whom.charges(now, &model);
            if held.is_empty() {
                return Ok(Admitted { model, tab: None });
            }
            let forecast = Forecast::most(asked.ask, &model);
            let full = match self.reserve(&held, forecast, &model.name).await? {
                Ok(lease) => {
                    let (name, averages) = (model.name.clone(), Arc::clone(&self.averages));
                    return Ok(Admitted { model, tab: Some(Tab { lease, model: name, averages }) });
                }
                Err(full) => full,
            };
            let other = full.falls_back_to().and_then(|name| now.model(name));
            // A route has limits for each of its targets, so it is no place to end up in here.
            let other = other.filter(|other| other.legs.is_empty());
            let other = other.filter(|other| other.name != model.name && whom.may_ask(other));
            match other.filter(|_| fallbacks > 0) {
                Some(other) => model = Arc::clone(other),
                None => return Err(Fault::OverLimit(Box::new(full.over))),
            }
            fallbacks -= 1;
        }
    }

    /// How full the budgets of a snapshot are.
    ///
    /// # Errors
    /// [`Fault::LimitsAway`].
    pub(crate) async fn usage(&self, now: &Snapshot) -> Result<Usage, Fault> {
        let read = usage::read(&self.limiter, now, Timestamp::now()).await;
        read.map_err(|away| {
            tracing::debug!(%away, "nobody can tell how full budgets are");
            Fault::LimitsAway("all budgets".into())
        })
    }

    /// One lease in all of `held`, after a wait where the limit that is full throttles.
    async fn reserve(
        &self,
        held: &[Charge],
        forecast: Forecast,
        model: &str,
    ) -> Result<Result<Lease, Full>, Fault> {
        let patience = Instant::now() + THROTTLE;
        loop {
            let now = Timestamp::now();
            let (counter, level, resets_at) =
                match self.limiter.admit(self.ask(held, forecast, model, now)).await {
                    Admission::Admitted(lease) => {
                        self.watch(held, &lease);
                        self.roll.counted(held);
                        return Ok(Ok(lease));
                    }
                    Admission::Unchecked { counter, away } => {
                        return Err(self.unchecked(held, &counter, &away));
                    }
                    Admission::Refused { counter, level, resets_at } => (counter, level, resets_at),
                };
            // A backend refuses for one of those that it was asked about.
            let Some(one) = find(held, &counter) else { return Err(Fault::LimitsAway(String::new())) };
            if one.rule.on_exceed == OnExceed::Throttle && wait(resets_at, now, patience).await {
                self.metrics.limited(&one.rule, "throttled");
                continue;
            }
            self.roll.refused(one, level);
            let falls_back = matches!(one.rule.on_exceed, OnExceed::Fallback { .. });
            self.metrics.limited(&one.rule, if falls_back { "fallback" } else { "refused" });
            let over = OverLimit::new(one, level, forecast.of(one.rule.unit), resets_at);
            return Ok(Err(Full { charge: one.clone(), over }));
        }
    }

    fn unchecked(&self, held: &[Charge], counter: &Counter, away: &Away) -> Fault {
        tracing::warn!(limit = counter.key().as_str(), %away, "a request is refused: its limit cannot be checked");
        let of = find(held, counter);
        if let Some(one) = of {
            self.metrics.limited(&one.rule, "unchecked");
        }
        Fault::LimitsAway(of.map(|one| one.rule.owner.to_string()).unwrap_or_default())
    }

    fn ask(&self, held: &[Charge], forecast: Forecast, model: &str, now: Timestamp) -> limits::Ask {
        let usual = self.averages.of(model);
        let counters = held.iter().map(|one| {
            let estimate = forecast.reserve(one.rule.unit, one.rule.estimate, usual);
            (Arc::clone(&one.counter), estimate)
        });
        let ttl = held.iter().map(|one| one.rule.ttl).max().unwrap_or_default();
        limits::Ask::new(ReservationId::new(now, rand::random()), counters.collect(), ttl)
    }

    /// Limits that only warn or watch, and those that are nearly full.
    fn watch(&self, held: &[Charge], lease: &Lease) {
        for ((_, level), one) in lease.levels().zip(held) {
            let taken = level.spent.saturating_add(level.reserved);
            if taken > level.amount {
                self.metrics.limited(&one.rule, if one.rule.is_shadow() { "shadow" } else { "warned" });
            } else if one.rule.soft.is_some_and(|soft| taken > soft) {
                self.metrics.limited(&one.rule, "soft");
            }
        }
    }
}

/// Whether it was worth it: there may be room now.
async fn wait(resets_at: Option<Timestamp>, now: Timestamp, patience: Instant) -> bool {
    let until_reset = resets_at.and_then(|at| Duration::try_from(at.duration_since(now)).ok());
    let pause = until_reset.unwrap_or(PACE).max(PACE);
    if Instant::now() + pause > patience {
        return false;
    }
    sleep(pause).await;
    true
}

fn find<'h>(held: &'h [Charge], counter: &Counter) -> Option<&'h Charge> {
    held.iter().find(|one| one.counter.key() == counter.key())
}

/// A limit with no room.
struct Full {
    charge: Charge,
    over: OverLimit,
}

impl Full {
    fn falls_back_to(&self) -> Option<&str> {
        match &self.charge.rule.on_exceed {
            OnExceed::Fallback { model } => Some(model),
            OnExceed::Reject | OnExceed::Warn | OnExceed::Throttle => None,
        }
    }
}

impl Tab {
    /// The request has ended. `used` is what it came to, if anybody knows; what was never sent costs nothing.
    pub(crate) fn close(self, used: Option<Forecast>, was_sent: bool) {
        if let Some(used) = used {
            self.averages.note(&self.model, used);
        }
        self.lease.settle(actual(used, was_sent), Timestamp::now());
    }

    /// What closing it puts into counters, for those who keep it beyond them; `None` if nothing is worth that.
    pub(crate) fn counted(&self, used: Option<Forecast>, was_sent: bool) -> Option<Counted> {
        let counts = self.lease.counts(actual(used, was_sent)).into_iter().map(|count| store::Count {
            counter: count.counter.as_str().to_owned(),
            span: count.window.to_string(),
            slot: count.slot,
            amount: i64::try_from(count.amount).unwrap_or(i64::MAX),
            until_us: count.until.map(Timestamp::as_microsecond),
        });
        let reservation = self.lease.reservation().map(|id| id.to_string());
        let space = self.lease.space().unwrap_or_default().to_owned();
        let counts: Vec<_> = counts.collect();
        (!counts.is_empty()).then_some(Counted { space, reservation, counts })
    }
}

/// What a request counts in each counter.
fn actual(used: Option<Forecast>, was_sent: bool) -> impl Fn(&Counter, u64) -> u64 {
    let used = used.unwrap_or_default();
    move |counter, _| match counter.unit() {
        _ if !was_sent => 0,
        Unit::Requests | Unit::Concurrency => 1,
        unit => used.of(unit),
    }
}

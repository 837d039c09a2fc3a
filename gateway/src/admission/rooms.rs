//! How much room the limits of a request have, without reserving any of it.

use limits::Timestamp;
use serde::Serialize;

use super::whom::Whom;
use super::{Asked, Desk, Forecast};
use crate::pipeline::Fault;
use crate::snapshot::{Key, Model, Snapshot};

/// One limit that counts a request. The numbers are in its unit; money is in nano-dollars.
#[derive(Debug, Serialize)]
pub(crate) struct Room {
    /// The BudgetPolicy or VirtualKey, or whom the store has the limit for.
    owner: String,
    limit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    unit: &'static str,
    amount: u64,
    spent: u64,
    reserved: u64,
    /// What the request would reserve.
    asks: u64,
    /// Whether it would be let in.
    fits: bool,
}

impl Desk {
    /// Of every limit that counts a request for `model`.
    ///
    /// # Errors
    /// [`Fault::LimitsAway`]; those of [`Whom::new`] and [`Whom::asks`].
    pub(crate) async fn rooms(
        &self,
        now: &Snapshot,
        asked: Asked<'_>,
        model: &Model,
    ) -> Result<Vec<Room>, Fault> {
        let accounts = self.accounts.as_ref().filter(|_| asked.caller.key().is_some_and(Key::is_stored));
        let whom = Whom::new(asked.caller, &asked.ask.said, accounts).await?;
        whom.asks(model, &asked.ask.model)?;
        let charges = whom.charges(now, model);
        let counters: Vec<_> = charges.iter().map(|charge| charge.counter.clone()).collect();
        let levels = self.limiter.levels(&counters, Timestamp::now()).await;
        let levels = levels.map_err(|_away| Fault::LimitsAway("all budgets".into()))?;
        let (forecast, usual) = (Forecast::most(asked.ask, model), self.averages.of(&model.name));
        let rooms = charges.iter().zip(levels).map(|(charge, level)| {
            let rule = &charge.rule;
            let asks = forecast.reserve(rule.unit, rule.estimate, usual);
            let taken = level.spent.saturating_add(level.reserved).saturating_add(asks.max(1));
            Room {
                owner: rule.owner.to_string(),
                limit: rule.limit.clone(),
                subject: charge.subject().map(str::to_owned),
                unit: super::usage::word(rule.unit),
                amount: level.amount,
                spent: level.spent,
                reserved: level.reserved,
                asks,
                fits: taken <= level.amount || charge.counter.at_limit() == limits::AtLimit::Count,
            }
        });
        Ok(rooms.collect())
    }
}

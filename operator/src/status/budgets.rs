//! The status of a BudgetPolicy: its conditions, a line of what it limits, and the reset that every pod has.
//! `budgets/live.rs` adds what is used.

mod live;
#[cfg(test)]
mod tests;

pub(super) use live::{announce, show};

use crds::{BudgetLimit, BudgetPolicy, BudgetPolicyStatus, BudgetUnit, StatusConditions as _, WindowSpec};
use render::{Kind, ObjectRef};

use super::conditions::hindered;
use super::objects::{Patience, Progressing, Scene, name_of};

/// Limits that the line names.
const NAMED: usize = 3;

impl Scene<'_> {
    /// The status of a BudgetPolicy as it is in the cluster now.
    pub(super) fn budget_policy(&self, object: &BudgetPolicy) -> (BudgetPolicyStatus, Patience) {
        let own = ObjectRef { kind: Kind::BudgetPolicy, name: name_of(&object.metadata) };
        let findings = self.findings(&own);
        let served = self.served(&own);
        let last_handled_reset_at = self.handled_reset(object, &own, &served);
        let progressing = match hindered(&findings) {
            Some((verdict, outlook)) => {
                let summary = verdict.message.clone();
                Progressing::hindered(verdict, outlook, summary)
            }
            None => Progressing { summary: summary(&object.spec.limits), ..served },
        };
        let before = object.status.as_ref().map_or(&[][..], |status| status.conditions());
        let (conditions, generation) =
            self.conditions(&object.metadata, before, (&findings, None), &progressing);
        let mut status = BudgetPolicyStatus {
            observed_generation: generation,
            conditions,
            gateway: self.gateway_of(&own),
            last_handled_reset_at,
            summary: progressing.summary,
            ..BudgetPolicyStatus::default()
        };
        // What is not counted has no numbers.
        if self.budgets.contains_key(&own.name) {
            live::keep(object, &mut status);
        }
        (status, progressing.patience)
    }

    /// The reset that is asked for, once every pod counts from it; until then the one before.
    fn handled_reset(&self, object: &BudgetPolicy, own: &ObjectRef, served: &Progressing) -> Option<String> {
        let before = || object.status.as_ref()?.last_handled_reset_at.clone();
        let Some(wanted) =
            object.metadata.annotations.as_ref().and_then(|all| all.get(crds::RESET_ANNOTATION))
        else {
            return before();
        };
        let rendered = self.budgets.get(&own.name).and_then(|budget| budget.reset_at);
        let is_rendered = rendered.is_some() && rendered == render::reset_time(wanted);
        if is_rendered && served.verdict.holds { Some(wanted.clone()) } else { before() }
    }
}

/// `500.00 USD/month, 400000 tokens/1m`.
fn summary(limits: &[BudgetLimit]) -> String {
    let mut parts: Vec<_> = limits.iter().take(NAMED).map(described).collect();
    if limits.len() > NAMED {
        parts.push(format!("and {} more", limits.len() - NAMED));
    }
    parts.join(", ")
}

fn described(limit: &BudgetLimit) -> String {
    let unit = match limit.unit {
        BudgetUnit::Usd => "USD",
        BudgetUnit::Tokens => "tokens",
        BudgetUnit::InputTokens => "input tokens",
        BudgetUnit::OutputTokens => "output tokens",
        BudgetUnit::Requests => "requests",
        BudgetUnit::Concurrency => "at once",
    };
    let window = limit.window.as_ref().map(window).unwrap_or_default();
    format!("{} {unit}{window}", limit.amount)
}

fn window(window: &WindowSpec) -> String {
    match (window.calendar, &window.rolling) {
        (Some(every), _) => format!("/{}", every.as_str().to_lowercase()),
        (None, Some(rolling)) => format!("/{}", rolling.0),
        (None, None) => String::new(),
    }
}

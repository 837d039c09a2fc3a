//! Who is told when a budget is used so far.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use config::{Delivery, ObjectName};
use reqwest::Url;

use super::compile::{CompileError, credential};
use crate::egress::{Egress, Way};

/// The alerts of all budgets.
#[derive(Debug, Default)]
pub(crate) struct Alerts(HashMap<ObjectName, Vec<Alert>>);

/// One threshold.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    /// Of the amount of any of the budget's limits.
    pub(crate) at_percent: u16,
    /// Whether the BudgetPolicy gets a Kubernetes event: the operator sees to that.
    pub(crate) event: bool,
    /// What is posted to.
    pub(crate) webhook: Option<Webhook>,
}

/// An address that is as good as a password: it is not shown anywhere.
#[derive(Clone)]
pub(crate) struct Webhook {
    url: Url,
    egress: Arc<Egress>,
}

impl Alerts {
    pub(super) fn compile(delivery: &Delivery, egress: &Arc<Egress>) -> Result<Self, CompileError> {
        let mut all = HashMap::new();
        for budget in delivery.config.budgets.iter().filter(|budget| !budget.alerts.is_empty()) {
            let alerts = budget.alerts.iter().map(|alert| {
                let material = alert.webhook.as_ref().map(|reference| credential(delivery, reference));
                let (budget, at_percent) = (&budget.id, alert.at_percent);
                let webhook = material.transpose()?.map(|material| {
                    let url = webhook_url(material.expose());
                    let url =
                        url.ok_or_else(|| CompileError::Webhook { budget: budget.clone(), at_percent })?;
                    if egress.refuses(&url) {
                        return Err(CompileError::LocalWebhook { budget: budget.clone(), at_percent });
                    }
                    Ok(Webhook { url, egress: Arc::clone(egress) })
                });
                Ok(Alert { at_percent, event: alert.event, webhook: webhook.transpose()? })
            });
            all.insert(budget.id.clone(), alerts.collect::<Result<_, CompileError>>()?);
        }
        Ok(Self(all))
    }

    /// Those of one budget.
    pub(crate) fn of(&self, budget: &ObjectName) -> &[Alert] {
        self.0.get(budget).map_or(&[], Vec::as_slice)
    }
}

impl Webhook {
    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    /// How it is reached if a connection may take `connect` to be made.
    pub(crate) fn way(&self, connect: Duration) -> Way {
        Way { egress: Arc::clone(&self.egress), connect }
    }
}

/// White space around it is not part of it, since `echo` adds a line feed.
fn webhook_url(material: &[u8]) -> Option<Url> {
    let url = Url::parse(std::str::from_utf8(material).ok()?.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook(…)")
    }
}

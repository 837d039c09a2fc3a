//! Looks after the store: brings a shared database up to date once it answers, and notes whether it does. A gateway
//! serves without it what it can, so nothing here ends the process or readiness. What has expired is swept out.

use std::sync::atomic::Ordering;
use std::time::Duration;

use store::{Store, StoreError};
use tokio::time::{sleep, timeout};

use crate::pipeline::Gateway;

/// Between two looks at a database.
const PACE: Duration = Duration::from_secs(5);

/// What has expired is not shown, so to forget it is not urgent.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(600);

/// A look that takes longer is one at a database that is away.
const PATIENCE: Duration = Duration::from_secs(3);

/// Until it is dropped. Returns where there is nothing to look after.
pub(super) async fn keep(gateway: &Gateway) {
    let Some(store) = &gateway.store else { return };
    bring_up_to_date(store).await;
    loop {
        let answers = matches!(timeout(PATIENCE, store.ping()).await, Ok(Ok(())));
        let answered = gateway.store_answers.swap(answers, Ordering::Relaxed);
        match (answered, answers) {
            (false, true) => tracing::info!(database = store.name(), "the database answers"),
            (true, false) => tracing::error!(database = store.name(), "the database does not answer"),
            _ => {}
        }
        sleep(PACE).await;
    }
}

/// Forgets what has expired, until it is dropped. Several gateways on one database may do it at once.
pub(super) async fn sweep(gateway: &Gateway) {
    if gateway.store.is_none() {
        return;
    }
    loop {
        let pause = match gateway.sweep_responses().await {
            Ok(0) => BETWEEN_SWEEPS,
            Ok(gone) => {
                tracing::info!(gone, "expired responses are forgotten");
                BETWEEN_SWEEPS
            }
            // It may not be there yet; whether it answers is told elsewhere.
            Err(error) => {
                tracing::debug!(%error, "expired responses could not be forgotten");
                PACE
            }
        };
        sleep(pause).await;
    }
}

async fn bring_up_to_date(store: &Store) {
    while let Err(error) = store.migrate().await {
        let advice = match &error {
            StoreError::Migration { .. } => "trying again; what needs it is refused until then",
            _ => "trying again",
        };
        tracing::error!(%error, "{advice}");
        sleep(PACE).await;
    }
}

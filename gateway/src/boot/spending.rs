//! Accounts for calls: opens the spool, ships what is in it while the gateway serves, and all of it at the end.

use std::time::Duration;

use anyhow::Context;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Options;
use crate::pipeline::Gateway;
use crate::spend::{self, Shipper, Spool};

/// A start waits no longer for what was counted before it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The end waits no longer for what is still to be written.
const STOPPING: Duration = Duration::from_secs(5);

/// The spool, where there is a store to ship to.
///
/// # Errors
/// Its folder cannot be used.
pub(super) fn spool(options: &Options) -> anyhow::Result<Option<Spool>> {
    let (Some(_), Some(wanted)) = (&options.store, &options.spool) else {
        tracing::warn!("there is no database, or no spool: what requests cost is only in the access log");
        return Ok(None);
    };
    let name = Uuid::now_v7().simple().to_string();
    let spool = Spool::open(wanted, &name, super::server::unix_micros).with_context(|| {
        let folder = wanted.folder.display();
        format!(
            "the spool in {folder} cannot be used: name a folder that can be written (FAIRLEAD_SPOOL_DIR)"
        )
    })?;
    Ok(Some(spool))
}

/// Ships until `stop`, and then what is left. Returns where there is nothing to ship. `begun` ends when budgets go on from
/// what was counted before.
pub(super) async fn ship(gateway: &Gateway, stop: &CancellationToken, begun: oneshot::Sender<()>) {
    let (Some(spool), Some(store)) = (&gateway.spool, &gateway.store) else { return };
    let limiter = gateway.desk.limiter.clone();
    let mut shipper = Shipper::new(spool.clone(), store.clone(), gateway.metrics.clone(), limiter);
    shipper.run(stop, begun).await;
    shipper.finish(STOPPING).await;
}

/// Waits until budgets go on from what was counted before. A database that is away holds up nobody for long.
pub(super) async fn begun(begun: oneshot::Receiver<()>) {
    // That nobody tells any more is the sign.
    if timeout(PATIENCE, begun).await.is_err() {
        tracing::error!("budgets begin without what was counted before, until the database answers");
    }
}

/// Looks after the records that are shipped, until it is dropped.
pub(super) async fn keep_up(gateway: &Gateway, keeps: Option<Duration>) {
    if let (Some(_), Some(store)) = (&gateway.spool, &gateway.store) {
        spend::upkeep(store, keeps, super::server::unix_micros).await;
    }
}

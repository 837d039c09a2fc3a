//! What the operator did, by the API server's own account, against what it may do and what it should.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use crds::{ConditionType, ModelGateway};
use e2e::audit::{Bookmark, Deed, Right, rights_of};
use e2e::cluster::Unproven;
use e2e::site::{LATER, OPERATOR_ACCOUNT, Site, reached};
use e2e::wait;

use crate::scenario::World;

const QUIET: Duration = Duration::from_secs(60);

pub(crate) async fn nothing_is_written_while_nothing_changes(world: &World) -> Result<()> {
    let site = &world.site;
    let control = site.cluster.control()?;
    site.serve("quiet", &site.deployment("quiet", "gpt-quiet")).await?;
    reached(&site.api::<ModelGateway>(), "main", ConditionType::Ready, LATER).await?;
    let log = control.audit_log();
    settle(site, &log).await?;
    let bookmark = Bookmark::here(&log)?;
    wait::watch_idle(QUIET).await;
    let deeds = bookmark.deeds_of(&site.namespace.0, OPERATOR_ACCOUNT)?;
    let (lease, other): (Vec<&Deed>, Vec<&Deed>) =
        deeds.iter().filter(|deed| deed.is_write()).partition(|deed| deed.right.resource == "leases");
    let shown: Vec<String> = other.iter().take(10).map(ToString::to_string).collect();
    ensure!(other.is_empty(), "{} writes while nothing changed, the first: {shown:#?}", other.len());
    ensure!(
        !lease.is_empty() && lease.len() <= 30,
        "the lease was renewed {} times in a minute",
        lease.len()
    );
    Ok(())
}

/// Until some seconds have brought no write: events of what earlier scenarios did, and what budgets have counted for them,
/// may still be on their way.
async fn settle(site: &Site, log: &Path) -> Result<()> {
    let mut bookmark = Bookmark::here(log)?;
    wait::until_true(Duration::from_secs(120), "the operator to finish what others began", async || {
        wait::watch_idle(Duration::from_secs(12)).await;
        let deeds = bookmark.deeds_of(&site.namespace.0, OPERATOR_ACCOUNT)?;
        bookmark = Bookmark::here(log)?;
        Ok(!deeds.iter().any(|deed| deed.is_write() && deed.right.resource != "leases"))
    })
    .await
}

pub(crate) async fn the_operator_writes_no_spec(world: &World) -> Result<()> {
    let deeds = world.log()?.deeds_of(&world.site.namespace.0, OPERATOR_ACCOUNT)?;
    let ours: Vec<&Deed> = deeds.iter().filter(|d| d.right.group == crds::GROUP && d.is_write()).collect();
    ensure!(!ours.is_empty(), "no status was written in the whole run: the log must be wrong");
    let beyond = ours.iter().filter(|deed| !deed.right.resource.ends_with("/status"));
    let beyond: Vec<String> = beyond.take(10).map(ToString::to_string).collect();
    ensure!(beyond.is_empty(), "specs belong to people: {beyond:#?}");
    Ok(())
}

pub(crate) async fn what_is_granted_is_what_is_used(world: &World) -> Result<()> {
    let log = world.log()?;
    if !world.whole {
        return Err(Unproven("only a whole run uses every right".into()).into());
    }
    let site = &world.site;
    is_refused_nothing(site, log)?;
    let granted = rights_of(&site.cluster, &site.namespace.0, OPERATOR_ACCOUNT).await?;
    let used: BTreeSet<Right> = used(site, log)?;
    let is_used = |right: &Right| {
        used.iter().any(|u| {
            let everywhere = right.namespace.is_none() || right.namespace == u.namespace;
            everywhere && (&u.verb, &u.group, &u.resource) == (&right.verb, &right.group, &right.resource)
        })
    };
    let idle: Vec<String> = granted.iter().filter(|right| !is_used(right)).map(ToString::to_string).collect();
    ensure!(idle.is_empty(), "granted and never used: {idle:#?}");
    Ok(())
}

fn used(site: &Site, log: &Bookmark) -> Result<BTreeSet<Right>> {
    let deeds = log.deeds_of(&site.namespace.0, OPERATOR_ACCOUNT)?;
    Ok(deeds.into_iter().filter(|deed| deed.code != 403).map(|deed| deed.right).collect())
}

/// What is used and not granted shows as a refusal.
pub(crate) fn is_refused_nothing(site: &Site, log: &Bookmark) -> Result<()> {
    let deeds = log.deeds_of(&site.namespace.0, OPERATOR_ACCOUNT)?;
    let refused: BTreeSet<String> = deeds
        .iter()
        .filter(|deed| deed.code == 403)
        .map(|deed| format!("{} ({})", deed.right, deed.name))
        .collect();
    ensure!(refused.is_empty(), "used and not granted: {refused:#?}");
    Ok(())
}

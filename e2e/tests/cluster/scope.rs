//! The operator without rights in the cluster: Roles in the namespaces it is given, and nothing beyond.

use anyhow::{Result, ensure};
use crds::{ConditionType, ModelDeployment, ModelGateway};
use e2e::audit::{Bookmark, rights_of};
use e2e::site::{LATER, OPERATOR_ACCOUNT, SOON, Site, reached, refused};

use crate::rights::is_refused_nothing;
use crate::scenario::World;

pub(crate) async fn namespaced_scope_needs_no_rights_in_the_cluster(world: &World) -> Result<()> {
    let site = &world.site;
    site.upgrade(&["operator.scope=Namespaced"]).await?;
    let proven = works(site).await;
    site.apply(include_str!("../../manifests/gateway.yaml")).await?;
    site.upgrade(&[]).await?;
    reached(&site.api::<ModelGateway>(), "main", ConditionType::Ready, LATER).await?;
    proven
}

async fn works(site: &Site) -> Result<()> {
    let log =
        site.cluster.control.as_ref().map(|control| Bookmark::here(&control.audit_log())).transpose()?;
    let gateways = site.api::<ModelGateway>();
    // Labels of namespaces are the cluster's, so consent by label is refused, and said so.
    let message = refused(&gateways, "main", ConditionType::ResolvedRefs, "SelectorNeedsClusterScope").await;
    let message = match message {
        Ok(message) => message,
        Err(_) => refused(&gateways, "main", ConditionType::Accepted, "SelectorNeedsClusterScope").await?,
    };
    ensure!(message.contains("scope"), "the message must show the way out: {message}");
    let manifest = include_str!("../../manifests/gateway.yaml");
    let (before, after) = (manifest.find("  models:"), manifest.find("---"));
    let (Some(before), Some(after)) = (before, after) else {
        anyhow::bail!("gateway.yaml has changed its shape")
    };
    let plain = format!("{}{}", manifest.split_at(before).0, manifest.split_at(after).1);
    site.apply(&plain).await?;
    reached(&gateways, "main", ConditionType::Ready, LATER).await?;
    site.serve("within", &crate::credentials::keyed(site, "within", "sk-within")).await?;
    ensure!(site.caller()?.ask("within").await?.status == 200, "it must serve");
    site.apply(&site.deployment("within", "gpt-again")).await?;
    reached(&site.api::<ModelDeployment>(), "within", ConditionType::Programmed, SOON).await?;
    let rights = rights_of(&site.cluster, &site.namespace.0, OPERATOR_ACCOUNT).await?;
    let wide: Vec<String> =
        rights.iter().filter(|r| r.namespace.is_none()).map(ToString::to_string).collect();
    ensure!(wide.is_empty(), "rights in the whole cluster: {wide:?}");
    log.map_or(Ok(()), |log| is_refused_nothing(site, &log))
}

//! Across namespaces: nothing attaches to a gateway and nothing uses a credential without its owner's consent.

use anyhow::{Result, ensure};
use crds::{ConditionType, ModelDeployment};
use e2e::cluster::Namespace;
use e2e::site::{SOON, Site, reached, refused};
use e2e::wait;
use kube::Api;

use crate::scenario::World;

/// Makes a namespace for the time of `test`.
async fn guest(site: &Site, role: &str, tenant: &str) -> Result<(Namespace, Api<ModelDeployment>)> {
    let namespace = Namespace::make(&site.cluster, role, &[("fairlead.dev/tenant", tenant)]).await?;
    let api = Api::namespaced(site.cluster.client.clone(), &namespace.0);
    Ok((namespace, api))
}

pub(crate) async fn a_namespace_attaches_only_where_the_gateway_lets_it(world: &World) -> Result<()> {
    let site = &world.site;
    let (friend, theirs) = guest(site, "-friend", "true").await?;
    let (stranger, foreign) = guest(site, "-stranger", "false").await?;
    site.apply_in(&friend, &site.deployment("shared", "gpt-friend")).await?;
    site.apply_in(&stranger, &site.deployment("foreign", "gpt-stranger")).await?;
    reached(&theirs, "shared", ConditionType::Programmed, SOON).await?;
    refused(&foreign, "foreign", ConditionType::Accepted, "GatewayNotFound").await?;
    let caller = site.caller()?;
    ensure!(caller.ask("shared").await?.content()? == "I am gpt-friend.", "the friend's model must answer");
    ensure!(caller.ask("foreign").await?.status == 404, "the stranger's model must not be served");
    // The name belongs to the namespace that had it first.
    site.apply(&site.deployment("shared", "gpt-thief")).await?;
    refused(&site.api::<ModelDeployment>(), "shared", ConditionType::Accepted, "ModelNameTaken").await?;
    ensure!(caller.ask("shared").await?.content()? == "I am gpt-friend.", "a name cannot be taken over");
    // Consent is by label, and labels change.
    let label = ["label", "namespace", &stranger.0, "fairlead.dev/tenant=true", "--overwrite"];
    site.cluster.kubectl(&label, "").await?;
    reached(&foreign, "foreign", ConditionType::Programmed, SOON).await?;
    friend.delete(&site.cluster).await?;
    stranger.delete(&site.cluster).await
}

pub(crate) async fn a_credential_is_used_only_where_its_owner_lets_it(world: &World) -> Result<()> {
    let site = &world.site;
    let (team, theirs) = guest(site, "-team", "true").await?;
    let owner = |consent: &str| {
        format!(
            "apiVersion: v1
kind: Secret
metadata: {{name: lent-key}}
stringData: {{apiKey: sk-lent}}
---
apiVersion: fairlead.dev/v1alpha1
kind: ProviderSecret
metadata: {{name: lent}}
spec: {{kubernetes: {{secretRef: {{name: lent-key}}}}, consumers: {{namespaces: {{from: {consent}}}}}}}
"
        )
    };
    site.apply(&owner("Same")).await?;
    let ns = &site.namespace.0;
    let reference = format!("  credentialsRef: {{name: lent, namespace: {ns}}}\n");
    site.apply_in(&team, &(site.deployment("borrower", "gpt-borrower") + &reference)).await?;
    let refusal = refused(&theirs, "borrower", ConditionType::ResolvedRefs, "RefNotPermitted").await?;
    let absent = reference.replace("name: lent", "name: lost");
    site.apply_in(&team, &(site.deployment("seeker", "gpt-seeker") + &absent)).await?;
    let absence = refused(&theirs, "seeker", ConditionType::ResolvedRefs, "RefNotPermitted").await?;
    let same = refusal.replace("lent", "X") == absence.replace("lost", "X");
    ensure!(same, "what may not be used must look like what is not there: {refusal:?}, {absence:?}");

    site.apply(&owner("All")).await?;
    reached(&theirs, "borrower", ConditionType::Programmed, SOON).await?;
    let caller = site.caller()?;
    ensure!(caller.ask("borrower").await?.status == 200, "with consent it must answer");
    let calls = site.upstream.calls_for("gpt-borrower", 0).await?;
    let sent = calls.last().and_then(|call| call.headers.get("authorization"));
    ensure!(sent.is_some_and(|key| key == "Bearer sk-lent"), "the key came as {sent:?}");

    site.apply(&owner("Same")).await?;
    wait::until_true(SOON, "the withdrawn consent to stop the model", async || {
        Ok(caller.ask("borrower").await?.status == 404)
    })
    .await?;
    team.delete(&site.cluster).await
}

//! Edits that cannot be served: the object says why, and what served before goes on.

use anyhow::{Result, ensure};
use crds::{ConditionType, ModelDeployment, ModelGateway};
use e2e::calls::Caller;
use e2e::cluster::condition;
use e2e::site::{LATER, SOON, refused};
use e2e::wait;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::DeleteParams;

use crate::scenario::World;

pub(crate) async fn an_unknown_provider_is_named_and_the_last_good_version_serves(
    world: &World,
) -> Result<()> {
    let site = &world.site;
    let good = site.deployment("mended", "gpt-good");
    site.serve("mended", &good).await?;
    site.apply(&good.replace("type: custom", "type: opnai").replace("gpt-good", "gpt-bad")).await?;
    let api = site.api::<ModelDeployment>();
    let message = refused(&api, "mended", ConditionType::Accepted, "UnknownProvider").await?;
    ensure!(message.contains("opnai"), "the message must name the word: {message}");
    let object = api.get("mended").await?;
    ensure!(
        condition(&object, ConditionType::Stalled).is_some_and(|c| c.status == "True"),
        "only an edit can help"
    );
    let caller = site.caller()?;
    wait::until_true(SOON, "the gateway to count it as rejected", async || {
        let gateway = site.api::<ModelGateway>().get("main").await?;
        Ok(gateway.status.and_then(|status| status.models).is_some_and(|models| models.rejected == 1))
    })
    .await?;
    ensure!(caller.ask("mended").await?.content()? == "I am gpt-good.", "the last good version must serve");
    site.serve("mended", &good.replace("gpt-good", "gpt-better")).await?;
    ensure!(caller.ask("mended").await?.content()? == "I am gpt-better.", "a mended edit must serve");
    let object = api.get("mended").await?;
    ensure!(condition(&object, ConditionType::Stalled).is_none(), "Stalled is present only while True");
    Ok(())
}

pub(crate) async fn a_missing_credential_is_named_and_the_last_good_version_serves(
    world: &World,
) -> Result<()> {
    let site = &world.site;
    let good = site.deployment("keyless", "gpt-good");
    site.serve("keyless", &good).await?;
    site.apply(&format!("{good}  credentialsRef: {{name: nowhere}}\n")).await?;
    let api = site.api::<ModelDeployment>();
    let message = refused(&api, "keyless", ConditionType::ResolvedRefs, "RefNotPermitted").await?;
    ensure!(message.contains("nowhere"), "the message must name the credential: {message}");
    ensure!(
        site.caller()?.ask("keyless").await?.content()? == "I am gpt-good.",
        "the last good version must serve"
    );
    let credential = "apiVersion: v1
kind: Secret
metadata: {name: nowhere-key}
stringData: {apiKey: sk-found-at-last}
---
apiVersion: fairlead.dev/v1alpha1
kind: ProviderSecret
metadata: {name: nowhere}
spec: {kubernetes: {secretRef: {name: nowhere-key}}}
";
    site.apply(credential).await?;
    site.programmed("keyless").await?;
    ensure!(site.caller()?.ask("keyless").await?.status == 200, "it must answer");
    let calls = site.upstream.calls_for("gpt-good", 0).await?;
    let last = calls.last().and_then(|call| call.headers.get("authorization"));
    ensure!(last.is_some_and(|key| key == "Bearer sk-found-at-last"), "the credential came with {last:?}");
    Ok(())
}

pub(crate) async fn the_last_good_version_outlives_the_operator(world: &World) -> Result<()> {
    let site = &world.site;
    let good = site.deployment("lasting", "gpt-good");
    site.serve("lasting", &good).await?;
    site.apply(&good.replace("type: custom", "type: opnai")).await?;
    refused(&site.api::<ModelDeployment>(), "lasting", ConditionType::Accepted, "UnknownProvider").await?;
    let before = site.operator_pods().await?;
    for pod in &before {
        site.api::<Pod>().delete(&pod.name_any(), &DeleteParams::default()).await?;
    }
    // The next operator knows of the good version only by what is published.
    site.apply(&site.deployment("other", "gpt-other")).await?;
    let api = site.api::<ModelDeployment>();
    e2e::site::reached(&api, "other", ConditionType::Programmed, LATER).await?;
    for (caller, _reach) in &site.pod_callers().await? {
        let answer = caller.ask("lasting").await?.content()?;
        ensure!(answer == "I am gpt-good.", "after the operator's restart the model says {answer:?}");
    }
    Ok(())
}

pub(crate) async fn a_model_that_was_never_good_is_not_served(world: &World) -> Result<()> {
    let site = &world.site;
    let good = site.deployment("stillborn", "gpt-x");
    site.apply(&good.replace("type: custom", "type: opnai")).await?;
    refused(&site.api::<ModelDeployment>(), "stillborn", ConditionType::Accepted, "UnknownProvider").await?;
    site.serve("sound", &site.deployment("sound", "gpt-sound")).await?;
    let caller: Caller = site.caller()?;
    ensure!(caller.ask("stillborn").await?.status == 404, "there is nothing to serve");
    ensure!(caller.ask("sound").await?.status == 200, "one bad object must not hold up the others");
    Ok(())
}

//! Two pods, one truth: `Programmed` speaks for both.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use crds::{ConditionType, ModelDeployment, ModelGateway};
use e2e::cluster::{Control, is_true_now, run};
use e2e::site::{LATER, Site};
use e2e::wait;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use crate::scenario::World;

pub(crate) async fn programmed_means_that_every_pod_answers_anew(world: &World) -> Result<()> {
    let site = &world.site;
    let pods = site.pod_callers().await?;
    ensure!(pods.len() == 2, "two pods must serve, not {}", pods.len());
    for edit in 0..10 {
        site.serve("both", &site.deployment("both", &format!("gpt-{edit}"))).await?;
        for (caller, reach) in &pods {
            let answer = caller.ask("both").await?.content()?;
            ensure!(
                answer == format!("I am gpt-{edit}."),
                "edit {edit} is programmed, and {} says {answer}",
                reach.url
            );
        }
    }
    Ok(())
}

pub(crate) async fn a_pod_that_stands_still_holds_programmed_back(world: &World) -> Result<()> {
    let site = &world.site;
    site.cluster.control()?;
    site.serve("held", &site.deployment("held", "gpt-before")).await?;
    let pod = site.gateway_pods().await?.into_iter().next().context("no gateway pod")?;
    let processes = Control::processes(&pod.uid().context("no uid")?)?;
    let process = processes.into_iter().next().context("the pod has no process here")?.id.to_string();
    run("kill", &["-STOP", &process], "", &[]).await?;
    let held = hold(site, &pod).await;
    run("kill", &["-CONT", &process], "", &[]).await?;
    held?;
    e2e::site::reached(&site.api::<ModelDeployment>(), "held", ConditionType::Programmed, LATER).await?;
    wait::until_true(LATER, "the pod to be Ready again", async || Ok(site.gateway_pods().await?.len() == 2))
        .await?;
    for (caller, reach) in &site.pod_callers().await? {
        let answer = caller.ask("held").await?.content()?;
        ensure!(answer == "I am gpt-after.", "{} is Ready and says {answer}", reach.url);
    }
    Ok(())
}

/// Edits, and looks for as long as the stopped pod still counts as Ready (its probes take some seconds to fail).
async fn hold(site: &Site, stopped: &Pod) -> Result<()> {
    site.apply(&site.deployment("held", "gpt-after")).await?;
    let (models, pods) = (site.api::<ModelDeployment>(), site.api::<Pod>());
    let mut named = false;
    wait::until_true(Duration::from_secs(30), "the stopped pod to be no longer Ready", async || {
        let programmed = is_true_now(&models.get("held").await?, ConditionType::Programmed);
        let gateway = site.api::<ModelGateway>().get("main").await?;
        let pod = pods.get(&stopped.name_any()).await?;
        let conditions = pod.status.and_then(|status| status.conditions).unwrap_or_default();
        if !conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True") {
            return Ok(true);
        }
        // The pod is Ready after the look at the deployment, so it was Ready during it.
        ensure!(!programmed, "Programmed although {} cannot have taken it", stopped.name_any());
        let lagging = gateway.status.map(|status| status.lagging_pods).unwrap_or_default();
        named |= lagging.iter().any(|lagging| lagging.name == stopped.name_any());
        Ok(false)
    })
    .await?;
    ensure!(named, "ModelGateway.status.laggingPods never named {}", stopped.name_any());
    Ok(())
}

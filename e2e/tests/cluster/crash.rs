//! The operator dies at the worst moments. What is served stays complete, and the next one finishes the work.

use std::time::Duration;

use anyhow::{Result, ensure};
use crds::{ConditionType, ModelDeployment};
use e2e::calls::Reuse;
use e2e::load::{Habit, Load};
use e2e::site::{LATER, Site, reached};
use e2e::wait;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::scenario::World;

const MODELS: u32 = 5;
const KILLS: u32 = 5;

pub(crate) async fn an_operator_killed_while_publishing_converges(world: &World) -> Result<()> {
    let site = &world.site;
    let names: Vec<String> = (0..MODELS).map(|n| format!("burst-{n}")).collect();
    let yaml: Vec<String> = names.iter().map(|name| site.deployment(name, "gpt-start")).collect();
    site.apply(&yaml.join("---\n")).await?;
    for name in &names {
        site.programmed(name).await?;
    }
    let bystander =
        Habit::Plain { model: "hello".into(), reuse: Reuse::Never, pause: Duration::from_millis(20) };
    let load = Load::start(&site.service.url, &site.key, &[bystander])?;
    let mut edit = 0;
    for _ in 0..KILLS {
        // The new operator is at work before the next one dies.
        for _ in 0..8 {
            edit += 1;
            burst(site, &names, edit).await?;
        }
        kill_operator(site).await?;
        edit += 1;
        burst(site, &names, edit).await?;
        wait::until_true(LATER, "an operator to run again", async || {
            Ok(site.operator_pods().await?.iter().any(is_running))
        })
        .await?;
    }
    for name in &names {
        reached(&site.api::<ModelDeployment>(), name, ConditionType::Programmed, LATER).await?;
    }
    for (caller, reach) in &site.pod_callers().await? {
        for name in &names {
            let answer = caller.ask(name).await?.content()?;
            ensure!(
                answer == format!("I am gpt-{edit}."),
                "{} says {answer} for {name}, not {edit}",
                reach.url
            );
        }
    }
    load.finish().await.is_clean(50)
}

async fn burst(site: &Site, names: &[String], edit: u32) -> Result<()> {
    let api = site.api::<ModelDeployment>();
    let patch = Patch::Merge(json!({"spec": {"provider": {"model": format!("gpt-{edit}")}}}));
    for name in names {
        api.patch(name, &PatchParams::default(), &patch).await?;
    }
    Ok(())
}

/// With no grace: the kubelet sends SIGKILL.
async fn kill_operator(site: &Site) -> Result<()> {
    for pod in site.operator_pods().await? {
        site.api::<Pod>().delete(&pod.name_any(), &DeleteParams::default().grace_period(0)).await?;
    }
    Ok(())
}

fn is_running(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready = conditions.into_iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True");
    ready && pod.metadata.deletion_timestamp.is_none()
}

pub(crate) async fn a_new_pod_serves_while_there_is_no_operator(world: &World) -> Result<()> {
    let site = &world.site;
    site.serve("steady", &site.deployment("steady", "gpt-steady")).await?;
    scale_operator(site, 0).await?;
    wait::until_true(LATER, "the operator to be gone", async || Ok(site.operator_pods().await?.is_empty()))
        .await?;
    let old = site.gateway_pods().await?;
    for pod in &old {
        site.api::<Pod>().delete(&pod.name_any(), &DeleteParams::default().grace_period(1)).await?;
    }
    let served = new_pods_serve(site, &old).await;
    scale_operator(site, 1).await?;
    served?;
    // The next change finds an operator again.
    site.apply(&site.deployment("steady", "gpt-steadier")).await?;
    reached(&site.api::<ModelDeployment>(), "steady", ConditionType::Programmed, LATER).await?;
    Ok(())
}

async fn new_pods_serve(site: &Site, old: &[Pod]) -> Result<()> {
    wait::until_true(LATER, "two new pods to be Ready without an operator", async || {
        let pods = site.gateway_pods().await?;
        Ok(pods.len() == 2 && pods.iter().all(|pod| old.iter().all(|old| old.uid() != pod.uid())))
    })
    .await?;
    for (caller, reach) in &site.pod_callers().await? {
        let answer = caller.ask("steady").await?.content()?;
        ensure!(answer == "I am gpt-steady.", "the new pod {} says {answer}", reach.url);
    }
    Ok(())
}

async fn scale_operator(site: &Site, replicas: u32) -> Result<()> {
    let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
    site.api::<Deployment>().patch("fairlead-operator", &PatchParams::default(), &patch).await?;
    Ok(())
}

//! The API server is away. Gateways do not notice, and neither does a gateway that starts meanwhile.

use anyhow::{Context, Result, ensure};
use crds::{ConditionType, ModelDeployment};
use e2e::calls::{Caller, text_of};
use e2e::cluster::{Control, HostProcess, Reach};
use e2e::site::{LATER, Site, reached};
use e2e::wait;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use crate::scenario::World;

pub(crate) async fn gateways_restart_without_the_api_server(world: &World) -> Result<()> {
    let site = &world.site;
    let control = site.cluster.control()?;
    let yaml = crate::credentials::keyed(site, "enduring", "sk-enduring");
    site.serve("enduring", &yaml).await?;
    // All that needs the API server is asked before it goes.
    let pods = site.gateway_pods().await?;
    let ways = site.pod_callers().await?;
    control.apiserver("stop").await?;
    let survived = restart(&pods, &ways).await;
    let service = served_through_the_service(site).await;
    control.apiserver("start").await?;
    survived?;
    service?;
    site.apply(&site.deployment("afterwards", "gpt-afterwards")).await?;
    reached(&site.api::<ModelDeployment>(), "afterwards", ConditionType::Programmed, LATER).await?;
    // The kubelet tells of it in its own time.
    for pod in &pods {
        let name = pod.name_any();
        wait::until_true(LATER, format!("{name} to have been restarted in place"), async || {
            let now = site.api::<Pod>().get(&name).await?;
            let containers = now.status.and_then(|status| status.container_statuses).unwrap_or_default();
            Ok(containers.iter().any(|container| container.restart_count >= 1))
        })
        .await?;
    }
    Ok(())
}

async fn restart(pods: &[Pod], ways: &[(Caller, Reach)]) -> Result<()> {
    for pod in pods {
        let uid = pod.uid().context("no uid")?;
        let before = gateway_process(&uid)?.context("no process")?;
        before.kill().await?;
        wait::until_true(LATER, "the kubelet to start the gateway anew", async || {
            Ok(gateway_process(&uid)?.is_some_and(|now| now != before))
        })
        .await?;
    }
    for (caller, reach) in ways {
        let what = format!("the restarted {} to serve from its files", reach.url);
        wait::until_true(LATER, what, async || {
            Ok(caller.ask("enduring").await?.content()? == "I am gpt-enduring.")
        })
        .await?;
    }
    Ok(())
}

async fn served_through_the_service(site: &Site) -> Result<()> {
    let caller = site.caller()?;
    ensure!(caller.ask("enduring").await?.status == 200, "the Service must answer without the API server");
    let text = text_of(&caller.stream("enduring").await?)?;
    ensure!(text == "I am gpt-enduring.", "the stream said {text:?}");
    let calls = site.upstream.calls_for("gpt-enduring", 0).await?;
    let keys = calls.iter().filter_map(|call| call.headers.get("authorization"));
    ensure!(keys.clone().all(|key| key == "Bearer sk-enduring"), "the key must survive: {:?}", keys.last());
    Ok(())
}

fn gateway_process(uid: &str) -> Result<Option<HostProcess>> {
    // The kernel cuts names at 15 bytes.
    Ok(Control::processes(uid)?.into_iter().find(|process| "fairlead-gateway".starts_with(&process.name)))
}

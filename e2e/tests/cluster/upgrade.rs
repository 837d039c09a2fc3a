//! Helm, as the people who run Fairlead use it.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::calls::Reuse;
use e2e::cluster::Unproven;
use e2e::load::{Habit, Load};
use e2e::site::{LATER, RELEASE, SOON};
use e2e::wait;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::ListParams;

use crate::scenario::World;

pub(crate) async fn helm_test_passes(world: &World) -> Result<()> {
    let site = &world.site;
    let said = site.cluster.helm(&["test", RELEASE, "-n", &site.namespace.0, "--timeout", "60s"]).await?;
    ensure!(said.contains("Succeeded"), "helm test said {said}");
    Ok(())
}

pub(crate) async fn a_helm_upgrade_drops_no_request(world: &World) -> Result<()> {
    let site = &world.site;
    if site.service.forwarded {
        let why = "the Service is reached by a port-forward, which ends with its pod";
        return Err(Unproven(why.into()).into());
    }
    let yaml = [site.deployment("plain", "gpt-plain"), site.deployment("flow", "slow-stream-20x100ms")];
    site.apply(&yaml.join("---\n")).await?;
    site.programmed("plain").await?;
    site.programmed("flow").await?;
    let old: Vec<_> = site.gateway_pods().await?.iter().map(kube::ResourceExt::uid).collect();
    let plain = |reuse| Habit::Plain { model: "plain".into(), reuse, pause: Duration::from_millis(5) };
    let stream = Habit::Stream { model: "flow".into() };
    let habits =
        [plain(Reuse::Never), plain(Reuse::KeepAlive), plain(Reuse::KeepAlive), stream.clone(), stream];
    let load = Load::start(&site.service.url, &site.key, &habits)?;
    wait::until_true(SOON, "the load to run", async || Ok(load.good() > 20)).await?;
    site.upgrade(&["gateway.log=debug", "operator.log=debug", "gateway.podAnnotations.e2e=upgraded"]).await?;
    let label = ListParams::default().labels("fairlead.dev/gateway=main");
    wait::until_true(LATER, "the old pods to be gone, drained", async || {
        let pods = site.api::<Pod>().list(&label).await?.items;
        Ok(pods.len() == 2 && pods.iter().all(|pod| !old.contains(&pod.uid())))
    })
    .await?;
    let before = load.good();
    wait::until_true(LATER, "some more calls on the new pods", async || Ok(load.good() > before + 100))
        .await?;
    load.finish().await.is_clean(500)
}

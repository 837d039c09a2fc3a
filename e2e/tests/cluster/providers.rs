//! Providers die under load. While one of them stands, clients see nothing of it.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use crds::{ConditionType, ModelDeployment};
use e2e::calls::Reuse;
use e2e::load::{Habit, Load};
use e2e::site::{LATER, Site, reached};
use e2e::wait;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt as _;
use kube::api::{DeleteParams, ListParams};
use tokio::time::sleep;

use crate::scenario::World;

const PROVIDERS: usize = 3;
const KILLS: u32 = 12;

pub(crate) async fn killed_at_random_they_fail_no_request(world: &World) -> Result<()> {
    let site = &world.site;
    let outcome = chaos(site).await;
    let (deployments, services) = (site.api::<Deployment>(), site.api::<Service>());
    for name in names() {
        deployments.delete(&name, &DeleteParams::foreground()).await?;
        services.delete(&name, &DeleteParams::default()).await?;
    }
    outcome
}

fn names() -> impl Iterator<Item = String> {
    (0..PROVIDERS).map(|place| format!("provider-{place}"))
}

async fn chaos(site: &Site) -> Result<()> {
    // The stand-in that all scenarios use, as often and under other names.
    let standin = include_str!("../../manifests/upstream.yaml");
    for name in names() {
        let own = standin
            .replace("name: upstream\n", &format!("name: {name}\n"))
            .replace("app: upstream", &format!("app: {name}"));
        site.apply(&own).await?;
        let model =
            site.deployment(&name, "gpt-chaos").replace("http://upstream.", &format!("http://{name}."));
        site.apply(&model.replace(&format!("modelName: {name}"), "modelName: chaos")).await?;
    }
    wait::until_true(LATER, "all providers to be Ready", async || Ok(ready(site).await?.len() == PROVIDERS))
        .await?;
    for name in names() {
        reached(&site.api::<ModelDeployment>(), &name, ConditionType::Programmed, LATER).await?;
    }
    let habit =
        Habit::Plain { model: "chaos".into(), reuse: Reuse::KeepAlive, pause: Duration::from_millis(10) };
    let load = Load::start(&site.service.url, &site.key, &vec![habit; 6])?;
    let mut killed = 0;
    while killed < KILLS {
        sleep(Duration::from_millis(800)).await;
        let pods = ready(site).await?;
        // It takes the cluster a moment to lead to a pod that is Ready: two others stand for sure.
        let Some(pod) = pick(&pods).filter(|_| pods.len() == PROVIDERS) else { continue };
        site.api::<Pod>().delete(&pod.name_any(), &DeleteParams::default().grace_period(0)).await?;
        killed += 1;
    }
    let tally = load.finish().await;
    tally.is_clean(500)?;
    ensure!(tally.slowest < Duration::from_secs(10), "a request took {:?}", tally.slowest);
    Ok(())
}

fn pick(pods: &[Pod]) -> Option<&Pod> {
    let drawn = RandomState::new().hash_one(pods.len());
    let place = usize::try_from(drawn % 1009).ok()?.checked_rem(pods.len())?;
    pods.get(place)
}

/// Those that answer and are not about to go.
async fn ready(site: &Site) -> Result<Vec<Pod>> {
    let wanted = names().collect::<Vec<_>>().join(",");
    let pods = site.api::<Pod>().list(&ListParams::default().labels(&format!("app in ({wanted})"))).await;
    let pods = pods.context("the providers' pods")?;
    let is_ready = |pod: &Pod| {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
        let mut conditions = conditions.into_iter().flatten();
        conditions.any(|one| one.type_ == "Ready" && one.status == "True")
            && pod.metadata.deletion_timestamp.is_none()
    };
    Ok(pods.items.into_iter().filter(is_ready).collect())
}

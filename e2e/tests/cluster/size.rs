//! What a thousand models cost. The promise: 40 MiB in each gateway, 80 MiB in the operator.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use crds::{ConditionType, ModelDeployment, ModelGateway};
use e2e::memory::resident_bytes;
use e2e::site::{Site, reached};
use e2e::wait;
use kube::ResourceExt as _;

use crate::scenario::World;

const MODELS: usize = 1_000;
const GATEWAY_MIB: u64 = 40;
const OPERATOR_MIB: u64 = 80;

pub(crate) async fn a_thousand_models_fit_in_memory(world: &World) -> Result<()> {
    let site = &world.site;
    for first in (0..MODELS).step_by(100) {
        let some: Vec<String> =
            (first..first + 100).map(|n| site.deployment(&format!("many-{n}"), "gpt-many")).collect();
        let yaml = some.join("---\n");
        site.cluster.kubectl(&["apply", "--server-side", "-n", &site.namespace.0, "-f", "-"], &yaml).await?;
    }
    let last = format!("many-{}", MODELS - 1);
    let soon = Duration::from_secs(60);
    reached(&site.api::<ModelDeployment>(), &last, ConditionType::Programmed, soon).await?;
    reached(&site.api::<ModelGateway>(), "main", ConditionType::Ready, soon).await?;
    wait::until_true(soon, "every model to be served", async || {
        let gateway = site.api::<ModelGateway>().get("main").await?;
        let served = gateway.status.and_then(|status| status.models).map(|models| models.served);
        Ok(served == i64::try_from(MODELS + 1).ok())
    })
    .await?;
    // Reloads and answers: garbage of the loading must not stay.
    for edit in 0..10 {
        site.serve("many-0", &site.deployment("many-0", &format!("gpt-{edit}"))).await?;
        ensure!(site.caller()?.ask("many-999").await?.status == 200, "the models must answer");
    }
    let sizes = measure(site).await?;
    for (name, mib, limit) in &sizes {
        eprintln!("    {name}: {mib} MiB of {limit}");
    }
    let over: Vec<_> = sizes.iter().filter(|(_, mib, limit)| mib > limit).collect();
    ensure!(over.is_empty(), "too much memory: {over:?}");
    Ok(())
}

async fn measure(site: &Site) -> Result<Vec<(String, u64, u64)>> {
    let mut sizes = Vec::new();
    for pod in site.gateway_pods().await? {
        sizes.push((pod.name_any(), resident_bytes(&site.cluster, &pod).await? >> 20, GATEWAY_MIB));
    }
    let operators = site.operator_pods().await?;
    let operator =
        operators.iter().find(|pod| pod.metadata.deletion_timestamp.is_none()).context("no operator")?;
    sizes.push((operator.name_any(), resident_bytes(&site.cluster, operator).await? >> 20, OPERATOR_MIB));
    Ok(sizes)
}

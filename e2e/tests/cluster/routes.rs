//! ModelRoutes as people meet them: what they apply, and what they are told.

use anyhow::{Context, Result, ensure};
use crds::{ConditionType, ModelRoute};
use e2e::cluster::condition;
use e2e::site::{SOON, Site, reached, refused};
use e2e::wait;

use crate::scenario::World;

fn route(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: fairlead.dev/v1alpha1
kind: ModelRoute
metadata: {{name: {name}}}
spec: {{{spec}}}
"
    )
}

async fn ready(site: &Site, name: &str) -> Result<ModelRoute> {
    reached(&site.api::<ModelRoute>(), name, ConditionType::Ready, SOON).await
}

/// Waits until `kubectl get mroute` has a line that begins so.
async fn listed(site: &Site, line: &str) -> Result<()> {
    wait::until(SOON, format!("kubectl get mroute to say {line:?}"), async || {
        let said = site.cluster.kubectl(&["get", "mroute", "-n", &site.namespace.0], "").await?;
        let mut squeezed = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        ensure!(squeezed.any(|have| have.starts_with(line)), "it says\n{said}");
        Ok(Some(()))
    })
    .await
}

pub(crate) async fn a_route_of_two_deployments_reaches_every_pod_and_reads_well(world: &World) -> Result<()> {
    let site = &world.site;
    site.serve("small", &site.deployment("small", "gpt-small")).await?;
    site.serve("large", &site.deployment("large", "gpt-large")).await?;
    let targets = "targets: [{name: long, model: large, when: tokens > 1000}, {name: rest, model: small}]";
    site.apply(&route("smart", targets)).await?;
    let object = ready(site, "smart").await?;
    let programmed = condition(&object, ConditionType::Programmed).context("no condition Programmed")?;
    ensure!(programmed.message.contains("2/2 pods current"), "Programmed says {:?}", programmed.message);
    listed(site, "NAME MODEL TARGETS READY PODS AGE").await?;
    listed(site, "smart smart 2/2 True 2/2 pods current").await
}

pub(crate) async fn a_loop_of_fallbacks_is_told_and_the_version_before_serves(world: &World) -> Result<()> {
    let site = &world.site;
    let api = site.api::<ModelRoute>();
    let with = |name: &str, to: &str| {
        let spec = format!("targets: [{{name: a, model: hello}}], fallbacks: {{onError: [{to}]}}");
        route(name, &spec)
    };
    site.apply(&with("round-b", "hello")).await?;
    ready(site, "round-b").await?;
    site.apply(&with("round-a", "round-b")).await?;
    ready(site, "round-a").await?;
    // Times of creation are whole seconds, and of one second the name decides: the newest is the one or the other.
    site.apply(&with("round-b", "round-a")).await?;
    let told = wait::until(SOON, "the loop to be told", async || {
        for name in ["round-a", "round-b"] {
            let object = api.get(name).await?;
            let accepted = condition(&object, ConditionType::Accepted).context("no condition Accepted")?;
            if accepted.status == "False" && accepted.reason == "FallbackLoop" {
                return Ok(Some(accepted.message.clone()));
            }
        }
        Ok(None)
    })
    .await?;
    ensure!(told.contains(" -> round-"), "the message must name the way: {told}");
    site.apply(&with("round-b", "hello")).await?;
    ready(site, "round-b").await?;
    ready(site, "round-a").await.map(drop)
}

pub(crate) async fn a_model_that_is_not_there_is_told_and_the_rest_serves(world: &World) -> Result<()> {
    let site = &world.site;
    let api = site.api::<ModelRoute>();
    site.apply(&route("partly", "targets: [{name: a, model: hello}, {name: b, model: later}]")).await?;
    // The gateway lets other namespaces attach, so what is absent reads as what may not be named.
    let message = refused(&api, "partly", ConditionType::ResolvedRefs, "RefNotPermitted").await?;
    ensure!(message.contains("targets[b].model") && message.contains("model later"), "{message}");
    ensure!(message.contains("the rest of it is served"), "{message}");
    listed(site, "partly partly 1/2 False").await?;
    site.serve("later", &site.deployment("later", "gpt-later")).await?;
    ready(site, "partly").await?;
    listed(site, "partly partly 2/2 True").await
}

pub(crate) async fn a_condition_that_is_none_is_told_with_the_facts(world: &World) -> Result<()> {
    let site = &world.site;
    let with =
        |when: &str| route("conditional", &format!("targets: [{{name: a, model: hello, when: {when}}}]"));
    site.apply(&with("tokens < 1000")).await?;
    ready(site, "conditional").await?;
    site.apply(&with("token < 1000")).await?;
    let api = site.api::<ModelRoute>();
    let message = refused(&api, "conditional", ConditionType::Accepted, "InvalidCondition").await?;
    ensure!(message.contains("speaks of token") && message.contains("max_tokens"), "{message}");
    ensure!(message.contains("the version before goes on serving"), "{message}");
    site.apply(&with("tokens < 2000")).await?;
    ready(site, "conditional").await.map(drop)
}

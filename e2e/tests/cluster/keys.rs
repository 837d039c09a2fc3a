//! VirtualKeys as people meet them: one manifest, a Secret with a key, and when that key opens the gateway.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use crds::{ConditionType, VirtualKey};
use e2e::calls::Caller;
use e2e::site::{LATER, SOON, Site, reached, refused};
use e2e::wait;
use k8s_openapi::api::core::v1::Secret;
use kube::api::DeleteParams;

use crate::scenario::World;

fn key(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: fairlead.dev/v1alpha1\nkind: VirtualKey\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
    )
}

/// What the Secret holds, once it is there.
async fn material(site: &Site, secret: &str) -> Result<String> {
    wait::until(SOON, format!("Secret {secret} to be made"), async || {
        let Some(found) = site.api::<Secret>().get_opt(secret).await? else { return Ok(None) };
        let key = found.data.unwrap_or_default().remove("apiKey").context("no apiKey in it")?;
        Ok(Some(String::from_utf8(key.0)?))
    })
    .await
}

/// Waits until every pod answers a call with that status; how long that took.
async fn every_pod_says(callers: &[Caller], status: u16) -> Result<Duration> {
    let begun = Instant::now();
    for caller in callers {
        wait::until_true(SOON, format!("{} to answer {status}", caller.base()), async || {
            let answer = caller.ask("hello").await?;
            ensure!(answer.status == status, "it says {}: {}", answer.status, answer.text);
            Ok(true)
        })
        .await?;
    }
    let took = begun.elapsed();
    eprintln!("    {status} on all of {} pods {:.2} s later", callers.len(), took.as_secs_f64());
    Ok(took)
}

pub(crate) async fn an_applied_key_opens_every_pod_and_a_deleted_one_none(world: &World) -> Result<()> {
    let site = &world.site;
    let pods = site.pod_callers().await?;
    site.apply(&key("bot", "models: {allow: ['hel*']}, limits: {requestsPerMinute: 1000}")).await?;
    let secret = material(site, "bot-key").await?;
    ensure!(secret.starts_with("sk-") && secret.len() == 67, "a key of {} characters", secret.len());
    let callers: Vec<Caller> = pods.iter().map(|(caller, _)| caller.with_key(&secret)).collect();
    every_pod_says(&callers, 200).await?;
    let api = site.api::<VirtualKey>();
    let object = reached(&api, "bot", ConditionType::Ready, SOON).await?;
    let status = object.status.context("no status")?;
    let shown = format!("sk-...{}", &secret[secret.len() - 4..]);
    ensure!(status.key_id.as_deref() == Some(shown.as_str()), "status shows {:?}", status.key_id);
    let denied = callers[0].ask("gpt-5").await?;
    ensure!(denied.status == 404, "a model that is not there is {}: {}", denied.status, denied.text);
    api.delete("bot", &DeleteParams::default()).await?;
    every_pod_says(&callers, 401).await?;
    wait::until_true(LATER, "the VirtualKey and its Secret to go", async || {
        let gone = api.get_opt("bot").await?.is_none();
        Ok(gone && site.api::<Secret>().get_opt("bot-key").await?.is_none())
    })
    .await
}

pub(crate) async fn a_key_may_ask_what_it_is_allowed_and_nothing_while_suspended(
    world: &World,
) -> Result<()> {
    let site = &world.site;
    site.serve("closed", &site.deployment("closed", "gpt-closed")).await?;
    let spec = "models: {allow: [hello]}";
    site.apply(&key("narrow", spec)).await?;
    let secret = material(site, "narrow-key").await?;
    reached(&site.api::<VirtualKey>(), "narrow", ConditionType::Ready, SOON).await?;
    let caller = site.caller()?.with_key(&secret);
    let answer = caller.ask("closed").await?;
    ensure!((answer.status, answer.error_code().as_str()) == (403, "key_model_access_denied"), "{answer:?}");
    let listed = caller.get("/v1/models").await?;
    ensure!(!listed.text.contains("closed"), "it lists what it may not ask: {}", listed.text);
    let pods = site.pod_callers().await?;
    let callers: Vec<Caller> = pods.iter().map(|(caller, _)| caller.with_key(&secret)).collect();
    site.apply(&key("narrow", &format!("{spec}, suspend: true"))).await?;
    every_pod_says(&callers, 401).await?;
    site.apply(&key("narrow", &format!("{spec}, suspend: false"))).await?;
    every_pod_says(&callers, 200).await.map(drop)
}

pub(crate) async fn an_imported_key_is_taken_and_two_of_the_same_are_told_apart(world: &World) -> Result<()> {
    let site = &world.site;
    let secret = "sk-e2eImport0pB7nXw5LrT9a1Q";
    let literal = format!("--from-literal=theirs={secret}");
    let namespace = site.namespace.0.as_str();
    site.cluster.kubectl(&["create", "secret", "generic", "theirs", "-n", namespace, &literal], "").await?;
    let import = "importFrom: {secretKeyRef: {name: theirs, key: theirs}}";
    site.apply(&key("imported", import)).await?;
    let api = site.api::<VirtualKey>();
    reached(&api, "imported", ConditionType::Ready, SOON).await?;
    let pods = site.pod_callers().await?;
    let callers: Vec<Caller> = pods.iter().map(|(caller, _)| caller.with_key(secret)).collect();
    every_pod_says(&callers, 200).await?;
    site.apply(&key("the-same", import)).await?;
    let message = refused(&api, "the-same", ConditionType::ResolvedRefs, "DuplicateKey").await?;
    ensure!(message.contains("VirtualKey") && !message.contains(secret), "{message}");
    site.cluster.kubectl(&["delete", "secret", "theirs", "-n", namespace], "").await.map(drop)
}

/// A client that reads the Secret before each call, as one that mounts it would, and never sees a refusal.
pub(crate) async fn a_rotation_drops_no_request(world: &World) -> Result<()> {
    const ROTATIONS: usize = 2;
    let site = &world.site;
    site.apply(&key("turning", "rotation: {interval: 10s, overlap: 5s}")).await?;
    let first = material(site, "turning-key").await?;
    reached(&site.api::<VirtualKey>(), "turning", ConditionType::Ready, SOON).await?;
    let caller = site.caller()?;
    let (mut seen, mut calls) = (vec![first.clone()], 0);
    let begun = Instant::now();
    while seen.len() <= ROTATIONS {
        ensure!(begun.elapsed() < LATER, "{} rotations in {LATER:?}", seen.len() - 1);
        let now = material(site, "turning-key").await?;
        let old = seen.last().context("none")?.clone();
        if now != old {
            // Whoever still has the old one works on.
            caller.with_key(&old).ask("hello").await?.content().context("with the old key in its overlap")?;
            seen.push(now.clone());
        }
        caller.with_key(&now).ask("hello").await?.content().context("with the key of the Secret")?;
        calls += 1;
    }
    eprintln!("    {ROTATIONS} rotations, {calls} calls, none refused");
    let ended = site.caller()?.with_key(&first).ask("hello").await?;
    ensure!(ended.status == 401, "the first key still opens it after its overlap: {ended:?}");
    Ok(())
}

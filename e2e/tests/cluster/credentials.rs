//! Keys: they arrive where they belong, change without anybody noticing, and show nowhere else.

use std::time::Duration;

use anyhow::{Result, ensure};
use crds::{ConditionType, ProviderSecret};
use e2e::calls::Reuse;
use e2e::load::{Habit, Load};
use e2e::site::{MASTER_KEY, SOON, Site, reached};
use e2e::wait;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ListParams;

use crate::scenario::World;

/// A Secret, its ProviderSecret and a deployment that sends the key.
pub(crate) fn keyed(site: &Site, name: &str, key: &str) -> String {
    format!(
        "apiVersion: v1
kind: Secret
metadata: {{name: {name}-key}}
stringData: {{apiKey: {key}}}
---
apiVersion: fairlead.dev/v1alpha1
kind: ProviderSecret
metadata: {{name: {name}}}
spec: {{kubernetes: {{secretRef: {{name: {name}-key}}}}}}
---
{}  credentialsRef: {{name: {name}}}
",
        site.deployment(name, &format!("gpt-{name}"))
    )
}

pub(crate) async fn a_rotated_secret_reaches_the_upstream_without_a_failed_request(
    world: &World,
) -> Result<()> {
    let site = &world.site;
    site.serve("keyed", &keyed(site, "keyed", "sk-upstream-one")).await?;
    reached(&site.api::<ProviderSecret>(), "keyed", ConditionType::Ready, SOON).await?;
    let plain = |reuse| Habit::Plain { model: "keyed".into(), reuse, pause: Duration::from_millis(10) };
    let load = Load::start(&site.service.url, &site.key, &[plain(Reuse::Never), plain(Reuse::KeepAlive)])?;
    for key in ["sk-upstream-two", "sk-upstream-three"] {
        let mark = site.upstream.mark().await?;
        site.apply(&keyed(site, "keyed", key)).await?;
        let sent = format!("Bearer {key}");
        // Two pods: only when forty calls in a row brought the new key have both of them changed.
        wait::until_true(SOON, format!("{key} to reach the upstream from both pods"), async || {
            let calls = site.upstream.calls_for("gpt-keyed", mark).await?;
            let latest = calls.iter().rev().take(40);
            ensure!(calls.len() >= 40, "{} calls yet", calls.len());
            Ok(latest.clone().all(|call| call.headers.get("authorization") == Some(&sent)))
        })
        .await?;
    }
    load.finish().await.is_clean(80)?;
    let calls = site.upstream.calls_for("gpt-keyed", 0).await?;
    let master = calls.iter().any(|call| call.headers.values().any(|value| value.contains(&site.key)));
    ensure!(!master, "the master key must not travel to an upstream");
    Ok(())
}

pub(crate) async fn a_rotated_master_key_replaces_the_old_one(world: &World) -> Result<()> {
    let site = &world.site;
    let secret = |key: &str| {
        let (name, field) = MASTER_KEY;
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{{field}: {key}}}\n")
    };
    let other = "sk-e2e-another-master-key-0123456789";
    let pods = site.pod_callers().await?;
    site.apply(&secret(other)).await?;
    for (pod, _reach) in &pods {
        wait::until_true(SOON, "the new master key to be taken and the old one refused", async || {
            let new = pod.with_key(other).get("/v1/models").await?.status;
            let old = pod.get("/v1/models").await?.status;
            ensure!(new == 200 || old == 200, "neither key is taken: {new} and {old}");
            Ok(new == 200 && old == 401)
        })
        .await?;
    }
    site.apply(&secret(&site.key)).await?;
    for (pod, _reach) in &pods {
        wait::until_true(SOON, "the first key to be back", async || {
            Ok(pod.get("/v1/models").await?.status == 200)
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn no_secret_shows_in_configmaps_logs_or_statuses(world: &World) -> Result<()> {
    let site = &world.site;
    let ns = site.namespace.0.as_str();
    let material = "sk-upstream-must-not-show";
    site.serve("hushed", &keyed(site, "hushed", material)).await?;
    ensure!(site.caller()?.ask("hushed").await?.status == 200, "the model must answer");
    let mut places = Vec::new();
    for map in site.api::<ConfigMap>().list(&ListParams::default()).await? {
        places.push(("a ConfigMap", serde_json::to_string(&map)?));
    }
    let questions: [&[&str]; 4] = [
        &["logs", "-l", "fairlead.dev/gateway=main", "--tail=-1"],
        &["logs", "-l", "app.kubernetes.io/component=operator", "--tail=-1"],
        &["get", "mgw,mdep,psec,events", "-o", "yaml"],
        &["get", "pods", "-o", "yaml"],
    ];
    for question in questions {
        let args: Vec<&str> = question.iter().copied().chain(["-n", ns]).collect();
        places.push(("kubectl", site.cluster.kubectl(&args, "").await?));
    }
    let caller = site.caller()?;
    places.push(("/health", caller.get("/health").await?.text));
    for (pod, reach) in site.admin_ways().await? {
        let metrics = e2e::calls::client(Reuse::Never)?.get(format!("{}/metrics", reach.url)).send().await?;
        ensure!(metrics.status() == 200, "{pod}: no metrics");
        places.push(("/metrics", metrics.text().await?));
    }
    for (place, text) in places {
        for secret in [material, site.key.as_str(), "who are you?"] {
            ensure!(!text.contains(secret), "{place} shows {secret:?}");
        }
    }
    Ok(())
}

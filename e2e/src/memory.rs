//! How much memory a pod's program uses.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use serde_json::Value;

use crate::cluster::{Cluster, Control};

/// Resident bytes of a pod of one container. From the host's `/proc` where this machine runs the pod, else from the
/// kubelet, whose figure leaves out pages that are mapped from files.
///
/// # Errors
/// When neither knows the pod.
pub async fn resident_bytes(cluster: &Cluster, pod: &Pod) -> Result<u64> {
    if cluster.control.is_some() {
        let processes = Control::processes(&pod.uid().unwrap_or_default())?;
        let each = processes.iter().map(crate::cluster::HostProcess::resident_bytes);
        let sum: u64 = each.collect::<Result<Vec<_>>>()?.iter().sum();
        anyhow::ensure!(sum > 0, "no process of pod {} on this machine", pod.name_any());
        return Ok(sum);
    }
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).context("the pod has no node")?;
    let path = format!("/api/v1/nodes/{node}/proxy/stats/summary");
    let summary: Value = serde_json::from_str(&cluster.kubectl(&["get", "--raw", &path], "").await?)?;
    let pods = summary.get("pods").and_then(Value::as_array).context("the kubelet lists no pods")?;
    let uid = pod.uid();
    let is_it = |entry: &&Value| entry.pointer("/podRef/uid").and_then(Value::as_str) == uid.as_deref();
    let containers = pods.iter().find(is_it).and_then(|entry| entry.get("containers")?.as_array());
    let sizes = containers.into_iter().flatten().filter_map(|c| c.pointer("/memory/rssBytes")?.as_u64());
    Ok(sizes.sum())
}

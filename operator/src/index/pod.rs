//! What of a pod matters here. The rest of it is not kept.

use std::net::IpAddr;

use config::ObjectName;
use k8s_openapi::api::core::v1::Pod;

use crate::names;

/// A gateway pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodView {
    /// The ModelGateway that its label names.
    pub gateway: ObjectName,
    /// What runs; `None` while nothing that could answer does.
    pub running: Option<PodInstance>,
    /// Whether its Services send it traffic.
    pub ready: bool,
    /// The value of the bump's annotation.
    pub revision: Option<String>,
}

/// Tells one run of a pod from the next, which knows nothing of what the one before acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PodInstance {
    pub uid: String,
    pub ip: IpAddr,
    pub restarts: i32,
}

impl PodView {
    pub(crate) fn of(pod: &Pod) -> Self {
        let metadata = &pod.metadata;
        let label = metadata.labels.as_ref().and_then(|labels| labels.get(crds::GATEWAY_LABEL));
        let annotation = metadata.annotations.as_ref().and_then(|all| all.get(names::REVISION));
        let leaving = metadata.deletion_timestamp.is_some();
        Self {
            gateway: ObjectName {
                namespace: metadata.namespace.clone().unwrap_or_default(),
                name: label.cloned().unwrap_or_default(),
            },
            running: if leaving { None } else { instance(pod) },
            ready: !leaving && is_ready(pod),
            revision: annotation.cloned(),
        }
    }
}

fn instance(pod: &Pod) -> Option<PodInstance> {
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() != Some("Running") {
        return None;
    }
    let containers = status.container_statuses.iter().flatten();
    Some(PodInstance {
        uid: pod.metadata.uid.clone().unwrap_or_default(),
        ip: status.pod_ip.as_ref()?.parse().ok()?,
        restarts: containers.map(|container| container.restart_count).sum(),
    })
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().filter_map(|status| status.conditions.as_ref()).flatten();
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

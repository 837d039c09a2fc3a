//! Ways from the test into the cluster: straight to an address where the machine can route there (the one-node cluster,
//! kind and k3d on Linux), else by `kubectl port-forward`.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use kube::Api;
use kube::api::ListParams;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::Cluster;
use crate::wait;

/// How long a way may take to open.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to talk to.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// All pods behind it, by its node port.
    Service(&'a str),
    /// One pod.
    Pod(&'a str),
}

/// An open way. Dropping it closes it.
pub struct Reach {
    /// As `http://10.99.0.1:30400`, without a slash at the end.
    pub url: String,
    /// Whether it goes through one `kubectl port-forward`, which sticks to one pod and ends with it.
    pub forwarded: bool,
    _forward: Option<Child>,
}

impl Cluster {
    /// Opens a way to `port` of `target`.
    ///
    /// # Errors
    /// When the target does not exist or neither way opens.
    pub async fn reach(&self, namespace: &str, target: Target<'_>, port: u16) -> Result<Reach> {
        let address = match target {
            Target::Service(name) => self.node_address(namespace, name, port).await?,
            Target::Pod(name) => self.pod_address(namespace, name, port).await?,
        };
        if let Some(address) = address {
            // The node's rules for a new Service take a second or two to be written.
            let opened = wait::until_true(PATIENCE, &address, async || Ok(connects(&address).await)).await;
            if opened.is_ok() {
                return Ok(Reach { url: format!("http://{address}"), forwarded: false, _forward: None });
            }
        }
        self.forward(namespace, target, port).await
    }

    async fn node_address(&self, namespace: &str, name: &str, port: u16) -> Result<Option<String>> {
        let services: Api<Service> = Api::namespaced(self.client.clone(), namespace);
        let spec = services.get(name).await?.spec.unwrap_or_default();
        let ports = spec.ports.unwrap_or_default();
        let node_port = ports.iter().find(|p| p.port == i32::from(port)).and_then(|p| p.node_port);
        let nodes: Api<Node> = Api::all(self.client.clone());
        let node = nodes.list(&ListParams::default().limit(1)).await?.items.into_iter().next();
        let addresses = node.and_then(|node| node.status?.addresses).unwrap_or_default();
        let internal = addresses.into_iter().find(|address| address.type_ == "InternalIP");
        Ok(internal.zip(node_port).map(|(ip, port)| format!("{}:{port}", ip.address)))
    }

    async fn pod_address(&self, namespace: &str, name: &str, port: u16) -> Result<Option<String>> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let ip = pods.get(name).await?.status.and_then(|status| status.pod_ip);
        Ok(ip.map(|ip| format!("{ip}:{port}")))
    }

    async fn forward(&self, namespace: &str, target: Target<'_>, port: u16) -> Result<Reach> {
        let target = match target {
            Target::Service(name) => format!("service/{name}"),
            Target::Pod(name) => format!("pod/{name}"),
        };
        // Chosen here, since a program whose output nobody reads must not be asked which port it took.
        let local = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let child = Command::new("kubectl")
            .args(["port-forward", "-n", namespace, &target, &format!("{}:{port}", local.port())])
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        let what = format!("the port-forward to {target} in {namespace}");
        wait::until_true(PATIENCE, what, async || Ok(connects(&local.to_string()).await)).await?;
        Ok(Reach { url: format!("http://{local}"), forwarded: true, _forward: Some(child) })
    }
}

async fn connects(address: &str) -> bool {
    let attempt = tokio::time::timeout(Duration::from_secs(2), TcpStream::connect(address));
    attempt.await.is_ok_and(|connected| connected.is_ok())
}

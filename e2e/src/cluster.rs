//! The cluster under test, seen from outside: its API, the programs that people use on it, ways into its network, and,
//! where `e2e/cluster` made it, its processes.

mod control;
mod namespaces;
mod objects;
mod programs;
mod reach;

pub use control::{Control, HostProcess};
pub use namespaces::Namespace;
pub use objects::{condition, is_true_now, why};
pub use programs::run;
pub use reach::{Reach, Target};

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};

/// A running Kubernetes.
pub struct Cluster {
    /// Acts as the admin of the kubeconfig.
    pub client: kube::Client,
    /// For programs.
    pub kubeconfig: PathBuf,
    /// Present where this machine runs the cluster by `e2e/cluster`.
    pub control: Option<Control>,
}

/// A test could not be run here. Neither a pass nor a failure, and reported as what it is.
#[derive(Debug)]
pub struct Unproven(pub String);

impl std::fmt::Display for Unproven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unproven {}

impl Cluster {
    /// Connects with `kubeconfig`. `state` is where `e2e/cluster/up` keeps the cluster it makes.
    ///
    /// # Errors
    /// When the kubeconfig is unusable or the API server does not answer.
    pub async fn connect(kubeconfig: &Path, state: &Path) -> Result<Self> {
        // Only the first of several calls can win, and all want the same.
        rustls::crypto::ring::default_provider().install_default().ok();
        let read = Kubeconfig::read_from(kubeconfig).with_context(|| kubeconfig.display().to_string())?;
        let mut config = kube::Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        config.read_timeout = Some(Duration::from_secs(60));
        let client = kube::Client::try_from(config)?;
        client.apiserver_version().await.context("the API server does not answer")?;
        let control = Control::of(kubeconfig, state);
        Ok(Self { client, kubeconfig: kubeconfig.to_owned(), control })
    }

    /// What a test needs that must stop the API server or read its log.
    ///
    /// # Errors
    /// [`Unproven`] on a cluster that somebody else runs.
    pub fn control(&self) -> Result<&Control> {
        self.control.as_ref().ok_or_else(|| {
            let why = "needs the cluster of e2e/cluster on this machine, and KUBECONFIG points elsewhere";
            Unproven(why.into()).into()
        })
    }

    /// Runs `kubectl` and returns what it printed.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub async fn kubectl(&self, args: &[&str], stdin: &str) -> Result<String> {
        run("kubectl", args, stdin, &self.env()).await
    }

    /// Runs `helm` and returns what it printed.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub async fn helm(&self, args: &[&str]) -> Result<String> {
        run("helm", args, "", &self.env()).await
    }

    fn env(&self) -> [(&'static str, PathBuf); 1] {
        [("KUBECONFIG", self.kubeconfig.clone())]
    }
}

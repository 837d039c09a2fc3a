//! Namespaces of one run: made under the restricted Pod Security Standard, told apart by the run's process id.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};

use super::Cluster;
use crate::wait;

/// On every namespace of every run, so that a later run finds what an earlier one left.
const MARK: &str = "fairlead.dev/e2e";

/// A namespace of this run.
#[derive(Clone, Debug)]
pub struct Namespace(pub String);

impl Namespace {
    /// Makes `fairlead-e2e-<run>[-<role>]`, where pods must pass the restricted Pod Security Standard.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn make(cluster: &Cluster, role: &str, labels: &[(&str, &str)]) -> Result<Self> {
        let name = format!("fairlead-e2e-{}{role}", std::process::id());
        let fixed = [(MARK, "true"), ("pod-security.kubernetes.io/enforce", "restricted")];
        let all = fixed.iter().chain(labels).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let labels: BTreeMap<_, _> = all.collect();
        let metadata = ObjectMeta { name: Some(name.clone()), labels: Some(labels), ..ObjectMeta::default() };
        let api: Api<v1::Namespace> = Api::all(cluster.client.clone());
        api.create(&PostParams::default(), &v1::Namespace { metadata, ..v1::Namespace::default() }).await?;
        // Pods are refused until its controller has made the default account.
        let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client.clone(), &name);
        let what = format!("the default service account of {name}");
        wait::until_true(Duration::from_secs(30), what, async || {
            Ok(accounts.get_opt("default").await?.is_some())
        })
        .await?;
        Ok(Self(name))
    }

    /// Starts deleting it; returns at once.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn delete(&self, cluster: &Cluster) -> Result<()> {
        let api: Api<v1::Namespace> = Api::all(cluster.client.clone());
        api.delete(&self.0, &DeleteParams::background()).await?;
        Ok(())
    }

    /// Deletes what earlier runs left and waits until it is gone.
    ///
    /// # Errors
    /// When the API server refuses, or a namespace does not go within two minutes.
    pub async fn sweep(cluster: &Cluster) -> Result<()> {
        let api: Api<v1::Namespace> = Api::all(cluster.client.clone());
        let marked = ListParams::default().labels(MARK);
        for namespace in api.list(&marked).await? {
            let Some(name) = namespace.metadata.name else { continue };
            let gone = api.delete(&name, &DeleteParams::background()).await;
            gone.map(|_| ()).or_else(|e| if e.to_string().contains("NotFound") { Ok(()) } else { Err(e) })?;
        }
        wait::until_true(Duration::from_secs(120), "the namespaces of earlier runs to go", async || {
            Ok(api.list(&marked).await?.items.is_empty())
        })
        .await
    }
}

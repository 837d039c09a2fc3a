//! One installation of Fairlead by its chart: operator, two gateway pods, the ModelGateway `main` and the provider
//! stand-in, all in one namespace. `site/install.rs` makes it; tests hold it and never each other's objects.

mod install;
mod upstream;

pub use upstream::Upstream;

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use crds::{
    BudgetPolicy, ConditionType, ModelDeployment, ModelGateway, ModelRoute, ProviderSecret, StatusConditions,
    VirtualKey,
};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams};
use kube::core::object::HasStatus;
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::calls::{Caller, Reuse};
use crate::cluster::{Cluster, Namespace, Reach, Target, is_true_now, why};
use crate::wait;

/// The release's name; the chart's objects are called `fairlead-operator` and `fairlead-gateway`.
pub const RELEASE: &str = "fairlead";
/// The Service in front of the gateway's pods.
pub const SERVICE: &str = "fairlead-gateway";
/// The service account that the operator acts as.
pub const OPERATOR_ACCOUNT: &str = "fairlead-operator";
/// The Secret that holds the master key, and its key.
pub const MASTER_KEY: (&str, &str) = ("fairlead-master-key", "masterKey");
/// How long a change may take to be served everywhere before a test gives up. The benchmark holds the real bound.
pub const SOON: Duration = Duration::from_secs(20);
/// Long enough for a Lease to run out after its holder was killed, and for pods to start on a busy machine.
pub const LATER: Duration = Duration::from_secs(90);

/// An installation.
pub struct Site {
    /// Where it runs.
    pub cluster: Cluster,
    /// Where everything of it is.
    pub namespace: Namespace,
    /// The master key.
    pub key: String,
    /// The way to the Service.
    pub service: Reach,
    /// The provider stand-in.
    pub upstream: Upstream,
    sets: Vec<String>,
}

impl Site {
    /// A client of the Service, with the master key.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn caller(&self) -> Result<Caller> {
        Caller::new(&self.service.url, &self.key, Reuse::Never)
    }

    /// Clients of each gateway pod that is Ready and stays. The ways close with what is returned beside them.
    ///
    /// # Errors
    /// When a pod cannot be reached.
    pub async fn pod_callers(&self) -> Result<Vec<(Caller, Reach)>> {
        let mut callers = Vec::new();
        for pod in self.gateway_pods().await? {
            let reach = self.cluster.reach(&self.namespace.0, Target::Pod(&pod.name_any()), 4000).await?;
            callers.push((Caller::new(&reach.url, &self.key, Reuse::Never)?, reach));
        }
        Ok(callers)
    }

    /// Ways to the admin port of each gateway pod, with its name.
    ///
    /// # Errors
    /// When a pod cannot be reached.
    pub async fn admin_ways(&self) -> Result<Vec<(String, Reach)>> {
        let mut ways = Vec::new();
        for pod in self.gateway_pods().await? {
            let reach = self.cluster.reach(&self.namespace.0, Target::Pod(&pod.name_any()), 4001).await?;
            ways.push((pod.name_any(), reach));
        }
        Ok(ways)
    }

    /// Objects of the site's own namespace.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.cluster.client.clone(), &self.namespace.0)
    }

    /// The gateway's pods that are Ready and not on their way out.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn gateway_pods(&self) -> Result<Vec<Pod>> {
        let wanted = ListParams::default().labels("fairlead.dev/gateway=main");
        Ok(self.api::<Pod>().list(&wanted).await?.items.into_iter().filter(is_ready).collect())
    }

    /// The operator's pods, in any state.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn operator_pods(&self) -> Result<Vec<Pod>> {
        let wanted = ListParams::default().labels("app.kubernetes.io/component=operator");
        Ok(self.api::<Pod>().list(&wanted).await?.items)
    }

    /// Applies manifests in the site's namespace, as people do.
    ///
    /// # Errors
    /// When kubectl refuses, with what it said.
    pub async fn apply(&self, yaml: &str) -> Result<String> {
        self.apply_in(&self.namespace, yaml).await
    }

    /// Applies manifests in another namespace.
    ///
    /// # Errors
    /// When kubectl refuses, with what it said.
    pub async fn apply_in(&self, namespace: &Namespace, yaml: &str) -> Result<String> {
        self.cluster.kubectl(&["apply", "-n", &namespace.0, "-f", "-"], yaml).await
    }

    /// Waits until a deployment of the site's namespace is programmed at its latest generation.
    ///
    /// # Errors
    /// After `SOON`, with its conditions.
    pub async fn programmed(&self, name: &str) -> Result<ModelDeployment> {
        reached(&self.api(), name, ConditionType::Programmed, SOON).await
    }

    /// Applies and waits for one deployment.
    ///
    /// # Errors
    /// As `apply` and `programmed`.
    pub async fn serve(&self, name: &str, yaml: &str) -> Result<ModelDeployment> {
        self.apply(yaml).await?;
        self.programmed(name).await
    }

    /// A deployment of the stand-in: `upstream_model` says how it behaves.
    #[must_use]
    pub fn deployment(&self, name: &str, upstream_model: &str) -> String {
        let namespace = &self.namespace.0;
        format!(
            "apiVersion: fairlead.dev/v1alpha1
kind: ModelDeployment
metadata: {{name: {name}}}
spec:
  gatewayRef: {{name: main, namespace: {namespace}}}
  modelName: {name}
  provider:
    type: custom
    model: {upstream_model}
    baseURL: http://upstream.{namespace}.svc:8080/v1
"
        )
    }

    /// Deletes every model, route, budget, key and credential but those called `hello`, and waits until the gateway serves only that.
    ///
    /// # Errors
    /// When the gateway does not get there.
    pub async fn clear(&self) -> Result<()> {
        let (now, all) = (DeleteParams::background(), ListParams::default());
        let others = all.clone().fields("metadata.name!=hello");
        self.api::<ModelDeployment>().delete_collection(&now, &others).await?;
        self.api::<ModelRoute>().delete_collection(&now, &others).await?;
        self.api::<ProviderSecret>().delete_collection(&now, &all).await?;
        self.api::<BudgetPolicy>().delete_collection(&now, &others).await?;
        self.api::<VirtualKey>().delete_collection(&now, &others).await?;
        self.upstream.reset().await?;
        let caller = self.caller()?;
        wait::until_true(SOON, "only the model hello to be served", async || {
            let models = caller.get("/v1/models").await?.json()?;
            let ids = models.pointer("/data").and_then(serde_json::Value::as_array).map(Vec::len);
            let gateway = self.api::<ModelGateway>().get("main").await?;
            ensure!(is_true_now(&gateway, ConditionType::Ready), "{}", why(&gateway));
            Ok(ids == Some(1))
        })
        .await
    }
}

/// Waits until `name` has the condition True at its latest generation.
///
/// # Errors
/// After `limit`, with its conditions.
pub async fn reached<K>(api: &Api<K>, name: &str, wanted: ConditionType, limit: Duration) -> Result<K>
where
    K: Resource + HasStatus + Clone + Debug + DeserializeOwned,
    K::Status: StatusConditions,
{
    let what = format!("{name} to be {}", wanted.as_str());
    wait::until(limit, what, async || {
        let object = api.get(name).await?;
        ensure!(is_true_now(&object, wanted), "{}", why(&object));
        Ok(Some(object))
    })
    .await
}

/// Waits until `name` has the condition False for that reason, and returns its message.
///
/// # Errors
/// After `SOON`, with its conditions.
pub async fn refused<K>(api: &Api<K>, name: &str, wanted: ConditionType, reason: &str) -> Result<String>
where
    K: Resource + HasStatus + Clone + Debug + DeserializeOwned,
    K::Status: StatusConditions,
{
    let what = format!("{name} to be {}=False for {reason}", wanted.as_str());
    wait::until(SOON, what, async || {
        let object = api.get(name).await?;
        let found = crate::cluster::condition(&object, wanted).with_context(|| why(&object))?;
        let is_now = found.observed_generation == object.meta().generation;
        let is_so = is_now && found.status == "False" && found.reason == reason;
        ensure!(is_so, "{}", why(&object));
        Ok(Some(found.message.clone()))
    })
    .await
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready = conditions.into_iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True");
    ready && pod.metadata.deletion_timestamp.is_none()
}

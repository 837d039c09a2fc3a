//! Installing and upgrading with helm, and taking it all away again.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use crds::{ConditionType, ModelGateway};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, ResourceExt as _};

use super::{LATER, MASTER_KEY, RELEASE, SERVICE, Site, Upstream, reached};
use crate::cluster::{Cluster, Namespace, Target};
use crate::wait;

/// Where helm notes which release made an object.
const OWNER: &str = "meta.helm.sh/release-namespace";

impl Site {
    /// Installs into a new namespace, with more chart values, and returns when the gateway is Ready. Removes what
    /// earlier runs left.
    ///
    /// # Errors
    /// When any step fails, or the cluster has a Fairlead that is not the tests' own.
    pub async fn install(cluster: Cluster, sets: &[String]) -> Result<Self> {
        Namespace::sweep(&cluster).await?;
        if brings_definitions(sets) {
            remove_definitions(&cluster).await?;
        }
        let namespace = Namespace::make(&cluster, "", &[]).await?;
        let ns = namespace.0.as_str();
        cluster
            .kubectl(&["apply", "-n", ns, "-f", "-"], include_str!("../../manifests/upstream.yaml"))
            .await?;
        let mut helm = vec!["install", RELEASE, "-n", ns];
        let (chart, values) = (path("../charts/fairlead"), path("manifests/values.yaml"));
        helm.extend([chart.as_str(), "-f", values.as_str()]);
        helm.extend(sets.iter().flat_map(|set| ["--set", set.as_str()]));
        cluster.helm(&helm).await?;
        let key = random_key()?;
        let secret = format!("--from-literal={}={key}", MASTER_KEY.1);
        cluster.kubectl(&["create", "secret", "generic", MASTER_KEY.0, "-n", ns, &secret], "").await?;
        // It takes the API server a moment to know kinds that are new.
        wait::until_true(LATER, "a gateway to be taken", async || {
            let manifests = include_str!("../../manifests/gateway.yaml");
            cluster.kubectl(&["apply", "-n", ns, "-f", "-"], manifests).await.map(|_| true)
        })
        .await?;
        for name in ["upstream", "fairlead-operator", SERVICE] {
            let target = format!("deployment/{name}");
            cluster.kubectl(&["rollout", "status", "-n", ns, &target, "--timeout=90s"], "").await?;
        }
        let service = cluster.reach(ns, Target::Service(SERVICE), 4000).await?;
        let upstream = Upstream::new(cluster.reach(ns, Target::Service("upstream"), 8080).await?)?;
        let site = Self { key, service, upstream, cluster, namespace, sets: sets.to_vec() };
        reached(&site.api::<ModelGateway>(), "main", ConditionType::Ready, LATER).await?;
        Ok(site)
    }

    /// `helm upgrade` with more values, waiting until everything runs.
    ///
    /// # Errors
    /// When helm fails, with what it said.
    pub async fn upgrade(&self, sets: &[&str]) -> Result<String> {
        let (chart, values) = (path("../charts/fairlead"), path("manifests/values.yaml"));
        let mut helm =
            vec!["upgrade", RELEASE, chart.as_str(), "-n", &self.namespace.0, "-f", values.as_str()];
        helm.extend(
            self.sets.iter().map(String::as_str).chain(sets.iter().copied()).flat_map(|set| ["--set", set]),
        );
        helm.extend(["--wait", "--timeout", "240s"]);
        self.cluster.helm(&helm).await
    }

    /// Uninstalls, and deletes the namespace and the definitions.
    ///
    /// # Errors
    /// When any step fails.
    pub async fn remove(self) -> Result<()> {
        self.cluster.helm(&["uninstall", RELEASE, "-n", &self.namespace.0]).await?;
        if brings_definitions(&self.sets) {
            remove_definitions(&self.cluster).await?;
        }
        self.namespace.delete(&self.cluster).await
    }
}

/// Where another installation has them, they are its own.
fn brings_definitions(sets: &[String]) -> bool {
    !sets.iter().any(|set| set == "crds.enabled=false")
}

/// Definitions survive a release on purpose, and belong to it by name; another run's would refuse this one.
async fn remove_definitions(cluster: &Cluster) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let ours = |definition: &CustomResourceDefinition| definition.spec.group == crds::GROUP;
    for definition in api.list(&ListParams::default()).await?.items.into_iter().filter(ours) {
        let owner = definition.annotations().get(OWNER).cloned().unwrap_or_default();
        ensure!(
            owner.starts_with("fairlead-e2e"),
            "this cluster has Fairlead's {} of namespace {owner:?}; the tests will not touch it",
            definition.name_any()
        );
        api.delete(&definition.name_any(), &DeleteParams::background()).await?;
    }
    wait::until_true(LATER, "the definitions of earlier runs to go", async || {
        Ok(!api.list(&ListParams::default()).await?.items.iter().any(ours))
    })
    .await
}

/// A path relative to this crate.
fn path(relative: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative).display().to_string()
}

fn random_key() -> Result<String> {
    let mut bytes = [0_u8; 24];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes).context("/dev/urandom")?;
    let mut key = String::from("sk-");
    for byte in bytes {
        write!(key, "{byte:02x}")?;
    }
    Ok(key)
}

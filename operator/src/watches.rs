//! Which watches there are: one per kind, and per namespace where the operator may not see the cluster.
//! `watches/stream.rs` is a single one. Each has a backoff of its own: none waits for another.

mod stream;

use crds::{BudgetPolicy, ModelDeployment, ModelGateway, ModelRoute, ProviderSecret, VirtualKey};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret};
use kube::{Api, Client};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::args::Scope;
use crate::freshness::Pulses;
use crate::index::{Kept, SharedIndex};
use crate::names;
use stream::{Full, MetadataOnly, Source, Watch};

/// What all watches share.
pub(crate) struct Watches {
    pub client: Client,
    pub index: SharedIndex,
    pub pulses: Pulses,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
}

impl Watches {
    /// Starts all watches that `scope` asks for. They end when `stop` does.
    pub(crate) fn start(&self, scope: &Scope) {
        for namespace in places(scope) {
            let place = namespace.as_deref();
            self.full::<ModelGateway>("modelgateways", place);
            self.full::<ModelDeployment>("modeldeployments", place);
            self.full::<ModelRoute>("modelroutes", place);
            self.full::<ProviderSecret>("providersecrets", place);
            self.full::<BudgetPolicy>("budgetpolicies", place);
            self.full::<VirtualKey>("virtualkeys", place);
            let secrets = MetadataOnly(self.api::<Secret>(place));
            self.spawn("secrets", place, secrets, None);
        }
        if scope.watched.is_none() {
            self.spawn("namespaces", None, MetadataOnly(Api::<Namespace>::all(self.client.clone())), None);
        }
        let ours = format!("{}={}", names::MANAGED_BY, names::MANAGER);
        for namespace in &scope.gateways {
            let place = Some(namespace.as_str());
            self.spawn("pods", place, Full(self.api::<Pod>(place)), Some(crds::GATEWAY_LABEL.to_owned()));
            let config_maps = MetadataOnly(self.api::<ConfigMap>(place));
            self.spawn("configmaps", place, config_maps, Some(ours.clone()));
            let catalogs = Full(self.api::<ConfigMap>(place));
            self.spawn(
                "price catalogs",
                place,
                catalogs,
                Some(format!("{}=true", crds::PRICE_CATALOG_LABEL)),
            );
        }
    }

    fn full<K>(&self, kind: &str, place: Option<&str>)
    where
        K: Kept + kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
        Full<K>: Source<Object = K>,
    {
        self.spawn(kind, place, Full(self.api::<K>(place)), None);
    }

    fn api<K>(&self, place: Option<&str>) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        match place {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    fn spawn<S: Source>(&self, kind: &str, place: Option<&str>, source: S, labels: Option<String>)
    where
        S::Object: Kept,
    {
        let name = place.map_or_else(|| kind.to_owned(), |place| format!("{kind}/{place}"));
        let watch = Watch {
            source,
            labels,
            place: place.map(str::to_owned),
            index: self.index.clone(),
            pulse: self.pulses.start(name.clone()),
            name,
        };
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(Box::pin(watch.run())).await });
    }
}

/// `None` alone is the whole cluster.
fn places(scope: &Scope) -> Vec<Option<String>> {
    match &scope.watched {
        None => vec![None],
        Some(namespaces) => namespaces.iter().cloned().map(Some).collect(),
    }
}

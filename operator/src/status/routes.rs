//! The status of a ModelRoute.

use config::{Route, Strategy};
use crds::{ModelRoute, ModelRouteStatus, ResolvedRoute, RoutingStrategy};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use render::{Effect, Kind, ObjectRef};

use super::conditions::hindered;
use super::objects::{Patience, Progressing, Scene, name_of};

impl Scene<'_> {
    /// The status of a ModelRoute.
    pub(super) fn route(&self, object: &ModelRoute, before: &[Condition]) -> (ModelRouteStatus, Patience) {
        let own = ObjectRef { kind: Kind::ModelRoute, name: name_of(&object.metadata) };
        let findings = self.findings(&own);
        let progressing = match hindered(&findings) {
            Some((verdict, outlook)) => {
                let summary = verdict.message.clone();
                Progressing::hindered(verdict, outlook, summary)
            }
            None => self.served(&own),
        };
        let (conditions, generation) =
            self.conditions(&object.metadata, before, (&findings, None), &progressing);
        let is_as_written = findings.iter().all(|finding| finding.effect == Effect::Partly);
        let served = self.routes.get(&own.name).filter(|_| is_as_written);
        let status = ModelRouteStatus {
            observed_generation: generation,
            conditions,
            gateway: self.gateway_of(&own),
            resolved: served.map(|route| resolved(route, object)),
            summary: progressing.summary,
        };
        (status, progressing.patience)
    }
}

fn resolved(route: &Route, object: &ModelRoute) -> ResolvedRoute {
    let mut fallbacks: Vec<&str> = Vec::new();
    for name in route.fallbacks.all() {
        if !fallbacks.contains(&name.as_str()) {
            fallbacks.push(name);
        }
    }
    ResolvedRoute {
        model: route.name.clone(),
        targets: format!("{}/{}", route.targets.len(), object.spec.targets.len()),
        strategy: match route.routing.strategy {
            Strategy::Weighted => RoutingStrategy::Weighted,
            Strategy::RoundRobin => RoutingStrategy::RoundRobin,
            Strategy::LeastBusy => RoutingStrategy::LeastBusy,
            Strategy::LeastLatency => RoutingStrategy::LeastLatency,
            Strategy::UsageBased => RoutingStrategy::UsageBased,
            Strategy::LowestCost => RoutingStrategy::LowestCost,
        },
        fallbacks: fallbacks.join(", "),
    }
}

#[cfg(test)]
mod tests;

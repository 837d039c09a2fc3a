//! The names of what the operator writes. Pods and the chart rely on them: `ARCHITECTURE.md` has the table.

/// Field manager of the operator's own objects.
pub(crate) const MANAGER: &str = "fairlead-operator";

/// Field manager of statuses, apart from the above so that each owns its fields only.
pub(crate) const STATUS_MANAGER: &str = "fairlead-operator-status";

/// Label, with [`MANAGER`] as value, of every object that the operator makes.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Pod annotation: the revision wanted. A change of it makes the kubelet sync the pod's volumes at once.
pub(crate) const REVISION: &str = "fairlead.dev/revision";

/// The ConfigMap that is written last and commits a publish.
pub(crate) fn index(gateway: &str) -> String {
    format!("{gateway}-routing")
}

/// The ConfigMap of one shard.
pub(crate) fn shard(gateway: &str, slot: usize) -> String {
    format!("{gateway}-routing-{slot}")
}

/// The Secret with all material of a gateway.
pub(crate) fn credentials(gateway: &str) -> String {
    format!("{gateway}-credentials")
}

/// The gateway that a Secret of this name would belong to.
pub(crate) fn gateway_of_credentials(secret: &str) -> Option<&str> {
    secret.strip_suffix("-credentials")
}

/// Whether an object of this name carries config of the gateway.
pub(crate) fn is_child(gateway: &str, object: &str) -> bool {
    let Some(rest) = object.strip_prefix(gateway) else { return false };
    let slot = rest.strip_prefix("-routing-").and_then(|slot| slot.parse::<usize>().ok());
    matches!(rest, "-routing" | "-credentials") || slot.is_some_and(|slot| slot < config::SHARDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_belongs_to_its_gateway_alone() {
        for gateway in ["main", "a-routing", "b-1"] {
            let children = [index(gateway), shard(gateway, 15), credentials(gateway)];
            assert!(children.iter().all(|child| is_child(gateway, child)), "{children:?}");
            assert_eq!(gateway_of_credentials(&credentials(gateway)), Some(gateway));
        }
        for other in ["main-routes", "main-routing-16", "main-2-routing", "other-routing"] {
            assert!(!is_child("main", other), "{other}");
        }
    }
}

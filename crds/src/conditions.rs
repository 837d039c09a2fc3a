//! The conditions that every kind reports, in the order they come true.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// What a condition is about. Written by the operator only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// The spec is valid and attached to its gateway.
    Accepted,
    /// All that the spec names exists and may be used.
    ResolvedRefs,
    /// Every Ready pod of the gateway serves a config rendered from this generation.
    Programmed,
    /// The summary that people and tools wait for.
    Ready,
    /// Present, and True, while an older object holds what this one says too.
    Conflicted,
    /// Present, and True, once a key has ended.
    Expired,
    /// Present, and True, while a key is refused by its owner's wish.
    Suspended,
    /// Present, and True, while the operator works towards Programmed.
    Reconciling,
    /// Present, and True, while only an edit can help.
    Stalled,
    /// Present, and True, while somebody has used up a limit. Says nothing against the object itself.
    Exceeded,
}

impl ConditionType {
    /// As it stands in `status.conditions[].type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::Programmed => "Programmed",
            Self::Ready => "Ready",
            Self::Conflicted => "Conflicted",
            Self::Expired => "Expired",
            Self::Suspended => "Suspended",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Exceeded => "Exceeded",
        }
    }
}

/// What all statuses have in common.
pub trait StatusConditions {
    /// The generation that the status speaks of; -1 before the first visit.
    fn observed_generation(&self) -> i64;
    /// At most one of each type.
    fn conditions(&self) -> &[Condition];
}

macro_rules! status_conditions {
    ($($status:ty),*) => {$(
        impl StatusConditions for $status {
            fn observed_generation(&self) -> i64 {
                self.observed_generation
            }
            fn conditions(&self) -> &[Condition] {
                &self.conditions
            }
        }
    )*};
}

status_conditions!(
    crate::ModelGatewayStatus,
    crate::ModelDeploymentStatus,
    crate::ModelRouteStatus,
    crate::ProviderSecretStatus,
    crate::BudgetPolicyStatus,
    crate::VirtualKeyStatus
);

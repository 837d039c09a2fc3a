//! Reads of the conditions that Fairlead writes.

use crds::{ConditionType, StatusConditions};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Resource;
use kube::core::object::HasStatus;

/// The condition of that type.
#[must_use]
pub fn condition<K>(object: &K, wanted: ConditionType) -> Option<&Condition>
where
    K: HasStatus,
    K::Status: StatusConditions,
{
    let status = object.status()?;
    status.conditions().iter().find(|condition| condition.type_ == wanted.as_str())
}

/// Whether it is True and speaks of the object's latest generation.
#[must_use]
pub fn is_true_now<K>(object: &K, wanted: ConditionType) -> bool
where
    K: Resource + HasStatus,
    K::Status: StatusConditions,
{
    let generation = object.meta().generation;
    condition(object, wanted)
        .is_some_and(|found| found.status == "True" && found.observed_generation == generation)
}

/// Every condition on one line, for messages.
#[must_use]
pub fn why<K>(object: &K) -> String
where
    K: Resource + HasStatus,
    K::Status: StatusConditions,
{
    let said = |condition: &Condition| {
        format!(
            "{}={} ({}, generation {:?}: {})",
            condition.type_,
            condition.status,
            condition.reason,
            condition.observed_generation,
            condition.message
        )
    };
    let conditions = object.status().map(|status| status.conditions().iter().map(said).collect::<Vec<_>>());
    let name = object.meta().name.as_deref().unwrap_or_default();
    format!(
        "{name} at generation {:?}: {}",
        object.meta().generation,
        conditions.unwrap_or_default().join(", ")
    )
}

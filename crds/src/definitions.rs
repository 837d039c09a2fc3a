//! The CustomResourceDefinitions, finished: what the derive cannot say is added here.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps,
};
use kube::CustomResourceExt;

use crate::{BudgetPolicy, ModelDeployment, ModelGateway, ModelRoute, ProviderSecret, VirtualKey};

/// Every kind of [`crate::GROUP`], sorted by name.
#[must_use]
pub fn definitions() -> Vec<CustomResourceDefinition> {
    let mut all = vec![
        BudgetPolicy::crd(),
        ModelDeployment::crd(),
        ModelGateway::crd(),
        ModelRoute::crd(),
        ProviderSecret::crd(),
        VirtualKey::crd(),
    ];
    for definition in &mut all {
        for version in &mut definition.spec.versions {
            let schema = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
            let status = schema.and_then(|schema| schema.properties.as_mut()?.get_mut("status"));
            if let Some(status) = status {
                mark_unvisited(status);
            }
        }
    }
    for definition in &mut all {
        let annotations = definition.metadata.annotations.get_or_insert_default();
        annotations.insert("fairlead.dev/generated-by".into(), "make generate".into());
    }
    all
}

/// Without this a new object looks settled to `kubectl wait` and Flux until the operator's first visit.
fn mark_unvisited(status: &mut JSONSchemaProps) {
    status.default = Some(JSON(serde_json::json!({ "observedGeneration": -1 })));
    status.nullable = None;
    status.description.get_or_insert_with(|| "What the operator found and did.".into());
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaPropsOrArray;

    use super::*;

    /// Every property of `schema` that has no description, as a path.
    #[must_use]
    fn undescribed(path: &str, schema: &JSONSchemaProps) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, property) in schema.properties.iter().flatten() {
            let path = format!("{path}.{name}");
            if property.description.as_deref().unwrap_or_default().is_empty() {
                missing.push(path.clone());
            }
            missing.extend(undescribed(&path, property));
        }
        if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
            missing.extend(undescribed(&format!("{path}[]"), items));
        }
        missing
    }

    #[test]
    fn kubectl_explain_has_prose_for_every_field() {
        for definition in definitions() {
            for version in definition.spec.versions {
                let schema = version.schema.and_then(|schema| schema.open_api_v3_schema).unwrap();
                let missing: Vec<_> = undescribed(&definition.spec.names.kind, &schema);
                assert!(missing.is_empty(), "say what these are for: {missing:?}");
            }
        }
    }

    #[test]
    fn nothing_empty_is_written_that_gitops_tools_would_see_as_drift() {
        for definition in definitions() {
            let names = &definition.spec.names;
            assert!(names.categories.as_ref().is_some_and(|all| all == &["fairlead"]), "{names:?}");
            assert!(names.short_names.as_ref().is_some_and(|all| all.len() == 1), "{names:?}");
            assert!(definition.spec.preserve_unknown_fields.is_none());
            let text = serde_json::to_string(&definition).unwrap();
            assert!(!text.contains(":[]"), "an empty list is dropped by the API server: {text}");
            assert!(!text.contains("\"nullable\":false"), "{text}");
        }
    }
}

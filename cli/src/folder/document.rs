//! One file's documents, each to the object it is. Fields that no type knows are problems: a misspelt one
//! would else do nothing in silence.

use std::path::Path;
use std::sync::Arc;

use config::ObjectName;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use render::{Kind, Namespace, ObjectRef};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::secret::{Environment, SecretManifest, material};
use super::{Folder, name_of};

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "apiVersion", default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: ObjectMeta,
}

const API_VERSION: &str = "fairlead.dev/v1alpha1";

pub(super) fn read_all(folder: &mut Folder, file: &Path, text: &str, environment: &Environment<'_>) {
    match serde_saphyr::from_multiple::<Option<Value>>(text) {
        Ok(documents) => {
            for document in documents.into_iter().flatten() {
                read(folder, file, &document, environment);
            }
        }
        Err(error) => {
            let first = error.to_string();
            let reason = format!("is not YAML: {}", first.lines().next().unwrap_or_default());
            folder.problem(file, None, reason);
        }
    }
}

fn read(folder: &mut Folder, file: &Path, document: &Value, environment: &Environment<'_>) {
    let Ok(head) = Head::deserialize(document) else {
        folder.problem(file, None, "is no Kubernetes object: kind and metadata.name are missing".into());
        return;
    };
    if head.kind == "List" {
        for item in document.get("items").and_then(Value::as_array).into_iter().flatten() {
            read(folder, file, item, environment);
        }
        return;
    }
    let name = name_of(&head.metadata);
    let object = format!("{}/{}", head.kind, name.name);
    if name.name.is_empty() {
        folder.problem(file, Some(head.kind), "metadata.name is missing".into());
        return;
    }
    let added = match (head.api_version.as_str(), head.kind.as_str()) {
        ("v1", "Secret") => add_secret(folder, file, (document, name, &object), environment),
        ("v1", "Namespace") => {
            let labels = head.metadata.labels.unwrap_or_default();
            folder.manifests.namespaces.get_or_insert_default().insert(name.name, Namespace { labels });
            Ok(())
        }
        ("v1", "ConfigMap") => add_price_catalog(folder, document, name),
        (API_VERSION, kind) => add(folder, file, document, kind, name),
        (other, _) if other.starts_with("fairlead.dev/") => {
            Err(format!("apiVersion {other} is not known: write {API_VERSION}"))
        }
        // Folders of manifests hold other people's kinds too; they are not ours to judge.
        _ => Ok(()),
    };
    if let Err(reason) = added {
        folder.problem(file, Some(object), reason);
    }
}

fn add(
    folder: &mut Folder,
    file: &Path,
    document: &Value,
    kind: &str,
    name: ObjectName,
) -> Result<(), String> {
    let kind = match kind {
        "ModelGateway" => Kind::ModelGateway,
        "ModelDeployment" => Kind::ModelDeployment,
        "ModelRoute" => Kind::ModelRoute,
        "ProviderSecret" => Kind::ProviderSecret,
        "BudgetPolicy" => Kind::BudgetPolicy,
        "VirtualKey" => Kind::VirtualKey,
        other => return Err(format!("{API_VERSION} has no kind {other}")),
    };
    let reference = ObjectRef { kind, name };
    if let Some(first) = folder.origins.get(&reference) {
        return Err(format!("is in {} too: keep one of the two", first.display()));
    }
    let mut unknown = Vec::new();
    match kind {
        Kind::ModelGateway => folder.manifests.gateways.push(typed(document, &mut unknown)?),
        Kind::ModelDeployment => folder.manifests.deployments.push(typed(document, &mut unknown)?),
        Kind::ModelRoute => folder.manifests.routes.push(typed(document, &mut unknown)?),
        Kind::ProviderSecret => folder.manifests.provider_secrets.push(typed(document, &mut unknown)?),
        Kind::BudgetPolicy => folder.manifests.budget_policies.push(typed(document, &mut unknown)?),
        Kind::VirtualKey => folder.manifests.keys.push(typed(document, &mut unknown)?),
    }
    let object = reference.to_string();
    folder.origins.insert(reference, file.to_owned());
    for field in unknown {
        folder.problem(file, Some(object.clone()), format!("unknown field {field}: it does nothing"));
    }
    Ok(())
}

fn typed<T: DeserializeOwned>(document: &Value, unknown: &mut Vec<String>) -> Result<Arc<T>, String> {
    let object = serde_ignored::deserialize(document, |path| {
        let path = path.to_string();
        // The derive reads these two on its own.
        if path != "apiVersion" && path != "kind" {
            unknown.push(path);
        }
    });
    object.map(Arc::new).map_err(|error| error.to_string())
}

/// Other ConfigMaps are not ours to read.
fn add_price_catalog(folder: &mut Folder, document: &Value, name: ObjectName) -> Result<(), String> {
    let config_map = ConfigMap::deserialize(document).map_err(|error| error.to_string())?;
    let labels = config_map.metadata.labels.unwrap_or_default();
    if labels.get(crds::PRICE_CATALOG_LABEL).is_some_and(|value| value == "true") {
        folder.manifests.price_catalogs.insert(name, config_map.data.unwrap_or_default());
    }
    Ok(())
}

fn add_secret(
    folder: &mut Folder,
    file: &Path,
    (document, name, object): (&Value, ObjectName, &str),
    environment: &Environment<'_>,
) -> Result<(), String> {
    // The reason of a failure could quote the value, so it is not passed on.
    let manifest = SecretManifest::deserialize(document)
        .map_err(|_| "data must be base64 and stringData text".to_owned())?;
    let (data, unset) = material(manifest, environment);
    for variable in unset {
        let reason = format!("environment variable {variable} is not set: export it, or write the value");
        folder.problem(file, Some(object.to_owned()), reason);
    }
    match folder.manifests.secrets.insert(name, data) {
        Some(_) => Err("is there twice: keep one of the two".into()),
        None => Ok(()),
    }
}

//! A folder of YAML to manifests: the same objects that `kubectl apply -f DIR` takes, plus plain Secrets
//! whose values may be `env:NAME`. What cannot be read is a problem of its file, and the rest still counts.

mod document;
mod secret;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{ObjectName, Secret};
use crds::VirtualKey;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use render::{Finding, Issue, Kind, Manifests, ObjectRef, SecretData};

pub(crate) use secret::Environment;

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    pub manifests: Manifests,
    /// Where each object stands, for findings.
    origins: BTreeMap<ObjectRef, PathBuf>,
    pub problems: Vec<Problem>,
}

/// Something in a file that people must mend. Shown as `file: kind/name: reason`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub file: PathBuf,
    /// `kind/name`, where that much could be read.
    pub object: Option<String>,
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl Folder {
    /// Reads every `.yaml`, `.yml` and `.json` below `root`, in order of their names. Hidden folders and the
    /// data folder `skip` are passed over.
    pub(crate) fn read(root: &Path, skip: Option<&Path>, environment: &Environment<'_>) -> Self {
        let mut folder = Self::default();
        // Labels of namespaces are known here: those without a manifest have none.
        folder.manifests.namespaces = Some(BTreeMap::new());
        for file in folder.files(root, skip) {
            match std::fs::read_to_string(&file) {
                Ok(text) => document::read_all(&mut folder, &file, &text, environment),
                Err(error) => folder.problem(&file, None, format!("cannot be read: {error}")),
            }
        }
        folder.give_secrets();
        folder
    }

    /// A Secret that a VirtualKey would be made into, and that lies in the folder, is what people want it to be.
    fn give_secrets(&mut self) {
        for object in &self.manifests.keys {
            let Some((secret, _)) = render::key_secret(object) else { continue };
            let Some(found) = self.manifests.secrets.get_mut(&secret) else { continue };
            found.issue.get_or_insert_with(|| issue_of(object));
        }
    }

    /// Every ModelGateway in the folder.
    pub(crate) fn gateways(&self) -> impl Iterator<Item = ObjectName> {
        self.origins
            .keys()
            .filter(|object| object.kind == Kind::ModelGateway)
            .map(|object| object.name.clone())
    }

    /// `finding` with the file of its object.
    pub(crate) fn locate(&self, finding: &Finding) -> Problem {
        Problem {
            file: self.origins.get(&finding.object).cloned().unwrap_or_default(),
            object: Some(finding.object.to_string()),
            reason: format!("{}: {}", finding.reason.as_str(), finding.message),
        }
    }

    fn problem(&mut self, file: &Path, object: Option<String>, reason: String) {
        self.problems.push(Problem { file: file.to_owned(), object, reason });
    }

    fn files(&mut self, root: &Path, skip: Option<&Path>) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.problem(&folder, None, format!("cannot be listed: {error}"));
                    continue;
                }
            };
            for path in entries.flatten().map(|entry| entry.path()) {
                let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                if hidden || skip.is_some_and(|skip| path == skip) {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if is_manifest(&path) {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }
}

/// The Secret that holds `key` for a VirtualKey.
pub(crate) fn secret_of_key(object: &VirtualKey, field: String, key: Secret) -> SecretData {
    SecretData { version: "1".into(), data: BTreeMap::from([(field, key)]), issue: Some(issue_of(object)) }
}

fn issue_of(object: &VirtualKey) -> Issue {
    let uid = object.metadata.uid.clone().unwrap_or_default();
    Issue { key: name_of(&object.metadata).name, uid, ..Issue::default() }
}

/// Objects in files may lack a namespace: they live in `default`.
pub(crate) fn name_of(metadata: &ObjectMeta) -> ObjectName {
    ObjectName {
        namespace: metadata.namespace.clone().unwrap_or_else(|| "default".into()),
        name: metadata.name.clone().unwrap_or_default(),
    }
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}

#[cfg(test)]
mod tests;

//! Who did what, from the API server's audit log, and what the operator was allowed to do, from its roles.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Result;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use serde::Deserialize;

use crate::cluster::Cluster;

/// A right: a verb on a resource (`modelgateways/status`) of a group, in a namespace or, with none, everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// As `list`.
    pub verb: String,
    /// Empty for the core group.
    pub group: String,
    /// With the subresource after a slash.
    pub resource: String,
    /// `None` in a ClusterRole bound to the cluster.
    pub namespace: Option<String>,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let namespace = self.namespace.as_deref().unwrap_or("the cluster");
        write!(f, "{} {}.{} in {namespace}", self.verb, self.resource, self.group)
    }
}

/// One finished request.
#[derive(Clone, Debug)]
pub struct Deed {
    /// What it took.
    pub right: Right,
    /// The object's name, where it had one.
    pub name: String,
    /// HTTP status.
    pub code: u16,
    /// When it arrived, as the log has it (RFC 3339).
    pub at: String,
}

impl Deed {
    /// Whether it asked for a change.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.right.verb.as_str(), "get" | "list" | "watch")
    }
}

impl std::fmt::Display for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({}): {}", self.at, self.right, self.name, self.code)
    }
}

/// A place in the log from which to read on.
#[derive(Clone, Debug)]
pub struct Bookmark {
    path: PathBuf,
    offset: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    verb: String,
    user: User,
    object_ref: Option<ObjectRef>,
    response_status: Option<Status>,
    request_received_timestamp: String,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: Option<String>,
    name: String,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
}

impl Bookmark {
    /// The end of the log as it is now.
    ///
    /// # Errors
    /// When there is no log.
    pub fn here(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), offset: std::fs::metadata(path)?.len() })
    }

    /// What that service account did since, on objects of the API.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn deeds_of(&self, namespace: &str, account: &str) -> Result<Vec<Deed>> {
        let mut file = std::fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let username = format!("system:serviceaccount:{namespace}:{account}");
        let mut deeds = Vec::new();
        for line in BufReader::new(file).lines() {
            let line = line?;
            // Most lines are other people's; parsing them all takes minutes at the end of a run.
            if !line.contains(&username) {
                continue;
            }
            let Ok(event) = serde_json::from_str::<Event>(&line) else { continue };
            if event.user.username == username {
                deeds.extend(event.into_deed());
            }
        }
        Ok(deeds)
    }
}

impl Event {
    /// Discovery (`/version`, `/apis`) has no object and is everyone's right.
    fn into_deed(self) -> Option<Deed> {
        let object = self.object_ref?;
        let resource = match object.subresource.as_str() {
            "" => object.resource,
            subresource => format!("{}/{subresource}", object.resource),
        };
        let right = Right { verb: self.verb, group: object.api_group, resource, namespace: object.namespace };
        let code = self.response_status.map_or(0, |status| status.code);
        Some(Deed { right, name: object.name, code, at: self.request_received_timestamp })
    }
}

/// All that the roles of a service account allow.
///
/// # Errors
/// When the API server does not answer.
pub async fn rights_of(cluster: &Cluster, namespace: &str, account: &str) -> Result<BTreeSet<Right>> {
    let everything = ListParams::default();
    let is_it = |subjects: &Option<Vec<Subject>>| {
        subjects.iter().flatten().any(|s| s.name == account && s.namespace.as_deref() == Some(namespace))
    };
    let mut rights = BTreeSet::new();
    let bindings: Api<ClusterRoleBinding> = Api::all(cluster.client.clone());
    for binding in bindings.list(&everything).await?.items.iter().filter(|b| is_it(&b.subjects)) {
        for rule in rules(cluster, &binding.role_ref, "").await? {
            rights.extend(spell_out(&rule, None));
        }
    }
    let bindings: Api<RoleBinding> = Api::all(cluster.client.clone());
    for binding in bindings.list(&everything).await?.items.iter().filter(|b| is_it(&b.subjects)) {
        let within = binding.namespace().unwrap_or_default();
        for rule in rules(cluster, &binding.role_ref, &within).await? {
            rights.extend(spell_out(&rule, Some(&within)));
        }
    }
    Ok(rights)
}

async fn rules(cluster: &Cluster, role: &RoleRef, namespace: &str) -> Result<Vec<PolicyRule>> {
    let rules = if role.kind == "ClusterRole" {
        Api::<ClusterRole>::all(cluster.client.clone()).get(&role.name).await?.rules
    } else {
        Api::<Role>::namespaced(cluster.client.clone(), namespace).get(&role.name).await?.rules
    };
    Ok(rules.unwrap_or_default())
}

fn spell_out(rule: &PolicyRule, namespace: Option<&str>) -> Vec<Right> {
    let mut rights = Vec::new();
    for group in rule.api_groups.iter().flatten() {
        for resource in rule.resources.iter().flatten() {
            rights.extend(rule.verbs.iter().map(|verb| Right {
                verb: verb.clone(),
                group: group.clone(),
                resource: resource.clone(),
                namespace: namespace.map(String::from),
            }));
        }
    }
    rights
}

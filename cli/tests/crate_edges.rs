//! The crate graph is the architecture diagram: any edge that the table of ARCHITECTURE.md does not have
//! fails here.

#![expect(clippy::unwrap_used, reason = "a test stops where it is wrong")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Crate; the members it may use; what it must not see, however far away.
const TABLE: &[(&str, &[&str], &[&str])] = &[
    ("catalogue", &[], &["tokio", "kube", "axum", "reqwest"]),
    ("protocol", &["catalogue"], &["tokio", "axum", "reqwest", "hyper"]),
    ("config", &["catalogue"], &["kube", "k8s-openapi", "schemars", "tokio"]),
    ("crds", &[], &["tokio"]),
    ("render", &["crds", "config", "catalogue"], &["kube-client", "tokio"]),
    ("operator", &["render", "crds", "config", "catalogue"], &["sqlx"]),
    ("store", &[], &["axum", "kube"]),
    ("limits", &[], &["axum", "kube", "reqwest"]),
    ("gateway", &["catalogue", "config", "limits", "protocol", "store"], &["kube", "k8s-openapi"]),
    ("fairlead", &["gateway", "render", "crds", "config", "catalogue"], &["kube-client"]),
    ("e2e", &["crds"], &["sqlx"]),
];

#[test]
fn the_crate_graph_is_the_table() {
    let metadata = metadata();
    let mut seen = BTreeSet::new();
    for (name, direct) in direct_dependencies(&metadata) {
        let (_, members, _) = TABLE
            .iter()
            .find(|(member, ..)| *member == name)
            .unwrap_or_else(|| panic!("{name} is not in the table: add it here and to ARCHITECTURE.md"));
        let all: Vec<_> = TABLE.iter().map(|(member, ..)| *member).collect();
        for dependency in direct.iter().filter(|dependency| all.contains(&dependency.as_str())) {
            assert!(members.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
        if name != "store" {
            assert!(!direct.contains("sqlx"), "{name}: only store knows SQL");
        }
        seen.insert(name);
    }
    assert_eq!(seen.len(), TABLE.len(), "the table names a crate that is not a member");
}

#[test]
fn what_a_crate_must_not_see_is_not_in_its_tree() {
    for (name, _, forbidden) in TABLE {
        let tree = cargo(&["tree", "-p", name, "-e", "normal", "--prefix", "none", "--format", "{p}"]);
        let seen: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        for dependency in *forbidden {
            assert!(
                !seen.contains(dependency),
                "{name} sees {dependency}: cargo tree -p {name} -i {dependency}"
            );
        }
    }
}

fn direct_dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let packages = metadata["packages"].as_array().unwrap().iter();
    let each = packages.map(|package| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null());
        let names = normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned());
        (package["name"].as_str().unwrap().to_owned(), names.collect())
    });
    each.collect()
}

fn metadata() -> Value {
    serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).arg("--offline").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

//! Consent by namespace: an owner says whose objects may attach to theirs.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which namespaces are meant, besides the object's own, which always is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.from == 'Selector') == has(self.selector)")
    .message("selector goes with from: Selector, and from: Selector needs one"))]
pub struct NamespaceSelection {
    /// Same: only the object's own namespace. All: every namespace that the operator watches.
    /// Selector: its own and those whose labels match `selector` (needs an operator of cluster scope).
    #[serde(default)]
    pub from: NamespacesFrom,
    /// Labels that a namespace must carry. Only with `from: Selector`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<NamespaceSelector>,
}

/// How namespaces are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NamespacesFrom {
    /// The object's own.
    #[default]
    Same,
    /// Every one that the operator watches.
    All,
    /// By label.
    Selector,
}

/// Labels that a namespace must carry, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Label keys and the values they must have.
    #[schemars(extend("maxProperties" = 16, "minProperties" = 1))]
    pub match_labels: BTreeMap<String, String>,
}

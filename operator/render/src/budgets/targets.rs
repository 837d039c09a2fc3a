//! Whose requests a policy counts. What is known now, models and labels, is looked up; teams, users, tags and customers are
//! taken by name, since no object has them.

use std::collections::BTreeMap;

use config::{ObjectName, Target};
use crds::{BudgetTarget, TargetKind};

use super::limits::at_most;
use super::{Complaint, Context, partly, warning};
use crate::Reason;
use crate::upstream::{Fault, invalid};

/// The subjects of all targets, sorted, each once, and the targets that found none.
pub(super) fn resolve(
    context: &Context<'_>,
    policy: &ObjectName,
    written: &[BudgetTarget],
) -> Result<(Vec<Target>, Vec<Complaint>), Fault> {
    at_most("targets", written.len(), 16)?;
    // A tenant's policy must not hold up other tenants.
    let scope = (policy.namespace != context.gateway.namespace).then_some(policy.namespace.as_str());
    let mut targets = Vec::new();
    let mut unmatched = Vec::new();
    for target in written {
        check(target)?;
        match subjects(context, policy, scope, target) {
            Ok(mut found) => {
                unmatched.extend(
                    absent(context, &found).iter().map(|name| {
                        format!("VirtualKey {name}: it is not there, or does not open the gateway")
                    }),
                );
                targets.append(&mut found);
            }
            Err(why) => unmatched.push(format!("{}: {why}", described(target))),
        }
    }
    targets.sort();
    targets.dedup();
    let mut complaints = Vec::new();
    if !unmatched.is_empty() {
        let fault = (Reason::NoMatchingTarget, format!("no request can match {}", unmatched.join("; ")));
        complaints.push(if targets.is_empty() { partly(fault) } else { warning(fault) });
    }
    Ok((targets, complaints))
}

/// The keys that are named and do not exist. They count once they do.
fn absent(context: &Context<'_>, found: &[Target]) -> Vec<ObjectName> {
    let keys = found.iter().filter(|target| target.kind == config::TargetKind::VirtualKey);
    let named = keys.filter_map(|target| {
        Some(ObjectName { namespace: target.namespace.clone()?, name: target.name.clone()? })
    });
    named.filter(|name| !context.keys.contains_key(name)).collect()
}

/// What the schema refuses; files are not checked against it.
fn check(target: &BudgetTarget) -> Result<(), Fault> {
    let kind = target.kind;
    let of = |why: &str| Err(invalid(format!("target {}: {why}", described(target))));
    if target.name.is_some() && target.selector.is_some() {
        return of("write name or selector, not both");
    }
    if target.name.as_ref().is_some_and(String::is_empty) {
        return of("name is empty: leave it out to mean every one");
    }
    if kind == TargetKind::Gateway && (target.name.is_some() || target.selector.is_some()) {
        return of("the gateway is that of gatewayRef: leave name and selector out");
    }
    let has_labels = matches!(kind, TargetKind::Namespace | TargetKind::VirtualKey | TargetKind::Model);
    if target.selector.is_some() && !has_labels {
        return of("only Namespaces, VirtualKeys and models have labels to select by: write a name");
    }
    if target.selector.as_ref().is_some_and(|selector| selector.match_labels.is_empty()) {
        return of("an empty selector would mean every one: leave it out if that is meant");
    }
    if target.namespace.is_some() && kind != TargetKind::VirtualKey {
        return of("namespace goes with kind VirtualKey: leave it out");
    }
    Ok(())
}

/// The subjects of one target, or why there are none.
fn subjects(
    context: &Context<'_>,
    policy: &ObjectName,
    scope: Option<&str>,
    target: &BudgetTarget,
) -> Result<Vec<Target>, String> {
    let kind = kind(target.kind);
    let one = |name: Option<&str>| {
        vec![Target { kind, name: name.map(str::to_owned), namespace: scope.map(str::to_owned) }]
    };
    let name = target.name.as_deref();
    let wanted = target.selector.as_ref().map(|selector| &selector.match_labels);
    match (target.kind, wanted) {
        (TargetKind::Namespace, Some(wanted)) => {
            let names = namespaces(context, scope, wanted)?;
            Ok(names.into_iter().flat_map(|name| one(Some(name))).collect())
        }
        (TargetKind::Namespace, None) => match (scope, name) {
            (Some(own), Some(name)) if own != name => Err(foreign(own, context.gateway)),
            (Some(own), _) => Ok(one(Some(own))),
            (None, name) => Ok(one(name)),
        },
        (TargetKind::VirtualKey, Some(wanted)) => labelled_keys(context, scope, target, wanted),
        (TargetKind::VirtualKey, None) => Ok(vec![key(context, policy, scope, target)?]),
        (TargetKind::Model, _) => Ok(models(context, target)?.into_iter().flat_map(one).collect()),
        (
            TargetKind::Gateway
            | TargetKind::Team
            | TargetKind::User
            | TargetKind::Tag
            | TargetKind::Customer,
            _,
        ) => Ok(one(name)),
    }
}

fn key(
    context: &Context<'_>,
    policy: &ObjectName,
    scope: Option<&str>,
    target: &BudgetTarget,
) -> Result<Target, String> {
    let own = target.name.as_ref().map(|_| policy.namespace.as_str());
    let namespace = target.namespace.as_deref().or(own).or(scope);
    match scope {
        Some(own) if namespace != scope => Err(foreign(own, context.gateway)),
        _ => Ok(Target {
            kind: config::TargetKind::VirtualKey,
            name: target.name.clone(),
            namespace: namespace.map(str::to_owned),
        }),
    }
}

/// The VirtualKeys of all namespaces, or of one, that carry the labels.
fn labelled_keys(
    context: &Context<'_>,
    scope: Option<&str>,
    target: &BudgetTarget,
    wanted: &BTreeMap<String, String>,
) -> Result<Vec<Target>, String> {
    let namespace = target.namespace.as_deref().or(scope);
    if let Some(own) = scope.filter(|_| namespace != scope) {
        return Err(foreign(own, context.gateway));
    }
    let matching = context.keys.iter().filter(|(name, labels)| {
        namespace.is_none_or(|own| own == name.namespace)
            && labels.is_some_and(|labels| carries(labels, wanted))
    });
    let found: Vec<_> = matching
        .map(|(name, _)| Target {
            kind: config::TargetKind::VirtualKey,
            name: Some(name.name.clone()),
            namespace: Some(name.namespace.clone()),
        })
        .collect();
    if found.is_empty() {
        return Err("no VirtualKey that opens the gateway has these labels".into());
    }
    Ok(found)
}

/// Public names; `None` is every model.
fn models<'a>(context: &Context<'a>, target: &BudgetTarget) -> Result<Vec<Option<&'a str>>, String> {
    match (&target.name, &target.selector) {
        (Some(name), _) => {
            match context.models.get(name.as_str()).or_else(|| context.routes.get(name.as_str())) {
                Some(public) => Ok(vec![Some(public)]),
                None => Err("no such model is served".into()),
            }
        }
        (None, Some(selector)) => {
            let wanted = &selector.match_labels;
            let matching = context.labels.iter().filter(|(_, labels)| carries(labels, wanted));
            let found: Vec<_> = matching.map(|(model, _)| Some(*model)).collect();
            if found.is_empty() {
                return Err("no ModelDeployment that is served has these labels".into());
            }
            Ok(found)
        }
        (None, None) => Ok(vec![None]),
    }
}

fn namespaces<'a>(
    context: &Context<'a>,
    scope: Option<&str>,
    wanted: &BTreeMap<String, String>,
) -> Result<Vec<&'a str>, String> {
    let Some(known) = &context.manifests.namespaces else {
        return Err("labels of namespaces need an operator of cluster scope: write names".into());
    };
    let matching = known.iter().filter(|(name, namespace)| {
        scope.is_none_or(|own| own == name.as_str()) && carries(&namespace.labels, wanted)
    });
    let names: Vec<_> = matching.map(|(name, _)| name.as_str()).collect();
    match (names.is_empty(), scope) {
        (false, _) => Ok(names),
        (true, None) => Err("no namespace has these labels".into()),
        (true, Some(own)) => Err(foreign(own, context.gateway)),
    }
}

fn foreign(own: &str, gateway: &ObjectName) -> String {
    format!(
        "a policy in namespace {own} counts requests of that namespace's keys only: move it to {} to count others",
        gateway.namespace
    )
}

fn carries(labels: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn described(target: &BudgetTarget) -> String {
    let kind = target.kind.as_str();
    match (&target.name, &target.selector) {
        (Some(name), _) => format!("{kind} {name}"),
        (None, Some(selector)) => {
            let labels: Vec<_> =
                selector.match_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{kind} {}", labels.join(","))
        }
        (None, None) => kind.to_owned(),
    }
}

fn kind(written: TargetKind) -> config::TargetKind {
    match written {
        TargetKind::Gateway => config::TargetKind::Gateway,
        TargetKind::Namespace => config::TargetKind::Namespace,
        TargetKind::Team => config::TargetKind::Team,
        TargetKind::User => config::TargetKind::User,
        TargetKind::VirtualKey => config::TargetKind::VirtualKey,
        TargetKind::Model => config::TargetKind::Model,
        TargetKind::Tag => config::TargetKind::Tag,
        TargetKind::Customer => config::TargetKind::Customer,
    }
}

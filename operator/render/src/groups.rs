//! Candidates to models: deployments of one name form a group, and who came first owns a name.

use std::collections::{BTreeMap, BTreeSet};

use config::{Config, Deployment, Model, ObjectName, Secret};
use crds::ConditionType;

use crate::deployments::Candidate;
use crate::{Effect, Finding, Kind, ObjectRef, Reason};

/// What a gateway's candidates come to.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub models: Vec<Model>,
    pub credentials: BTreeMap<String, Secret>,
}

/// Who owns a public name, be it a model's name or an alias.
struct Claim {
    model: String,
    namespace: String,
}

/// Forms the groups. Names and aliases are one space: an alias is as good as a name to a client. `before` was published
/// last: Kubernetes tells births to the second, and of those of one second whoever serves keeps the name.
pub(crate) fn form(
    mut candidates: Vec<Candidate>,
    before: Option<&Config>,
    across_namespaces: bool,
    findings: &mut Vec<Finding>,
) -> Groups {
    let served = before.into_iter().flat_map(|config| &config.models).flat_map(|model| &model.deployments);
    let served: BTreeSet<ObjectName> = served.map(|deployment| deployment.id.clone()).collect();
    let age = |one: &Candidate| (one.created.clone(), !served.contains(&one.name), one.name.clone());
    candidates.sort_by_cached_key(age);
    let mut claims: BTreeMap<String, Claim> = BTreeMap::new();
    let mut models: BTreeMap<String, Model> = BTreeMap::new();
    let mut credentials = BTreeMap::new();
    for candidate in candidates {
        if let Some(taken) = objection(&claims, &candidate, across_namespaces) {
            refuse(findings, &candidate.name, taken);
            continue;
        }
        for public in candidate.aliases.iter().chain([&candidate.model]) {
            claims.entry(public.clone()).or_insert_with(|| Claim {
                model: candidate.model.clone(),
                namespace: candidate.name.namespace.clone(),
            });
        }
        let Some(entry) = candidate.entry else { continue };
        credentials.extend(candidate.credentials);
        join(&mut models, candidate.model, candidate.aliases, entry);
    }
    Groups { models: models.into_values().collect(), credentials }
}

fn join(models: &mut BTreeMap<String, Model>, name: String, aliases: Vec<String>, entry: Deployment) {
    let model = models.entry(name.clone()).or_insert_with(|| Model {
        name,
        aliases: Vec::new(),
        deployments: Vec::new(),
        fallbacks: config::Fallbacks::default(),
    });
    model.aliases.extend(aliases);
    model.aliases.sort();
    model.aliases.dedup();
    model.deployments.push(entry);
    model.deployments.sort_by(|a, b| a.id.cmp(&b.id));
}

fn objection(
    claims: &BTreeMap<String, Claim>,
    candidate: &Candidate,
    across_namespaces: bool,
) -> Option<(Reason, String)> {
    if let Some(claim) = claims.get(&candidate.model) {
        if claim.model != candidate.model {
            let message = format!(
                "model name {} is already an alias of model {}: choose another modelName",
                candidate.model, claim.model
            );
            return Some((Reason::ModelNameTaken, message));
        }
        if !across_namespaces && claim.namespace != candidate.name.namespace {
            let message = format!(
                "model name {} belongs to another namespace: choose another modelName, \
                 or set models.groupAcrossNamespaces on the gateway",
                candidate.model
            );
            return Some((Reason::ModelNameTaken, message));
        }
    }
    candidate.aliases.iter().find_map(|alias| {
        let claim = claims.get(alias).filter(|claim| claim.model != candidate.model)?;
        let message = format!("alias {alias} already stands for model {}: choose another alias", claim.model);
        Some((Reason::AliasTaken, message))
    })
}

fn refuse(findings: &mut Vec<Finding>, name: &ObjectName, (reason, message): (Reason, String)) {
    let object = ObjectRef { kind: Kind::ModelDeployment, name: name.clone() };
    // One that serves its last good version under a name it may no longer have has two faults: the later
    // one decides.
    findings.retain(|finding| finding.object != object);
    let condition = ConditionType::Accepted;
    findings.push(Finding { object, condition, reason, message, effect: Effect::NotServed });
}

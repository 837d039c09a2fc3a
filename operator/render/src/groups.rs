//! Candidates to models: deployments of one name form a group, and who came first owns a name, be it a group or a route.

use std::collections::{BTreeMap, BTreeSet};

use config::{Config, Deployment, Model, ObjectName, Secret};
use crds::ConditionType;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::deployments::Candidate;
use crate::routes::Draft;
use crate::upstream::Fault;
use crate::{Effect, Finding, Kind, ObjectRef, Reason};

/// What a gateway's candidates come to.
#[derive(Debug, Default)]
pub(crate) struct Groups<'a> {
    pub models: Vec<Model>,
    /// Those that have their names.
    pub routes: Vec<Draft<'a>>,
    pub credentials: BTreeMap<String, Secret>,
}

/// Who owns a public name, be it a name or an alias.
struct Claim {
    model: String,
    namespace: String,
    is_route: bool,
}

/// Who wants names.
enum Claimant<'a> {
    Deployment(Box<Candidate>),
    Route(Box<Draft<'a>>),
}

/// Who came first: by birth, then those that serve already, then by name.
type Age = (Option<Time>, bool, ObjectName);

/// Forms the groups. Names and aliases are one space: an alias is as good as a name to a client. `before` was published
/// last: Kubernetes tells births to the second, and of those of one second whoever serves keeps the name.
pub(crate) fn form<'a>(
    (candidates, drafts): (Vec<Candidate>, Vec<Draft<'a>>),
    before: Option<&Config>,
    across_namespaces: bool,
    findings: &mut Vec<Finding>,
) -> Groups<'a> {
    let mut claims: BTreeMap<String, Claim> = BTreeMap::new();
    let mut models: BTreeMap<String, Model> = BTreeMap::new();
    let mut groups = Groups::default();
    for (_, claimant) in in_order(candidates, drafts, before) {
        match claimant {
            Claimant::Deployment(candidate) => {
                if let Some(taken) = objection(&claims, &candidate, across_namespaces) {
                    refuse(findings, &candidate.name, taken);
                    continue;
                }
                let public = candidate.aliases.iter().chain([&candidate.model]);
                let owner = (&candidate.model, &candidate.name.namespace, false);
                claim(&mut claims, public, owner);
                let Candidate { entry: Some(entry), model, aliases, credentials, .. } = *candidate else {
                    continue;
                };
                groups.credentials.extend(credentials);
                join(&mut models, model, aliases, entry);
            }
            Claimant::Route(draft) => {
                if let Some(taken) = objection_to_route(&claims, &draft) {
                    draft.refuse(taken, findings);
                    continue;
                }
                let public = draft.aliases.iter().chain([&draft.model]);
                claim(&mut claims, public, (&draft.model, &draft.id.namespace, true));
                groups.routes.push(*draft);
            }
        }
    }
    groups.models = models.into_values().collect();
    groups
}

fn in_order<'a>(
    candidates: Vec<Candidate>,
    drafts: Vec<Draft<'a>>,
    before: Option<&Config>,
) -> Vec<(Age, Claimant<'a>)> {
    let served = before.into_iter().flat_map(|config| &config.models).flat_map(|model| &model.deployments);
    let served: BTreeSet<&ObjectName> = served.map(|deployment| &deployment.id).collect();
    let routed = before.into_iter().flat_map(|config| &config.routes);
    let routed: BTreeSet<&ObjectName> = routed.map(|route| &route.id).collect();
    let deployments = candidates.into_iter().map(|one| {
        let age = (one.created.clone(), !served.contains(&one.name), one.name.clone());
        (age, Claimant::Deployment(Box::new(one)))
    });
    let routes = drafts.into_iter().map(|one| {
        let created = one.object.metadata.creation_timestamp.clone();
        ((created, !routed.contains(one.id), one.id.clone()), Claimant::Route(Box::new(one)))
    });
    let mut all: Vec<_> = deployments.chain(routes).collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

fn claim<'n>(
    claims: &mut BTreeMap<String, Claim>,
    public: impl Iterator<Item = &'n String>,
    (model, namespace, is_route): (&String, &String, bool),
) {
    for name in public {
        claims.entry(name.clone()).or_insert_with(|| Claim {
            model: model.clone(),
            namespace: namespace.clone(),
            is_route,
        });
    }
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
        if claim.is_route {
            return Some((Reason::ModelNameTaken, taken_by_route("model name", &candidate.model, claim)));
        }
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
        let claim = claims.get(alias).filter(|claim| claim.is_route || claim.model != candidate.model)?;
        Some((Reason::AliasTaken, alias_taken(alias, claim)))
    })
}

/// A route shares its names with nobody.
fn objection_to_route(claims: &BTreeMap<String, Claim>, draft: &Draft<'_>) -> Option<Fault> {
    if let Some(claim) = claims.get(&draft.model) {
        let message = match claim.is_route {
            true => taken_by_route("name", &draft.model, claim),
            false => format!(
                "name {} already stands for model {}: choose another modelName",
                draft.model, claim.model
            ),
        };
        return Some((Reason::ModelNameTaken, message));
    }
    let (alias, claim) = draft.aliases.iter().find_map(|alias| Some((alias, claims.get(alias)?)))?;
    Some((Reason::AliasTaken, alias_taken(alias, claim)))
}

fn taken_by_route(what: &str, name: &str, claim: &Claim) -> String {
    format!("{what} {name} already stands for route {}: choose another modelName", claim.model)
}

fn alias_taken(alias: &str, claim: &Claim) -> String {
    let what = if claim.is_route { "route" } else { "model" };
    format!("alias {alias} already stands for {what} {}: choose another alias", claim.model)
}

fn refuse(findings: &mut Vec<Finding>, name: &ObjectName, (reason, message): (Reason, String)) {
    let object = ObjectRef { kind: Kind::ModelDeployment, name: name.clone() };
    // One that serves its last good version under a name it may no longer have has two faults: the later
    // one decides.
    findings.retain(|finding| finding.object != object);
    let condition = ConditionType::Accepted;
    findings.push(Finding { object, condition, reason, message, effect: Effect::NotServed });
}

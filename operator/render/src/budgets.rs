//! BudgetPolicies to budgets: each as written, or the version before, or nothing but a finding. What can be rendered of a
//! policy always holds: a target, a parent, a fallback model or a webhook that is missing takes nothing else with it.
//! `budgets/limits.rs`, `targets.rs` and `alerts.rs` read one policy; `parents.rs` and `conflicts.rs` look at all of a
//! gateway's.

mod alerts;
mod conflicts;
mod limits;
mod parents;
mod targets;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use config::{
    Budget, Egress, FailureMode, Key, Model, ObjectName, OnExceed, ReservationEstimate, Route, Secret,
};
use crds::{BudgetPolicy, ConditionType};

use crate::gateways::object_name;
use crate::upstream::Fault;
use crate::{Effect, Finding, Kind, Manifests, ObjectRef, Reason};

/// What the policies of one gateway are judged by.
pub(crate) struct Context<'a> {
    manifests: &'a Manifests,
    gateway: &'a ObjectName,
    failure_mode: FailureMode,
    /// How webhooks are reached.
    egress: &'a Egress,
    /// Public names and aliases of models, to the public name.
    models: HashMap<&'a str, &'a str>,
    /// The same of routes.
    routes: HashMap<&'a str, &'a str>,
    /// The labels of each model's deployments.
    labels: Vec<(&'a str, &'a BTreeMap<String, String>)>,
    /// Those that open the gateway, with their labels.
    keys: BTreeMap<&'a ObjectName, Option<&'a BTreeMap<String, String>>>,
    /// The policies that keys name themselves.
    named_by_keys: BTreeSet<&'a ObjectName>,
}

/// What a gateway's policies come to.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    pub budgets: Vec<Budget>,
    /// Material of webhooks by file name.
    pub credentials: BTreeMap<String, Secret>,
    /// The policies whose owners have lifted their limits.
    suspended: BTreeSet<ObjectName>,
}

/// A policy that wants a place in the config.
struct Candidate<'a> {
    object: &'a BudgetPolicy,
    budget: Budget,
    credentials: BTreeMap<String, Secret>,
}

/// What is wrong with a policy that is served all the same.
struct Complaint {
    condition: ConditionType,
    fault: Fault,
    effect: Effect,
}

impl Budgets {
    /// Whether a key may name it: it counts, or its owner does not want it to.
    pub(crate) fn knows(&self, name: &ObjectName) -> bool {
        self.suspended.contains(name) || self.counts(name)
    }

    /// Whether it is in the config.
    pub(crate) fn counts(&self, name: &ObjectName) -> bool {
        self.budgets.binary_search_by(|budget| budget.id.cmp(name)).is_ok()
    }
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        manifests: &'a Manifests,
        gateway: &'a ObjectName,
        failure_mode: FailureMode,
        egress: &'a Egress,
        (models, routes, keys): (&'a [Model], &'a [Route], &'a [Key]),
    ) -> Self {
        let each = models.iter().flat_map(|model| {
            model.aliases.iter().chain([&model.name]).map(|public| (public.as_str(), model.name.as_str()))
        });
        let routed = routes.iter().flat_map(|route| {
            route.aliases.iter().chain([&route.name]).map(|public| (public.as_str(), route.name.as_str()))
        });
        let owners: BTreeMap<&ObjectName, &str> = models
            .iter()
            .flat_map(|model| model.deployments.iter().map(|one| (&one.id, model.name.as_str())))
            .collect();
        let labels = manifests.deployments.iter().filter_map(|object| {
            let model = owners.get(&object_name(&object.metadata))?;
            Some((*model, object.metadata.labels.as_ref()?))
        });
        let own: BTreeSet<&ObjectName> = keys.iter().map(|key| &key.id).collect();
        let labelled = manifests.keys.iter().filter_map(|object| {
            let name = own.get(&object_name(&object.metadata))?;
            Some((*name, object.metadata.labels.as_ref()))
        });
        Self {
            manifests,
            gateway,
            failure_mode,
            egress,
            models: each.collect(),
            routes: routed.collect(),
            labels: labels.collect(),
            keys: labelled.collect(),
            named_by_keys: keys.iter().flat_map(|key| &key.budgets).collect(),
        }
    }
}

/// The budgets of the policies that are attached to one gateway.
pub(crate) fn form(context: &Context<'_>, objects: &[&BudgetPolicy], findings: &mut Vec<Finding>) -> Budgets {
    let mut suspended = BTreeMap::new();
    let mut candidates = Vec::new();
    for object in objects {
        let name = object_name(&object.metadata);
        if object.spec.suspend {
            tell(findings, &name, suspension());
            suspended.insert(name.clone(), parent_of(object, &name));
        } else {
            candidates.extend(candidate(context, object, &name, findings));
        }
    }
    candidates.sort_by(|a, b| a.budget.id.cmp(&b.budget.id));
    parents::link(&mut candidates, &suspended, findings);
    idle(&candidates, &context.named_by_keys, findings);
    conflicts::settle(&mut candidates, findings);
    let mut formed = Budgets { suspended: suspended.into_keys().collect(), ..Budgets::default() };
    for candidate in candidates {
        formed.budgets.push(candidate.budget);
        formed.credentials.extend(candidate.credentials);
    }
    formed
}

fn candidate<'a>(
    context: &Context<'_>,
    object: &'a BudgetPolicy,
    name: &ObjectName,
    findings: &mut Vec<Finding>,
) -> Option<Candidate<'a>> {
    let (mut candidate, mut complaints) = match fresh(context, object, name) {
        Ok(found) => found,
        Err(fault) => {
            let before = last_good(context, object, name);
            let effect = if before.is_some() { Effect::LastGoodServes } else { Effect::NotServed };
            tell(findings, name, Complaint { condition: ConditionType::Accepted, fault, effect });
            (before?, Vec::new())
        }
    };
    complaints.extend(resolve_fallbacks(context, &mut candidate.budget));
    complaints.extend(reset(context, object, &mut candidate.budget));
    for complaint in complaints {
        tell(findings, name, complaint);
    }
    Some(candidate)
}

/// The candidate as written. Fallback models, parents and the reset are not looked at yet.
fn fresh<'a>(
    context: &Context<'_>,
    object: &'a BudgetPolicy,
    name: &ObjectName,
) -> Result<(Candidate<'a>, Vec<Complaint>), Fault> {
    let spec = &object.spec;
    let (targets, mut complaints) = targets::resolve(context, name, &spec.targets)?;
    let alerts = alerts::resolve(context, object, name)?;
    complaints.extend(alerts.complaints);
    let budget = Budget {
        id: name.clone(),
        uid: object.metadata.uid.clone().unwrap_or_default(),
        targets,
        per_target: spec.per_target,
        limits: limits::limits(&spec.limits)?,
        enforcement: match spec.enforcement {
            crds::Enforcement::Enforce => config::Enforcement::Enforce,
            crds::Enforcement::Shadow => config::Enforcement::Shadow,
        },
        failure_mode: spec.failure_mode.map_or(context.failure_mode, failure_mode),
        estimate: match spec.reservation.estimate {
            crds::ReservationEstimate::MaxTokens => ReservationEstimate::MaxTokens,
            crds::ReservationEstimate::Average => ReservationEstimate::Average,
            crds::ReservationEstimate::None => ReservationEstimate::None,
        },
        reservation_ttl_ms: limits::ttl(&spec.reservation.ttl)?,
        parent: parent_of(object, name),
        alerts: alerts.alerts,
        reset_at: None,
    };
    Ok((Candidate { object, budget, credentials: alerts.credentials }, complaints))
}

/// What a failure mode is called in the config.
pub(crate) fn failure_mode(written: crds::FailureMode) -> FailureMode {
    match written {
        crds::FailureMode::FailOpen => FailureMode::FailOpen,
        crds::FailureMode::FailClosed => FailureMode::FailClosed,
        crds::FailureMode::Estimate => FailureMode::Estimate,
    }
}

fn parent_of(object: &BudgetPolicy, name: &ObjectName) -> Option<ObjectName> {
    let parent = object.spec.parent_ref.as_ref()?;
    Some(ObjectName { namespace: name.namespace.clone(), name: parent.name.clone() })
}

/// The candidate as it was rendered last, if it was, of the same object.
fn last_good<'a>(
    context: &Context<'_>,
    object: &'a BudgetPolicy,
    name: &ObjectName,
) -> Option<Candidate<'a>> {
    let mut budget = previous(context, object, name)?.clone();
    let mut credentials = BTreeMap::new();
    for alert in &mut budget.alerts {
        let material = alert.webhook.as_ref().and_then(|reference| alerts::material(context, reference));
        match material {
            Some((file, secret)) => drop(credentials.insert(file, secret)),
            None => alert.webhook = None,
        }
    }
    // Others may have come or gone since.
    budget.limits.iter_mut().for_each(|limit| limit.except.clear());
    Some(Candidate { object, budget, credentials })
}

fn previous<'a>(context: &Context<'a>, object: &BudgetPolicy, name: &ObjectName) -> Option<&'a Budget> {
    let config = &context.manifests.previous.get(context.gateway)?.config;
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    config.budgets.iter().find(|budget| budget.id == *name && budget.uid == uid)
}

/// Gives each fallback model its public name. Where there is none, the limit refuses instead: it must hold.
fn resolve_fallbacks(context: &Context<'_>, budget: &mut Budget) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for limit in &mut budget.limits {
        let OnExceed::Fallback { model } = &mut limit.on_exceed else { continue };
        match context.models.get(model.as_str()) {
            Some(public) => (*public).clone_into(model),
            None => {
                let message = format!(
                    "limit {}: no model {model}, which is no route, is served to fall back to: until one is, what does not fit is refused",
                    limit.name
                );
                complaints.push(unresolved((Reason::ModelNotFound, message)));
                limit.on_exceed = OnExceed::Reject;
            }
        }
    }
    complaints
}

/// The time in the annotation. One that cannot be read, or is taken away, changes nothing: else what was spent before the
/// last reset would be back.
fn reset(context: &Context<'_>, object: &BudgetPolicy, budget: &mut Budget) -> Option<Complaint> {
    let written = object.metadata.annotations.as_ref().and_then(|all| all.get(crds::RESET_ANNOTATION));
    let seconds = written.and_then(|text| reset_time(text));
    let before = previous(context, object, &budget.id).and_then(|before| before.reset_at);
    budget.reset_at = seconds.or(before);
    if written.is_none() || seconds.is_some() {
        return None;
    }
    let message = format!(
        "annotation {} is no time such as 2026-11-01T12:00:00Z, so nothing is reset",
        crds::RESET_ANNOTATION
    );
    Some(warning((Reason::InvalidAnnotation, message)))
}

/// What a reset annotation asks for, in unix seconds; `None` if it is no time.
#[must_use]
pub fn reset_time(annotation: &str) -> Option<u64> {
    let time: jiff::Timestamp = annotation.trim().parse().ok()?;
    u64::try_from(time.as_second()).ok()
}

/// Tells of policies that count nothing because nobody names them.
fn idle(candidates: &[Candidate<'_>], by_keys: &BTreeSet<&ObjectName>, findings: &mut Vec<Finding>) {
    let parents = candidates.iter().filter_map(|candidate| candidate.budget.parent.as_ref());
    let named: BTreeSet<_> = by_keys.iter().copied().chain(parents).collect();
    for candidate in candidates {
        let name = &candidate.budget.id;
        if candidate.budget.targets.is_empty()
            && candidate.object.spec.targets.is_empty()
            && !named.contains(name)
        {
            let message = "it has no targets, and no policy or key names it: add targets".to_owned();
            tell(findings, name, partly((Reason::NoMatchingTarget, message)));
        }
    }
}

fn suspension() -> Complaint {
    let fault = (Reason::Suspended, "its limits are lifted by spec.suspend".to_owned());
    Complaint { condition: ConditionType::Accepted, fault, effect: Effect::NotServed }
}

fn partly(fault: Fault) -> Complaint {
    Complaint { condition: ConditionType::Accepted, fault, effect: Effect::Partly }
}

fn unresolved(fault: Fault) -> Complaint {
    Complaint { condition: ConditionType::ResolvedRefs, fault, effect: Effect::Partly }
}

fn warning(fault: Fault) -> Complaint {
    Complaint { condition: ConditionType::Accepted, fault, effect: Effect::Served }
}

fn tell(findings: &mut Vec<Finding>, name: &ObjectName, complaint: Complaint) {
    let object = ObjectRef { kind: Kind::BudgetPolicy, name: name.clone() };
    let Complaint { condition, fault: (reason, message), effect } = complaint;
    findings.push(Finding { object, condition, reason, message, effect });
}

//! Policies of one namespace that say two things about one subject: the older one's limit holds. Policies of different
//! namespaces are different people's: all of theirs hold, so that no tenant outdoes the platform. Nor does one in shadow
//! conflict: it is there to be compared.

use std::collections::{BTreeMap, HashMap};

use config::{Enforcement, Limit, ObjectName, Target, Unit, Window};

use super::{Candidate, partly, tell};
use crate::{Finding, Reason};

/// A limit and its subject. Windows have no hash, so they are compared one by one.
type Claim<'a> = (&'a str, &'a str, Unit, &'a Target);

/// What the losers may not limit: candidate, limit, target, and the winner's name.
type Lost = (usize, usize, Target, ObjectName);

/// Takes from each policy the subjects of a limit that an older policy limits by the same name, unit and window.
pub(super) fn settle(candidates: &mut [Candidate<'_>], findings: &mut Vec<Finding>) {
    let lost = losses(candidates);
    let mut told: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (candidate, limit, target, winner) in lost {
        let Some(limit) =
            candidates.get_mut(candidate).and_then(|candidate| candidate.budget.limits.get_mut(limit))
        else {
            continue;
        };
        let what =
            format!("limit {} of {}: BudgetPolicy {} is older", limit.name, described(&target), winner.name);
        limit.except.push(target);
        told.entry(candidate).or_default().push(what);
    }
    for (candidate, what) in told {
        let Some(candidate) = candidates.get(candidate) else { continue };
        let message =
            format!("{}: the older one's holds; if both shall, give this one another name", what.join("; "));
        tell(findings, &candidate.budget.id, partly((Reason::ConflictingPolicy, message)));
    }
}

fn losses(candidates: &[Candidate<'_>]) -> Vec<Lost> {
    let mut order: Vec<_> = candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| candidate.budget.enforcement == Enforcement::Enforce)
        .collect();
    order.sort_by_key(|(_, candidate)| (&candidate.object.metadata.creation_timestamp, &candidate.budget.id));
    let mut claims: HashMap<Claim<'_>, Vec<(&Window, &ObjectName)>> = HashMap::new();
    let mut lost = Vec::new();
    for (at, candidate) in order {
        let id = &candidate.budget.id;
        for (number, limit) in candidate.budget.limits.iter().enumerate() {
            for target in &candidate.budget.targets {
                let holders = claims.entry(claim(id, limit, target)).or_default();
                match holders.iter().find(|(window, _)| **window == limit.window) {
                    Some((_, winner)) => lost.push((at, number, target.clone(), (*winner).clone())),
                    None => holders.push((&limit.window, id)),
                }
            }
        }
    }
    lost
}

fn claim<'a>(id: &'a ObjectName, limit: &'a Limit, target: &'a Target) -> Claim<'a> {
    (&id.namespace, &limit.name, limit.unit, target)
}

fn described(target: &Target) -> String {
    let kind = match target.kind {
        config::TargetKind::Gateway => return "the gateway".into(),
        config::TargetKind::Namespace => "Namespace",
        config::TargetKind::Team => "Team",
        config::TargetKind::User => "User",
        config::TargetKind::VirtualKey => "VirtualKey",
        config::TargetKind::Model => "Model",
        config::TargetKind::Tag => "Tag",
        config::TargetKind::Customer => "Customer",
    };
    target.name.as_ref().map_or_else(|| format!("every {kind}"), |name| format!("{kind} {name}"))
}

//! Parents: what a policy counts is counted above it too. A parent that is not there takes nothing from its child; one that
//! is suspended makes way for its own parent.

use std::collections::{BTreeMap, HashMap, HashSet};

use config::{Budget, Limit, ObjectName};
use crds::BudgetPolicy;

use super::{Candidate, partly, tell, unresolved, warning};
use crate::{Finding, Reason};

/// How many may stand above a policy: a request must fit all of them.
const DEPTH: usize = 8;

/// Names of a circle that a message shows.
const SHOWN: usize = 5;

/// Suspended policies, with the parent of each.
type Suspended = BTreeMap<ObjectName, Option<ObjectName>>;

/// Gives each candidate the parent that is in the config, or none.
pub(super) fn link(candidates: &mut [Candidate<'_>], suspended: &Suspended, findings: &mut Vec<Finding>) {
    let present: HashMap<_, _> = candidates.iter().map(|it| (it.budget.id.clone(), it.object)).collect();
    for candidate in &mut *candidates {
        let Some(wanted) = candidate.budget.parent.take() else { continue };
        match standing(wanted.clone(), &present, suspended) {
            Ok(parent) => candidate.budget.parent = parent,
            Err(missing) => {
                let message = format!(
                    "parent {} is not in this namespace, or counts for another gateway, or is itself refused: its own limits hold alone",
                    missing.name
                );
                tell(findings, &candidate.budget.id, unresolved((Reason::ParentNotFound, message)));
            }
        }
    }
    cut(candidates, findings);
    compare(candidates, findings);
}

/// The nearest that is not suspended.
fn standing(
    wanted: ObjectName,
    present: &HashMap<ObjectName, &BudgetPolicy>,
    suspended: &Suspended,
) -> Result<Option<ObjectName>, ObjectName> {
    let mut next = wanted;
    // Suspended policies may name each other in a circle.
    for _ in 0..=suspended.len() {
        match suspended.get(&next) {
            _ if present.contains_key(&next) => return Ok(Some(next)),
            Some(Some(above)) => next = above.clone(),
            Some(None) => return Ok(None),
            None => return Err(next),
        }
    }
    Ok(None)
}

/// Takes the parent from policies that stand above themselves, then from those below too many.
fn cut(candidates: &mut [Candidate<'_>], findings: &mut Vec<Finding>) {
    let circles = circles(&parents(candidates));
    let mut lost: BTreeMap<ObjectName, String> = BTreeMap::new();
    for circle in circles {
        for at in 0..circle.len() {
            let round = circle.iter().cycle().skip(at).take(circle.len() + 1);
            let round: Vec<_> = round.take(SHOWN).map(|id| id.name.as_str()).collect();
            let Some(id) = circle.get(at) else { continue };
            lost.insert(id.clone(), format!("parentRef leads back to itself: {}", round.join(" -> ")));
        }
    }
    drop_parents(candidates, &lost, findings);
    let left = parents(candidates);
    let is_deep = |id: &&ObjectName| above(id, &left).nth(DEPTH).is_some();
    let message = || format!("more than {DEPTH} policies stand above it: its own limits hold alone");
    let lost = left.keys().filter(is_deep).map(|id| (id.clone(), message())).collect();
    drop_parents(candidates, &lost, findings);
}

fn drop_parents(
    candidates: &mut [Candidate<'_>],
    lost: &BTreeMap<ObjectName, String>,
    findings: &mut Vec<Finding>,
) {
    for candidate in candidates {
        if let Some(message) = lost.get(&candidate.budget.id) {
            candidate.budget.parent = None;
            tell(findings, &candidate.budget.id, partly((Reason::InvalidParent, message.clone())));
        }
    }
}

type Parents = BTreeMap<ObjectName, ObjectName>;

fn parents(candidates: &[Candidate<'_>]) -> Parents {
    let each = candidates.iter();
    each.filter_map(|it| Some((it.budget.id.clone(), it.budget.parent.clone()?))).collect()
}

/// Those above, nearest first. Without end in a circle.
fn above<'a>(id: &ObjectName, parents: &'a Parents) -> impl Iterator<Item = &'a ObjectName> {
    std::iter::successors(parents.get(id), |parent| parents.get(*parent))
}

/// Every circle, once. Each policy is visited once.
fn circles(parents: &Parents) -> Vec<Vec<ObjectName>> {
    let mut done: HashSet<&ObjectName> = HashSet::new();
    let mut circles = Vec::new();
    for start in parents.keys() {
        let mut path: Vec<&ObjectName> = Vec::new();
        let mut places: HashMap<&ObjectName, usize> = HashMap::new();
        let mut next = Some(start);
        while let Some(id) = next.filter(|id| !done.contains(id)) {
            if let Some(place) = places.insert(id, path.len()) {
                circles.push(path.iter().skip(place).map(|id| (*id).clone()).collect());
                break;
            }
            path.push(id);
            next = parents.get(id);
        }
        done.extend(path);
    }
    circles
}

/// A limit above the parent's is not wrong, but never reached.
fn compare(candidates: &[Candidate<'_>], findings: &mut Vec<Finding>) {
    let by_id: HashMap<&ObjectName, &Budget> =
        candidates.iter().map(|candidate| (&candidate.budget.id, &candidate.budget)).collect();
    for candidate in candidates {
        let Some(parent) = candidate.budget.parent.as_ref().and_then(|parent| by_id.get(parent)) else {
            continue;
        };
        let higher = candidate.budget.limits.iter().filter_map(|own| {
            let above =
                parent.limits.iter().find(|above| is_alike(own, above) && above.amount < own.amount)?;
            Some(format!("limit {} is above limit {} of its parent {}", own.name, above.name, parent.id.name))
        });
        let higher: Vec<_> = higher.collect();
        if !higher.is_empty() {
            let message = format!("{}: the parent's is reached first", higher.join("; "));
            tell(findings, &candidate.budget.id, warning((Reason::AboveParent, message)));
        }
    }
}

fn is_alike(a: &Limit, b: &Limit) -> bool {
    a.unit == b.unit && a.window == b.window
}

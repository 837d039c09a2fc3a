//! One ModelRoute on its way to a route: as written, or the version before, or nothing but findings.

use config::{Condition, Config, ObjectName, Route, RouteTarget};
use crds::{ConditionType, ModelRoute};

use super::loops::Ways;
use super::names::Names;
use super::{Complaint, looped, reference, resolve, tell};
use crate::deployments::{check_public_name, in_range};
use crate::gateways::Gateway;
use crate::routing::{fallbacks, routing};
use crate::upstream::{Fault, invalid};
use crate::{Effect, Finding, Reason};

/// Targets of one route.
const TARGETS: usize = 16;

/// A route that wants a place in a gateway's config.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub object: &'a ModelRoute,
    pub id: &'a ObjectName,
    /// The names that it claims.
    pub model: String,
    pub aliases: Vec<String>,
    /// `None` while suspended, or refused: it keeps its claim on the names.
    entry: Option<Route>,
    is_last_good: bool,
    complaints: Vec<Complaint>,
}

/// The draft that `object` makes for `gateway`, if any.
pub(crate) fn draft<'a>(
    gateway: &Gateway,
    (id, object): (&'a ObjectName, &'a ModelRoute),
    before: Option<&Config>,
    findings: &mut Vec<Finding>,
) -> Option<Draft<'a>> {
    let accepted = |fault| Complaint { condition: ConditionType::Accepted, fault };
    match fresh(gateway, (id, object), previous(before, object, id)) {
        Ok(route) => {
            let (model, aliases) = (route.name.clone(), route.aliases.clone());
            let suspension = (Reason::Suspended, "taken out of service by spec.suspend".to_owned());
            let complaints = Vec::from_iter(object.spec.suspend.then(|| accepted(suspension)));
            let entry = Some(route).filter(|_| !object.spec.suspend);
            Some(Draft { object, id, model, aliases, entry, is_last_good: false, complaints })
        }
        Err(fault) => match previous(before, object, id).filter(|_| !object.spec.suspend) {
            Some(route) => Some(Draft {
                object,
                id,
                model: route.name.clone(),
                aliases: route.aliases.clone(),
                entry: Some(route.clone()),
                is_last_good: true,
                complaints: vec![accepted(fault)],
            }),
            None => {
                tell(findings, &reference(id), accepted(fault), Effect::NotServed);
                None
            }
        },
    }
}

/// The route as it was rendered last, if it was, of the same object.
fn previous<'b>(before: Option<&'b Config>, object: &ModelRoute, id: &ObjectName) -> Option<&'b Route> {
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    before?.routes.iter().find(|route| route.id == *id && route.uid == uid)
}

/// The route as written. Models and fallbacks are not looked at yet.
fn fresh(
    gateway: &Gateway,
    (id, object): (&ObjectName, &ModelRoute),
    previous: Option<&Route>,
) -> Result<Route, Fault> {
    let spec = &object.spec;
    let name = spec.model_name.clone().unwrap_or_else(|| id.name.clone());
    let mut aliases = spec.aliases.clone();
    aliases.sort();
    aliases.dedup();
    aliases.retain(|alias| *alias != name);
    aliases.iter().chain([&name]).try_for_each(|public| check_public_name(public))?;
    if spec.targets.is_empty() || spec.targets.len() > TARGETS {
        return Err(invalid(format!("a route has 1 to {TARGETS} targets, not {}", spec.targets.len())));
    }
    Ok(Route {
        id: id.clone(),
        uid: object.metadata.uid.clone().unwrap_or_default(),
        name,
        aliases,
        targets: targets(&spec.targets, previous)?,
        routing: routing(&spec.routing(), gateway.settings.routing)?,
        fallbacks: fallbacks(&spec.fallbacks)?,
    })
}

fn targets(written: &[crds::RouteTarget], previous: Option<&Route>) -> Result<Vec<RouteTarget>, Fault> {
    let published = previous.into_iter().flat_map(|route| &route.targets);
    // These have been read: to read one takes milliseconds, and there may be thousands.
    let known: Vec<&str> = published.filter_map(|target| target.when.as_deref()).collect();
    let mut targets: Vec<RouteTarget> = Vec::with_capacity(written.len());
    for one in written {
        let field = format!("targets[{}]", one.name);
        if one.name.is_empty() || one.name.len() > 63 || one.name.contains(char::is_whitespace) {
            return Err(invalid(format!("{field}: the name has 1 to 63 characters and no white space")));
        }
        if targets.iter().any(|before| before.name == one.name) {
            return Err(invalid(format!("{field} is there twice: give each target a name of its own")));
        }
        check_public_name(&one.model).map_err(|(reason, why)| (reason, format!("{field}.model: {why}")))?;
        if let Some(when) = one.when.as_ref().filter(|when| !known.contains(&when.as_str())) {
            Condition::read(when)
                .map_err(|error| (Reason::InvalidCondition, format!("{field}.when {error}")))?;
        }
        targets.push(RouteTarget {
            name: one.name.clone(),
            model: one.model.clone(),
            weight: in_range(&format!("{field}.weight"), one.weight, 1_000_000)?,
            priority: in_range(&format!("{field}.priority"), one.priority, 31)?,
            when: one.when.clone(),
        });
    }
    Ok(targets)
}

impl Draft<'_> {
    /// Whether it will be in the config, as far as is known.
    pub(super) fn stands(&self) -> bool {
        self.entry.is_some()
    }

    /// Gives each target the name of its model, and drops those that have none.
    pub(super) fn keep_targets(&mut self, names: &Names) {
        let Some(route) = &mut self.entry else { return };
        let mut missing = Vec::new();
        route.targets.retain_mut(|target| match names.model(target, &self.id.namespace) {
            Ok(model) => {
                model.clone_into(&mut target.model);
                true
            }
            Err(fault) => {
                missing.push(fault);
                false
            }
        });
        if route.targets.is_empty() {
            self.entry = None;
        }
        self.complain(missing);
    }

    /// Gives each fallback the name of its model or route, and drops those that have none.
    pub(super) fn resolve_fallbacks(&mut self, names: &Names) {
        let Some(route) = &mut self.entry else { return };
        let missing = resolve(&mut route.fallbacks, names, Some(&self.id.namespace));
        self.complain(missing);
    }

    /// Of an older version people need not be told what it names.
    fn complain(&mut self, missing: Vec<Fault>) {
        if !self.is_last_good {
            let unresolved = |fault| Complaint { condition: ConditionType::ResolvedRefs, fault };
            self.complaints.extend(missing.into_iter().map(unresolved));
        }
    }

    /// Adds its fallbacks to those before, unless that closes a loop: then those of the version before, if that has the
    /// same name, or none.
    pub(super) fn part(&mut self, ways: &mut Ways, (before, names): (Option<&Config>, &Names)) {
        let Some(route) = &self.entry else { return };
        let Err(way) = ways.add(&route.name, route.fallbacks.all()) else { return };
        self.complaints.push(Complaint { condition: ConditionType::Accepted, fault: looped(&way) });
        self.entry = None;
        let last_good =
            previous(before, self.object, self.id).filter(|last| last.name == self.model).cloned();
        let Some(last) = last_good.filter(|_| !self.is_last_good) else { return };
        let mut fallback =
            Draft { entry: Some(last), is_last_good: true, complaints: Vec::new(), ..self.claims() };
        fallback.keep_targets(names);
        fallback.resolve_fallbacks(names);
        let Some(mut last) = fallback.entry else { return };
        last.aliases.retain(|alias| self.aliases.contains(alias));
        if ways.add(&last.name, last.fallbacks.all()).is_ok() {
            self.entry = Some(last);
            self.is_last_good = true;
        }
    }

    fn claims(&self) -> Self {
        Self {
            object: self.object,
            id: self.id,
            model: self.model.clone(),
            aliases: self.aliases.clone(),
            entry: None,
            is_last_good: false,
            complaints: Vec::new(),
        }
    }

    /// Tells what there is to tell, and gives the route, if there is one.
    pub(super) fn finish(self, findings: &mut Vec<Finding>) -> Option<Route> {
        let effect = match (&self.entry, self.is_last_good) {
            (None, _) => Effect::NotServed,
            (Some(_), true) => Effect::LastGoodServes,
            (Some(_), false) => Effect::Partly,
        };
        let own = reference(self.id);
        self.complaints.into_iter().for_each(|complaint| tell(findings, &own, complaint, effect));
        self.entry
    }

    /// Another has its name: whatever else there is to tell, that decides.
    pub(crate) fn refuse(self, fault: Fault, findings: &mut Vec<Finding>) {
        let complaint = Complaint { condition: ConditionType::Accepted, fault };
        tell(findings, &reference(self.id), complaint, Effect::NotServed);
    }
}

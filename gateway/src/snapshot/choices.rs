//! What deployments are chosen by: routes, which are models whose requests go to the deployments of others, and what
//! providers allow in a minute.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::{Capacity, Condition, Fallbacks, ObjectName, Route, RouteTarget};
use limits::{AtLimit, CalendarUnit, Counter, CounterKey, Unit, WhenAway, Window};

use super::compile::CompileError;
use super::{Choice, Deployment, Model};

/// The model that clients see of `route`. `models` has those that it may name.
pub(super) fn route(route: &Route, models: &[Arc<Model>]) -> Result<Model, CompileError> {
    let (mut choices, mut conditions, mut legs) = (Vec::new(), Vec::new(), Vec::new());
    for (place, target) in route.targets.iter().enumerate() {
        let model = models.iter().find(|model| model.name == target.model);
        let model = model.ok_or_else(|| CompileError::NoTarget {
            route: route.id.clone(),
            target: target.name.clone(),
            model: target.model.clone(),
        })?;
        choices.extend(of_target(place, target, model));
        let condition = target.when.as_deref().map(Condition::read).transpose();
        conditions.push(condition.map_err(|error| CompileError::Condition {
            route: route.id.clone(),
            target: target.name.clone(),
            error,
        })?);
        legs.push(Arc::new(leg(route, target, model)));
    }
    if choices.is_empty() {
        return Err(CompileError::NoDeployment { name: route.name.clone() });
    }
    Ok(Model {
        name: route.name.clone(),
        aliases: route.aliases.clone(),
        deployments: each_once(&choices),
        choices,
        conditions,
        legs,
        via: None,
        routing: route.routing,
        fallbacks: route.fallbacks.clone(),
    })
}

/// What goes to `target`: limits of the route and of its model count it.
fn leg(route: &Route, target: &RouteTarget, model: &Arc<Model>) -> Model {
    let choices: Vec<_> = of_target(0, target, model).collect();
    Model {
        name: route.name.clone(),
        aliases: route.aliases.clone(),
        deployments: each_once(&choices),
        choices,
        conditions: Vec::new(),
        legs: Vec::new(),
        via: Some(Arc::clone(model)),
        routing: route.routing,
        fallbacks: Fallbacks::default(),
    }
}

/// The deployments of a target share its weight, as they share their model's.
fn of_target<'m>(
    place: usize,
    target: &'m RouteTarget,
    model: &'m Model,
) -> impl Iterator<Item = Choice> + 'm {
    let mut sums: BTreeMap<u8, f64> = BTreeMap::new();
    for choice in &model.choices {
        *sums.entry(choice.tier.1).or_default() += choice.weight;
    }
    model.choices.iter().map(move |choice| {
        let sum = sums.get(&choice.tier.1).copied().unwrap_or_default();
        let share = if sum > 0.0 { choice.weight / sum } else { 0.0 };
        Choice {
            deployment: Arc::clone(&choice.deployment),
            tier: (target.priority, choice.tier.1),
            weight: f64::from(target.weight) * share,
            target: place,
        }
    })
}

/// Two targets may have the same.
fn each_once(choices: &[Choice]) -> Vec<Arc<Deployment>> {
    let mut all: Vec<Arc<Deployment>> = Vec::new();
    for choice in choices {
        if !all.iter().any(|one| Arc::ptr_eq(one, &choice.deployment)) {
            all.push(Arc::clone(&choice.deployment));
        }
    }
    all
}

/// Counters of what the provider of `deployment` allows. They only count: to refuse is the provider's.
pub(super) fn capacity(
    deployment: &ObjectName,
    capacity: Capacity,
) -> Result<Vec<Arc<Counter>>, CompileError> {
    let minute = Window::calendar(CalendarUnit::Minute, "UTC", None)
        .map_err(|error| CompileError::Minute { deployment: deployment.clone(), error })?;
    let all = [(Unit::Requests, capacity.requests_per_minute), (Unit::Tokens, capacity.tokens_per_minute)];
    let known = all.into_iter().filter_map(|(unit, amount)| Some((unit, amount?)));
    let counters = known.map(|(unit, amount)| {
        let name = if unit == Unit::Tokens { "tokens" } else { "requests" };
        let key = CounterKey::new(&format!("capacity/{deployment}/{name}"));
        let counter = Counter::new(key, unit, amount, minute.clone(), AtLimit::Count);
        Arc::new(counter.with_when_away(WhenAway::FailOpen))
    });
    Ok(counters.collect())
}

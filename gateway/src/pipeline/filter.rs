//! Which deployments of a model are for a request, and why others are not.

use config::Condition;

use super::facts::Facts;
use super::thread::Thread;
use crate::snapshot::{Choice, Model, Needs, holds};

/// For one request and one model.
pub(super) struct Filter<'t> {
    thread: Option<&'t Thread>,
    /// Of a route, which conditions of targets hold.
    held: Vec<bool>,
    /// What the request asks of a model, where its deployments differ in that.
    needs: Option<Needs>,
    /// The catalogue may know too little: where none seems to fit, their providers may say so.
    some_fit: bool,
}

impl<'t> Filter<'t> {
    /// `facts` are those of the request; they cost something only where a condition or a difference asks for them.
    pub(super) fn new(model: &Model, thread: Option<&'t Thread>, facts: &Facts<'_>) -> Self {
        let is_held = |condition: &Option<Condition>| condition.as_ref().is_none_or(|one| holds(one, facts));
        let held = model.conditions.iter().map(is_held).collect();
        let needs = model.is_mixed().then(|| facts.needs());
        let mut filter = Self { thread, held, needs, some_fit: true };
        filter.some_fit = model.choices.iter().any(|choice| filter.objection(choice).is_none());
        filter
    }

    /// Why `choice` is not to be tried; `None` if it is.
    pub(super) fn objection(&self, choice: &Choice) -> Option<&'static str> {
        if self.thread.is_some_and(|thread| !thread.allows(&choice.deployment)) {
            return Some("another provider keeps the response that the request goes on from");
        }
        if !self.held.get(choice.target).copied().unwrap_or(true) {
            return Some("the condition of its target does not hold");
        }
        let fits = self.needs.is_none_or(|needs| choice.deployment.abilities.meet(&needs));
        (!fits && self.some_fit).then_some("its model does not take such a request, and another does")
    }
}

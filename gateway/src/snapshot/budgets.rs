//! Budgets as they run: which counters a request is counted in. `budgets/rule.rs` compiles one limit. Nothing is counted
//! here; the crate `limits` does that.
//!
//! A budget that lets each subject have its own amount has a counter for each; else all that match share one. A request
//! that matches one subject of a budget in two ways counts once for it. What a budget counts is counted by those above it
//! too: in their counters for the request's own subjects where they match it themselves, else in one that is kept for what
//! comes from below.

mod owner;
mod rule;
#[cfg(test)]
mod tests;

pub(crate) use owner::Owner;
pub(crate) use rule::{BudgetError, Own, Rule, Turn};

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use config::{Budget, ObjectName, Target, TargetKind};
use limits::Counter;

/// All budgets of a gateway.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    all: Vec<Compiled>,
    by_name: HashMap<ObjectName, usize>,
    /// By subject; without a name, of every subject of that kind.
    matches: HashMap<TargetKind, ByName>,
}

#[derive(Debug, Default)]
struct ByName {
    every: Vec<Match>,
    named: HashMap<String, Vec<Match>>,
}

/// A target of one budget.
#[derive(Debug)]
struct Match {
    budget: usize,
    /// Only keys of this namespace.
    namespace: Option<String>,
    counts: Counts,
}

/// Which of a budget's limits count, by place: an older budget's may do so instead. What lies beyond counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    not: u64,
}

#[derive(Debug)]
struct Compiled {
    id: ObjectName,
    uid: String,
    per_target: bool,
    parent: Option<usize>,
    rules: Vec<Arc<Rule>>,
}

/// For whom a request can be counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subjects<'a> {
    /// The VirtualKey.
    pub(crate) key: Option<&'a ObjectName>,
    /// A key of the store, by its id. It lives in no namespace.
    pub(crate) stored_key: Option<&'a str>,
    /// The budgets that the key names itself: it is counted there as a subject of its own.
    pub(crate) named: &'a [ObjectName],
    pub(crate) team: Option<&'a str>,
    pub(crate) user: Option<&'a str>,
    /// The end user that the request names.
    pub(crate) customer: Option<&'a str>,
    /// The public name, never an alias.
    pub(crate) model: Option<&'a str>,
    /// The model that a route sends it to.
    pub(crate) via: Option<&'a str>,
    /// Of the request and of its key.
    pub(crate) tags: &'a [String],
}

/// Whose amount it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// All that match share it.
    All,
    /// What comes from budgets below.
    Below,
    Gateway,
    Key(&'a ObjectName),
    /// Of any kind but these.
    Named(TargetKind, &'a str),
}

/// One counter that a request is counted in.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) counter: Arc<Counter>,
    pub(crate) rule: Arc<Rule>,
}

impl Charge {
    /// For whom it is counted, as people are told; `None` where all share one counter.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.rule.subject_of(&self.counter)
    }
}

/// A budget and one of its subjects, with the limits that count for it.
struct Found<'a> {
    budget: usize,
    subject: Subject<'a>,
    counts: Counts,
}

impl Budgets {
    /// Compiles the budgets of a config.
    pub(crate) fn compile(budgets: &[Budget]) -> Result<Self, BudgetError> {
        let by_name: HashMap<_, _> =
            budgets.iter().enumerate().map(|(at, budget)| (budget.id.clone(), at)).collect();
        let mut compiled = Self { by_name, ..Self::default() };
        for (at, budget) in budgets.iter().enumerate() {
            let parent = match &budget.parent {
                None => None,
                Some(name) => Some(compiled.by_name.get(name).copied().ok_or_else(|| {
                    BudgetError::NoParent { budget: budget.id.clone(), parent: name.clone() }
                })?),
            };
            let rules = budget.limits.iter().map(|limit| Rule::compile(budget, limit).map(Arc::new));
            let rules = rules.collect::<Result<_, _>>()?;
            let (id, uid) = (budget.id.clone(), budget.uid.clone());
            compiled.all.push(Compiled { id, uid, per_target: budget.per_target, parent, rules });
            for target in &budget.targets {
                compiled.add(at, budget, target);
            }
        }
        Ok(compiled)
    }

    fn add(&mut self, at: usize, budget: &Budget, target: &Target) {
        let counts = Counts::of(budget, target);
        let found = Match { budget: at, namespace: target.namespace.clone(), counts };
        let of_kind = self.matches.entry(target.kind).or_default();
        match &target.name {
            None => of_kind.every.push(found),
            Some(name) => of_kind.named.entry(name.clone()).or_default().push(found),
        }
    }

    /// Whether no request is counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Every budget: its name, its uid and its limits.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&ObjectName, &str, &[Arc<Rule>])> {
        self.all.iter().map(|budget| (&budget.id, budget.uid.as_str(), budget.rules.as_slice()))
    }

    /// Every counter that a request of these subjects is counted in, each once.
    pub(crate) fn charges(&self, subjects: &Subjects<'_>) -> Vec<Charge> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut found = self.matching(subjects);
        self.climb(&mut found);
        let mut charges = Vec::new();
        for Found { budget, subject, counts } in found {
            let Some(budget) = self.all.get(budget) else { continue };
            for (at, rule) in budget.rules.iter().enumerate() {
                if counts.has(at) {
                    charges.push(Charge { counter: rule.counter(subject), rule: Arc::clone(rule) });
                }
            }
        }
        charges
    }

    /// The budgets that match by themselves.
    fn matching<'a>(&self, subjects: &Subjects<'a>) -> Vec<Found<'a>> {
        let namespace = subjects.key.map(|key| key.namespace.as_str());
        let mut found = Vec::new();
        for (kind, name, subject) in subjects.each() {
            let Some(of_kind) = self.matches.get(&kind) else { continue };
            let named = name.and_then(|name| of_kind.named.get(name)).into_iter().flatten();
            for one in of_kind.every.iter().chain(named) {
                if one.namespace.is_none() || one.namespace.as_deref() == namespace {
                    let subject = self.subject(one.budget, subject);
                    put(&mut found, Found { budget: one.budget, subject, counts: one.counts });
                }
            }
        }
        let key = subjects.key.map(Subject::Key);
        for (name, key) in subjects.named.iter().zip(key.into_iter().cycle()) {
            if let Some(budget) = self.by_name.get(name).copied() {
                put(&mut found, Found { budget, subject: self.subject(budget, key), counts: Counts::ALL });
            }
        }
        found
    }

    fn subject<'a>(&self, budget: usize, subject: Subject<'a>) -> Subject<'a> {
        let shared = self.all.get(budget).is_some_and(|budget| !budget.per_target);
        if shared { Subject::All } else { subject }
    }

    /// Adds the budgets above those that were found.
    fn climb(&self, found: &mut Vec<Found<'_>>) {
        let mut next = 0;
        while let Some(child) = found.get(next) {
            next += 1;
            let Some(parent) = self.all.get(child.budget).and_then(|budget| budget.parent) else { continue };
            if !found.iter().any(|found| found.budget == parent) {
                let subject = self.subject(parent, Subject::Below);
                found.push(Found { budget: parent, subject, counts: Counts::ALL });
            }
        }
    }
}

/// A limit counts once for a subject, if any of the ways to it counts.
fn put<'a>(found: &mut Vec<Found<'a>>, new: Found<'a>) {
    match found.iter_mut().find(|old| old.budget == new.budget && old.subject == new.subject) {
        None => found.push(new),
        Some(old) => old.counts.not &= new.counts.not,
    }
}

impl Counts {
    const ALL: Self = Self { not: 0 };

    fn of(budget: &Budget, target: &Target) -> Self {
        let excepted = budget.limits.iter().take(64).enumerate();
        let excepted = excepted.filter(|(_, limit)| limit.except.contains(target));
        Self { not: excepted.fold(0, |not, (at, _)| not | 1 << at) }
    }

    fn has(self, at: usize) -> bool {
        at >= 64 || self.not & (1 << at) == 0
    }
}

impl<'a> Subjects<'a> {
    /// What it can match: the kind, the name that targets have, and the subject.
    fn each(&self) -> impl Iterator<Item = (TargetKind, Option<&'a str>, Subject<'a>)> {
        let named = |kind: TargetKind, name: &'a str| (kind, Some(name), Subject::Named(kind, name));
        let key = self.key.into_iter().flat_map(move |key| {
            let own = (TargetKind::VirtualKey, Some(key.name.as_str()), Subject::Key(key));
            [named(TargetKind::Namespace, &key.namespace), own]
        });
        let stored = self
            .stored_key
            .map(|id| (TargetKind::VirtualKey, None, Subject::Named(TargetKind::VirtualKey, id)));
        let rest = [
            (TargetKind::Team, self.team),
            (TargetKind::User, self.user),
            (TargetKind::Model, self.model),
            (TargetKind::Model, self.via),
            (TargetKind::Customer, self.customer),
        ];
        let rest = rest.into_iter().filter_map(move |(kind, name)| Some(named(kind, name?)));
        let tags = self.tags.iter().map(move |tag| named(TargetKind::Tag, tag));
        std::iter::once((TargetKind::Gateway, None, Subject::Gateway))
            .chain(key)
            .chain(stored)
            .chain(rest)
            .chain(tags)
    }
}

/// As it stands in keys of counters, and as people are told.
impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Below => f.write_str("below"),
            Self::Gateway => f.write_str("gateway"),
            Self::Key(key) => write!(f, "key:{key}"),
            Self::Named(kind, name) => write!(f, "{}:{name}", word(*kind)),
        }
    }
}

fn word(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Gateway => "gateway",
        TargetKind::Namespace => "namespace",
        TargetKind::Team => "team",
        TargetKind::User => "user",
        TargetKind::VirtualKey => "key",
        TargetKind::Model => "model",
        TargetKind::Tag => "tag",
        TargetKind::Customer => "customer",
    }
}

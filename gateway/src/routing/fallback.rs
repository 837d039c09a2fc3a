//! Which other models are asked when a model has given up: those that its author names for the cause, and then those that
//! stand for all. What a client names takes the place of both.

use std::collections::VecDeque;
use std::sync::Arc;

use config::Fallbacks;
use protocol::fault::FaultClass;

use crate::pipeline::Fault;
use crate::snapshot::{Model, Snapshot};

/// Other models that are asked at most.
const MOST: u32 = 5;

/// The other models of one request.
#[derive(Debug)]
pub(crate) struct Chain {
    /// What is left of what was named before.
    left: VecDeque<String>,
    /// Only these: the client's own.
    own: bool,
    /// Models that were asked, each once.
    asked: Vec<String>,
    /// How many are still asked.
    room: u32,
}

/// Why a model has given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Error,
    ContextWindow,
    ContentPolicy,
    Budget,
    RateLimit,
}

impl Chain {
    /// For a request that asks `model`. `wanted` is the client's own list, which may be empty.
    pub(crate) fn new(model: &Model, wanted: Option<&[String]>) -> Self {
        Self {
            left: wanted.unwrap_or_default().iter().cloned().collect(),
            own: wanted.is_some(),
            asked: vec![model.name.clone()],
            room: MOST,
        }
    }

    /// The next to ask after `model`, which has given up with `fault`; `None` where another would do no better.
    pub(crate) fn next(&mut self, now: &Snapshot, model: &Model, fault: &Fault) -> Option<Arc<Model>> {
        let cause = cause(fault)?;
        if !self.own {
            let named = named(&model.fallbacks, cause).iter();
            // A budget that is used up is not made up for by another model, unless its author says so.
            let defaults = now.default_fallbacks.iter().filter(|_| cause != Cause::Budget);
            let fresh: Vec<String> = named.chain(defaults).cloned().collect();
            fresh.into_iter().rev().for_each(|name| self.left.push_front(name));
        }
        while self.room > 0 {
            let name = self.left.pop_front()?;
            let Some(next) = now.model(&name) else { continue };
            if !self.asked.contains(&next.name) {
                self.asked.push(next.name.clone());
                self.room -= 1;
                return Some(Arc::clone(next));
            }
        }
        None
    }
}

/// Where nothing is named for a cause, what is named for errors holds, but for budgets.
fn named(fallbacks: &Fallbacks, cause: Cause) -> &[String] {
    let own = match cause {
        Cause::Error => &fallbacks.on_error,
        Cause::ContextWindow => &fallbacks.on_context_window,
        Cause::ContentPolicy => &fallbacks.on_content_policy,
        Cause::Budget => return &fallbacks.on_budget,
        Cause::RateLimit => &fallbacks.on_rate_limit,
    };
    if own.is_empty() { &fallbacks.on_error } else { own }
}

impl Fault {
    /// Whether others may do better.
    pub(crate) fn is_passing(&self) -> bool {
        cause(self).is_some()
    }
}

/// `None` for what is wrong with the request, its caller, or the gateway itself.
fn cause(fault: &Fault) -> Option<Cause> {
    match fault {
        Fault::Upstream { fault, .. } => match fault.class {
            FaultClass::InvalidRequest | FaultClass::Forbidden => None,
            FaultClass::TooLarge => Some(Cause::ContextWindow),
            FaultClass::Filtered => Some(Cause::ContentPolicy),
            FaultClass::RateLimited => Some(Cause::RateLimit),
            FaultClass::Authentication
            | FaultClass::NotFound
            | FaultClass::Failed
            | FaultClass::Garbled
            | FaultClass::Timeout
            | FaultClass::Unreachable => Some(Cause::Error),
        },
        Fault::OverLimit(over) if over.is_budget() => Some(Cause::Budget),
        Fault::OverLimit(_) => Some(Cause::RateLimit),
        Fault::Lossy(_)
        | Fault::CannotEmbed(_)
        | Fault::NoBackground(_)
        | Fault::NoTarget(_)
        | Fault::Unpriced { .. } => Some(Cause::Error),
        _ => None,
    }
}

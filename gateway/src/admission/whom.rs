//! Whom a request is counted for: what its caller is, and what it says of itself.

use std::sync::Arc;

use super::said::Said;
use crate::auth::{Accounts, Caller, Patron};
use crate::pipeline::Fault;
use crate::snapshot::{Charge, Key, Model, Snapshot, Subjects};

/// Whom a request is for.
pub(super) struct Whom<'a> {
    caller: &'a Caller,
    said: &'a Said,
    /// The customer that it names, where the caller's key and the customer are both of the store.
    patron: Option<Arc<Patron>>,
}

impl<'a> Whom<'a> {
    /// Asks `accounts` for the customer, if they may know one.
    ///
    /// # Errors
    /// [`Fault::CustomerBlocked`].
    pub(super) async fn new(
        caller: &'a Caller,
        said: &'a Said,
        accounts: Option<&Accounts>,
    ) -> Result<Self, Fault> {
        let patron = match (accounts, &said.customer) {
            (Some(accounts), Some(name)) if caller.key().is_some_and(Key::is_stored) => {
                accounts.customer(name).await
            }
            _ => None,
        };
        if patron.as_ref().is_some_and(|patron| patron.is_blocked) {
            return Err(Fault::CustomerBlocked(said.customer.clone().unwrap_or_default()));
        }
        Ok(Self { caller, said, patron })
    }

    /// Lets the customer ask `model`, which the client called `name`. The caller may.
    ///
    /// # Errors
    /// [`Fault::ModelDenied`].
    pub(super) fn asks(&self, model: &Model, name: &str) -> Result<(), Fault> {
        let barrier = self.patron.as_ref().and_then(|patron| patron.access.barrier(model));
        let key = || self.caller.key().map(|key| key.called.clone()).unwrap_or_default();
        barrier.map_or(Ok(()), |whose| Err(Fault::ModelDenied { key: key(), model: name.to_owned(), whose }))
    }

    /// Whether it may go to `model`.
    pub(super) fn may_ask(&self, model: &Model) -> bool {
        self.caller.may_ask(model) && self.patron.as_ref().is_none_or(|patron| patron.access.allows(model))
    }

    /// Every counter that a request for `model` is counted in.
    pub(super) fn charges(&self, now: &Snapshot, model: &Model) -> Vec<Charge> {
        let (key, tags) = (self.caller.key(), tags(self.caller, self.said));
        let mut charges = now.budgets.charges(&Subjects {
            key: key.and_then(|key| key.id.as_ref()),
            stored_key: key.and_then(|key| key.stored.as_deref()),
            named: key.map_or(&[], |key| &key.budgets),
            team: key.and_then(|key| key.team.as_deref()),
            user: key.and_then(|key| key.user.as_deref()),
            customer: self.said.customer.as_deref(),
            model: Some(&model.name),
            via: model.via.as_ref().map(|via| via.name.as_str()),
            tags: &tags,
        });
        charges.extend(key.into_iter().flat_map(|key| key.charges(model, now.user_budgets)));
        let patrons = self.patron.iter().flat_map(|patron| &patron.limits);
        charges.extend(patrons.filter(|limit| limit.counts(model)).map(|limit| limit.rule.charge()));
        charges
    }
}

/// What the request is marked with, by itself and by its key.
pub(crate) fn tags(caller: &Caller, said: &Said) -> Vec<String> {
    let own = caller.key().into_iter().flat_map(|key| &key.tags).filter(|tag| !said.tags.contains(tag));
    said.tags.iter().chain(own).cloned().collect()
}

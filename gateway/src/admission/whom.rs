//! Whom a request is counted for: what its caller is, and what it says of itself.

use super::said::Said;
use crate::auth::Caller;
use crate::snapshot::{Charge, Snapshot, Subjects};

/// Every counter that a request of `caller` for `model` is counted in.
pub(super) fn charges(now: &Snapshot, caller: &Caller, model: &str, said: &Said) -> Vec<Charge> {
    let (key, tags) = (caller.key(), tags(caller, said));
    let mut charges = now.budgets.charges(&Subjects {
        key: key.map(|key| &key.id),
        named: key.map_or(&[], |key| &key.budgets),
        team: key.and_then(|key| key.team.as_deref()),
        user: key.and_then(|key| key.user.as_deref()),
        customer: said.customer.as_deref(),
        model: Some(model),
        tags: &tags,
    });
    charges.extend(key.into_iter().flat_map(|key| key.charges()));
    charges
}

/// What the request is marked with, by itself and by its key.
pub(crate) fn tags(caller: &Caller, said: &Said) -> Vec<String> {
    let own = caller.key().into_iter().flat_map(|key| &key.tags).filter(|tag| !said.tags.contains(tag));
    said.tags.iter().chain(own).cloned().collect()
}

//! Every name of a gateway's models and routes, and who may name them: those of another namespace only where the gateway
//! groups across namespaces. What is absent and what may not be named read alike.

use std::collections::{BTreeSet, HashMap};

use config::{Model, RouteTarget};

use super::Draft;
use crate::Reason;
use crate::gateways::Gateway;
use crate::upstream::Fault;

/// Public names and aliases, to what they stand for.
pub(super) struct Names {
    all: HashMap<String, Named>,
    /// Names that routes have claimed, served or not, with the namespaces of those.
    claimed: HashMap<String, String>,
    across_namespaces: bool,
    /// Whether other namespaces may attach, so that there may be something to hide.
    is_shared: bool,
}

struct Named {
    /// The name, where it was found by an alias.
    name: String,
    is_route: bool,
    /// Where its objects live.
    namespaces: BTreeSet<String>,
}

/// What a name stands for.
pub(super) struct Found<'n> {
    pub name: &'n str,
    is_route: bool,
}

impl Names {
    pub(super) fn new(gateway: &Gateway, models: &[Model], drafts: &[Draft<'_>]) -> Self {
        let claimed = drafts.iter().flat_map(|draft| {
            let public = draft.aliases.iter().chain([&draft.model]);
            public.map(|name| (name.clone(), draft.id.namespace.clone()))
        });
        let mut names = Self {
            all: HashMap::new(),
            claimed: claimed.collect(),
            across_namespaces: gateway.group_across_namespaces,
            is_shared: gateway.is_shared,
        };
        for model in models {
            let namespaces: BTreeSet<_> =
                model.deployments.iter().map(|one| one.id.namespace.clone()).collect();
            for public in model.aliases.iter().chain([&model.name]) {
                let named =
                    Named { name: model.name.clone(), is_route: false, namespaces: namespaces.clone() };
                names.all.insert(public.clone(), named);
            }
        }
        names
    }

    pub(super) fn add_route(&mut self, draft: &Draft<'_>) {
        for public in draft.aliases.iter().chain([&draft.model]) {
            let namespaces = BTreeSet::from([draft.id.namespace.clone()]);
            let named = Named { name: draft.model.clone(), is_route: true, namespaces };
            self.all.insert(public.clone(), named);
        }
    }

    /// One that is not served after all.
    pub(super) fn remove_route(&mut self, draft: &Draft<'_>) {
        for public in draft.aliases.iter().chain([&draft.model]) {
            self.all.remove(public);
        }
    }

    /// What `wanted` stands for, to somebody in namespace `own`; the gateway's owner may name all.
    pub(super) fn find(&self, wanted: &str, own: Option<&str>) -> Option<Found<'_>> {
        let named = self.all.get(wanted)?;
        let may = self.across_namespaces || own.is_none_or(|own| named.namespaces.contains(own));
        may.then_some(Found { name: &named.name, is_route: named.is_route })
    }

    /// The model that a target of a route in namespace `own` sends requests to.
    pub(super) fn model(&self, target: &RouteTarget, own: &str) -> Result<&str, Fault> {
        let field = format!("targets[{}].model", target.name);
        self.only_model(&field, &target.model, Some(own))
    }

    /// The model that `wanted` stands for.
    pub(super) fn only_model(&self, field: &str, wanted: &str, own: Option<&str>) -> Result<&str, Fault> {
        if let Some(found) = self.find(wanted, own).filter(|found| !found.is_route) {
            return Ok(found.name);
        }
        let theirs = self.claimed.get(wanted);
        if theirs.is_some_and(|theirs| self.across_namespaces || own.is_none_or(|own| own == theirs)) {
            let message = format!("{field}: {wanted} is a route: name a model");
            return Err((Reason::ModelNotFound, message));
        }
        Err(self.missing(field, ("model", wanted), own))
    }

    /// What there is to say of a name that stands for nothing, or for nothing that may be named.
    pub(super) fn missing(&self, field: &str, (what, wanted): (&str, &str), own: Option<&str>) -> Fault {
        match own.filter(|_| self.is_shared && !self.across_namespaces) {
            Some(own) => {
                let message = format!(
                    "{field}: no {what} {wanted} of namespace {own} is served by the gateway, and those of others may \
                     not be named: create it, or set models.groupAcrossNamespaces on the gateway"
                );
                (Reason::RefNotPermitted, message)
            }
            None => {
                let message = format!(
                    "{field}: no {what} {wanted} is served by the gateway: create a ModelDeployment of that name, or \
                     name another"
                );
                (Reason::ModelNotFound, message)
            }
        }
    }
}

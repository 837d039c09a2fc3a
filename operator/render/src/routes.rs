//! ModelRoutes to routes, and the fallbacks of routes and models: names are looked up, and none may lead back to itself.
//! `routes/draft.rs` reads one ModelRoute, `routes/names.rs` knows who may name what, `routes/loops.rs` finds loops. Who
//! gets which name is decided in `groups.rs`.

mod draft;
mod loops;
mod names;
mod owner;

use config::{Config, Fallbacks, Model, ObjectName, Route};
use crds::ConditionType;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

pub(crate) use draft::{Draft, draft};
pub(crate) use owner::ModelEntry;

use crate::gateways::Gateway;
use crate::routing::lists;
use crate::upstream::Fault;
use crate::{Effect, Finding, Kind, ObjectRef, Reason};
use loops::Ways;
use names::Names;
use owner::Owner;

/// What the routes of one gateway come to.
pub(crate) struct Formed {
    pub routes: Vec<Route>,
    /// Those of every model and route.
    pub default_fallbacks: Vec<String>,
}

/// What is wrong with a route that may be served all the same.
#[derive(Debug)]
struct Complaint {
    condition: ConditionType,
    fault: Fault,
}

/// Who came first may fall back to whom they like; who closes a loop may not. Of those of one second whoever serves came
/// first, then the gateway, then the first by name.
type Age<'a> = (Option<&'a Time>, bool, bool, &'a ObjectName);

/// The routes of a gateway, from those that have their names. Gives models their fallbacks.
pub(crate) fn form(
    gateway: &Gateway,
    (models, before): (&mut [Model], Option<&Config>),
    mut drafts: Vec<Draft<'_>>,
    findings: &mut Vec<Finding>,
) -> Formed {
    let mut names = Names::new(gateway, models, &drafts);
    drafts.iter_mut().for_each(|draft| draft.keep_targets(&names));
    drafts.iter().filter(|draft| draft.stands()).for_each(|draft| names.add_route(draft));
    drafts.iter_mut().for_each(|draft| draft.resolve_fallbacks(&names));
    let mut owner = Owner::new(gateway, &names);
    part(&mut drafts, &mut owner, (gateway, before), &names);
    for draft in drafts.iter().filter(|draft| !draft.stands()) {
        names.remove_route(draft);
    }
    drafts.iter_mut().for_each(|draft| draft.resolve_fallbacks(&names));
    owner.look_again(&names);
    let mut routes = Vec::new();
    for draft in drafts {
        routes.extend(draft.finish(findings));
    }
    routes.sort_by(|a, b| a.name.cmp(&b.name));
    let default_fallbacks = owner.finish(models, findings);
    Formed { routes, default_fallbacks }
}

/// Takes from each loop of fallbacks the one that came last.
fn part(
    drafts: &mut [Draft<'_>],
    owner: &mut Owner<'_>,
    (gateway, before): (&Gateway, Option<&Config>),
    names: &Names,
) {
    let served =
        |id: &ObjectName| before.is_some_and(|before| before.routes.iter().any(|route| route.id == *id));
    let mut order: Vec<(Age<'_>, Option<&mut Draft<'_>>)> =
        vec![((gateway.created.as_ref(), before.is_none(), false, &gateway.name), None)];
    for draft in drafts.iter_mut().filter(|draft| draft.stands()) {
        let (object, id) = (draft.object, draft.id);
        let created = object.metadata.creation_timestamp.as_ref();
        order.push(((created, !served(id), true, id), Some(draft)));
    }
    order.sort_by_key(|(age, _)| *age);
    let mut ways = Ways::default();
    for (_, draft) in order {
        match draft {
            Some(draft) => draft.part(&mut ways, (before, names)),
            None => owner.part(&mut ways),
        }
    }
}

/// Gives each fallback the name of its model or route, each once; returns what is wrong with those that are left out.
/// `own` is the namespace of who names them; the gateway's owner may name all.
fn resolve(fallbacks: &mut Fallbacks, names: &Names, own: Option<&str>) -> Vec<Fault> {
    let mut missing = Vec::new();
    for (field, list) in lists(fallbacks) {
        missing.extend(resolve_list(&format!("fallbacks.{field}"), list, names, own));
    }
    missing
}

fn resolve_list(field: &str, list: &mut Vec<String>, names: &Names, own: Option<&str>) -> Vec<Fault> {
    let mut missing = Vec::new();
    let mut found: Vec<String> = Vec::with_capacity(list.len());
    for wanted in list.drain(..) {
        match names.find(&wanted, own) {
            Some(found_name) if found.iter().any(|one| one == found_name.name) => {}
            Some(found_name) => found.push(found_name.name.to_owned()),
            None => missing.push(names.missing(field, ("model or route", &wanted), own)),
        }
    }
    *list = found;
    missing
}

/// `a -> b -> a`, of which a message shows the beginning.
fn looped(way: &[String]) -> Fault {
    const SHOWN: usize = 8;
    let shown: Vec<_> = way.iter().take(SHOWN).map(String::as_str).collect();
    let more = if way.len() > SHOWN { " -> ..." } else { "" };
    let message = format!(
        "fallbacks lead back to where they begin: {}{more}: take one of them out",
        shown.join(" -> ")
    );
    (Reason::FallbackLoop, message)
}

fn tell(findings: &mut Vec<Finding>, object: &ObjectRef, complaint: Complaint, effect: Effect) {
    let Complaint { condition, fault: (reason, message) } = complaint;
    findings.push(Finding { object: object.clone(), condition, reason, message, effect });
}

fn reference(name: &ObjectName) -> ObjectRef {
    ObjectRef { kind: Kind::ModelRoute, name: name.clone() }
}

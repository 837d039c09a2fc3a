//! How a call in OpenAI's responses goes on from an earlier one, and who may answer it: where a provider keeps the
//! earlier one, its deployment alone; where the gateway does (`kept.rs`), anybody, since its items go along.

use std::sync::Arc;

use protocol::dialects::DecodeError;
use protocol::response::{Outline, ResponseId, input_items, joined};
use store::StoredResponse;

use super::{Ask, Fault, Gateway, NoResponse, Wanted, Why, kept};
use crate::auth::Caller;
use crate::snapshot::{Deployment, Model, Seat, Snapshot};

/// What an earlier response makes of a call.
#[derive(Debug)]
pub(super) struct Thread {
    /// Who may be asked, if not all; never none.
    pub(super) only: Option<Vec<Arc<Deployment>>>,
    /// The earlier response as the client named it, where the gateway keeps it.
    pub(super) previous: Option<String>,
}

/// Who keeps a response.
#[derive(Debug)]
pub(super) enum Home {
    /// A deployment of ours, under its provider's own id.
    Seat(Seat, String),
    /// The gateway.
    Kept(Box<StoredResponse>),
    /// Some provider, by the id that it made; nobody knows which.
    Somewhere(String),
}

impl Thread {
    /// Whether `deployment` may be asked.
    pub(super) fn allows(&self, deployment: &Arc<Deployment>) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|one| Arc::ptr_eq(one, deployment)))
    }
}

/// Finds who keeps the response that `caller` calls `id`.
///
/// # Errors
/// Those of [`kept::find`].
pub(super) async fn locate(
    gateway: &Gateway,
    now: &Snapshot,
    caller: &Caller,
    (id, wanted): (&str, Wanted),
) -> Result<Home, Fault> {
    let none = |why| Fault::NoResponse(NoResponse { id: id.to_owned(), wanted, why });
    let home = match ResponseId::read(id) {
        ResponseId::Own => {
            return kept::find(gateway, caller, id, wanted).await.map(Box::new).map(Home::Kept);
        }
        ResponseId::Placed { tag, own } => {
            let seat = now.seat(tag).filter(|seat| seat.deployment.keeps_responses());
            Home::Seat(seat.ok_or_else(|| none(Why::DeploymentGone))?.clone(), own)
        }
        // LiteLLM names deployments as their config does, and so a config that was carried over may.
        ResponseId::Litellm { model_id, own } => match named(now, &model_id) {
            Some(seat) => Home::Seat(seat.clone(), own),
            None => Home::Somewhere(own),
        },
        ResponseId::Bare => Home::Somewhere(id.to_owned()),
    };
    match &home {
        // They would be no part of a path, but lead to another.
        Home::Seat(_, own) | Home::Somewhere(own) if matches!(own.as_str(), "" | "." | "..") => {
            Err(none(Why::Unknown))
        }
        _ => Ok(home),
    }
}

fn named<'n>(now: &'n Snapshot, label: &str) -> Option<&'n Seat> {
    now.seats().find(|seat| seat.deployment.label == label && seat.deployment.keeps_responses())
}

/// Makes `ask` go on from the response that it names, if it names one.
///
/// # Errors
/// [`Fault::NoResponse`], [`Fault::StoreAway`], or an input that is none.
pub(super) async fn resume(
    gateway: &Gateway,
    now: &Snapshot,
    caller: &Caller,
    model: &Model,
    ask: &mut Ask,
) -> Result<Thread, Fault> {
    let Some(id) = ask.previous()? else {
        return Ok(Thread { only: None, previous: None });
    };
    let none = |why| Fault::NoResponse(NoResponse { id: id.clone(), wanted: Wanted::Previous, why });
    match locate(gateway, now, caller, (&id, Wanted::Previous)).await? {
        Home::Kept(response) => {
            go_on(ask, &response)?;
            Ok(Thread { only: None, previous: Some(id) })
        }
        Home::Seat(seat, own) => {
            let deployments = same_account(model, &seat.deployment);
            if deployments.is_empty() {
                return Err(none(Why::OtherModel(seat.deployment.label.clone())));
            }
            ask.goes_on_as(own);
            Ok(Thread { only: Some(deployments), previous: None })
        }
        Home::Somewhere(own) => {
            let keepers = model.deployments.iter().filter(|one| one.keeps_responses());
            let deployments: Vec<_> = keepers.cloned().collect();
            if deployments.is_empty() {
                return Err(none(Why::Unknown));
            }
            ask.goes_on_as(own);
            Ok(Thread { only: Some(deployments), previous: None })
        }
    }
}

/// The deployment itself; for another model, those of it that find what this one's provider has kept.
fn same_account(model: &Model, home: &Deployment) -> Vec<Arc<Deployment>> {
    let of = |is: &dyn Fn(&Deployment) -> bool| -> Vec<_> {
        model.deployments.iter().filter(|one| is(one) && one.keeps_responses()).cloned().collect()
    };
    let itself = of(&|one| one.tag == home.tag);
    if itself.is_empty() { of(&|one| one.shares_account(home)) } else { itself }
}

/// Puts what was asked and answered before in front of what is asked now.
fn go_on(ask: &mut Ask, before: &StoredResponse) -> Result<(), Fault> {
    let Some(envelope) = &ask.envelope else { return Ok(()) };
    let asked = input_items(&ask.body, envelope).map_err(|_| {
        let reason = "must be a text or a list of items";
        Fault::Undecodable(DecodeError { field: "input".to_owned(), reason })
    })?;
    let answered = Outline::read(&before.answer).and_then(|outline| outline.output()).unwrap_or("[]");
    let past = joined(&[&before.input, answered]);
    ask.goes_on_with(&past, &asked)
}

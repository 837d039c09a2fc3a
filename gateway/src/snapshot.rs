//! A delivery compiled to what runs. `compile.rs` makes it, `current.rs` holds the last good one,
//! `master_key.rs` knows which keys are worth having, `choices.rs` weighs the deployments of
//! models and routes, `keys.rs` looks callers up, `access.rs` knows which models they may
//! ask, `routes.rs` which paths, `budgets.rs` what they are counted in, `alerts.rs` who is told of it,
//! `tariff.rs` finds prices, `abilities.rs` what models take. Read `current.rs` next.

mod abilities;
mod access;
mod alerts;
mod budgets;
mod choices;
mod compile;
mod condition;
mod current;
mod keys;
mod master_key;
mod routes;
mod tariff;

pub(crate) use abilities::{Abilities, Needs};
pub(crate) use access::{Access, Whose};
pub(crate) use alerts::{Alert, Alerts, Webhook};
pub(crate) use budgets::{Charge, Own, Owner, Rule, Subjects, Turn};
pub(crate) use condition::holds;
pub(crate) use current::{Change, Current, Status};
pub use current::{Feed, Problem};
pub(crate) use keys::{Held, Key, KeyDigest, OwnLimit, Shut, UserBudgets, hex};
pub use master_key::MasterKey;
pub(crate) use master_key::digest;
pub(crate) use routes::Routes;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalogue::{EmbeddingDialect, Quirks};
use config::{Condition, Fallbacks, ObjectName, Routing, UnknownPrice};
use limits::Counter;
use protocol::amend::Amendment;
use protocol::loss::OnLoss;
use protocol::plan::Spoken;
use protocol::response::Tag;
use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::cost::Tariff;
use crate::egress::{Egress, Way};
use keys::Keys;

/// One configuration, as a request sees it from start to end.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Of the delivery.
    pub(crate) revision: String,
    /// The gateway that it is for, `namespace/name`.
    pub(crate) gateway: String,
    /// The key that may do everything.
    pub(crate) master_key: MasterKey,
    /// Those that may do what is written for them.
    pub(crate) keys: Keys,
    /// What is larger is refused.
    pub(crate) limits: Limits,
    /// What becomes of a deployment whose price nobody knows.
    pub(crate) unknown_price: UnknownPrice,
    /// Which keys count for the limits that the store has for their user.
    pub(crate) user_budgets: UserBudgets,
    /// Of every model, after its own: other models, in order.
    pub(crate) default_fallbacks: Vec<String>,
    /// Every model and route, once, sorted by name.
    pub(crate) models: Vec<Arc<Model>>,
    /// By name and by alias.
    by_name: HashMap<String, Arc<Model>>,
    /// Who is limited by what.
    pub(crate) budgets: budgets::Budgets,
    /// Who is told how far they are used.
    pub(crate) alerts: Alerts,
    /// By the tag that ids of responses carry.
    by_tag: HashMap<Tag, Seat>,
    /// The answer to a listing of those who may ask everything.
    listing: Bytes,
}

/// A public model.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    /// Those that may answer for it, each once. Never empty.
    pub(crate) deployments: Vec<Arc<Deployment>>,
    /// How they are chosen from.
    pub(crate) choices: Vec<Choice>,
    /// Of a route, the condition of each target that has one.
    pub(crate) conditions: Vec<Option<Condition>>,
    /// Of a route, the part of it that each target is. Limits of a target's model hold for what goes there.
    pub(crate) legs: Vec<Arc<Model>>,
    /// Of a leg, the model that its target names.
    pub(crate) via: Option<Arc<Model>>,
    pub(crate) routing: Routing,
    /// When none of them can answer.
    pub(crate) fallbacks: Fallbacks,
}

/// A deployment that may answer for a model.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) deployment: Arc<Deployment>,
    /// The lowest are tried first: the priority of the route's target, and that of the deployment.
    pub(crate) tier: (u8, u8),
    /// Share of the traffic in its tier.
    pub(crate) weight: f64,
    /// The place of its target's condition, if it is of one.
    pub(crate) target: usize,
}

/// A deployment and the model that it serves.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) model: Arc<Model>,
    pub(crate) deployment: Arc<Deployment>,
}

/// One upstream of a model, ready to be called.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) identity: Identity,
    /// Names it in the ids of responses that it keeps.
    pub(crate) tag: Tag,
    /// The identity's name as text, for headers, logs and metrics.
    pub(crate) label: String,
    pub(crate) provider: String,
    pub(crate) upstream_model: String,
    /// What the model takes otherwise than its language says.
    pub(crate) quirks: Arc<Quirks>,
    pub(crate) upstream: Upstream,
    /// Counters of what its provider allows in a minute, where somebody has said.
    pub(crate) capacity: Vec<Arc<Counter>>,
    pub(crate) timeouts: Timeouts,
    pub(crate) on_loss: OnLoss,
    /// What its model takes.
    pub(crate) abilities: Abilities,
    /// What its calls cost.
    pub(crate) tariff: Arc<Tariff>,
    /// What is changed in the body of each request; mostly nothing.
    pub(crate) amendment: Option<Amendment>,
}

/// What stays the same over reloads: state is keyed by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) id: ObjectName,
    pub(crate) uid: String,
}

/// Where a request goes.
#[derive(Debug)]
pub(crate) enum Upstream {
    /// A provider's API.
    Http(Box<Api>),
    /// Answers made in the process.
    Mock,
}

/// A provider's API.
#[derive(Debug)]
pub(crate) struct Api {
    /// `providers` appends the path.
    pub(crate) base: Url,
    /// How it is reached.
    pub(crate) egress: Arc<Egress>,
    /// The credential and the configured headers; the credential is marked sensitive.
    pub(crate) headers: HeaderMap,
    /// The wire languages spoken there.
    pub(crate) spoken: Spoken,
    /// The language of its embeddings endpoint, if it has one.
    pub(crate) embeds: Option<EmbeddingDialect>,
    /// Whether it keeps OpenAI's responses itself.
    pub(crate) keeps_responses: bool,
}

impl Api {
    /// How it is reached if a connection may take `connect` to be made.
    pub(crate) fn way(&self, connect: Duration) -> Way {
        Way { egress: Arc::clone(&self.egress), connect }
    }
}

impl Deployment {
    /// Whether its provider keeps OpenAI's responses itself.
    pub(crate) fn keeps_responses(&self) -> bool {
        matches!(&self.upstream, Upstream::Http(api) if api.keeps_responses)
    }

    /// Whether `other` is at the same account of the same provider: what one has kept, the other finds.
    pub(crate) fn shares_account(&self, other: &Self) -> bool {
        match (&self.upstream, &other.upstream) {
            (Upstream::Http(one), Upstream::Http(two)) => one.base == two.base && one.headers == two.headers,
            _ => false,
        }
    }
}

/// See [`config::Limits`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) request_body_bytes: u64,
    pub(crate) answer_bytes: usize,
    pub(crate) stream_event_bytes: usize,
}

/// See [`config::Timeouts`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) stream_idle: Duration,
    pub(crate) request: Duration,
}

impl Snapshot {
    /// The model of that name or alias.
    pub(crate) fn model(&self, name: &str) -> Option<&Arc<Model>> {
        self.by_name.get(name)
    }

    /// Whether `deployment` may serve though nobody knows its price, if nobody does.
    pub(crate) fn lets_serve(&self, deployment: &Deployment) -> bool {
        self.unknown_price == UnknownPrice::Allow || deployment.tariff.is_known()
    }

    /// All names and aliases within `access`, sorted; without one, all there are.
    pub(crate) fn names(&self, access: Option<&Access>) -> Vec<&str> {
        let mine = self.by_name.iter().filter(|(_, model)| access.is_none_or(|access| access.allows(model)));
        let mut names: Vec<_> = mine.map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// The deployment that ids of responses call so.
    pub(crate) fn seat(&self, tag: Tag) -> Option<&Seat> {
        self.by_tag.get(&tag)
    }

    /// All deployments, in no order.
    pub(crate) fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.by_tag.values()
    }

    /// How its providers are reached, those of several deployments several times.
    pub(crate) fn ways(&self) -> impl Iterator<Item = Way> {
        self.by_tag.values().filter_map(|seat| match &seat.deployment.upstream {
            Upstream::Http(api) => Some(api.way(seat.deployment.timeouts.connect)),
            Upstream::Mock => None,
        })
    }

    /// The answer to a listing of what is within `access`.
    pub(crate) fn listing(&self, access: Option<&Access>) -> Bytes {
        match access.filter(|access| !access.is_everything()) {
            None => self.listing.clone(),
            Some(access) => compile::listing(self.by_name.iter().filter(|(_, model)| access.allows(model))),
        }
    }

    /// The entry of one model in the listing, with the name it was asked by, if it is within `access`.
    pub(crate) fn listed(&self, name: &str, access: Option<&Access>) -> Option<String> {
        let model = self.model(name).filter(|model| access.is_none_or(|access| access.allows(model)))?;
        Some(compile::entry(name, model).to_string())
    }
}

impl Model {
    /// Whether its deployments take different requests.
    pub(crate) fn is_mixed(&self) -> bool {
        let mut all = self.deployments.iter().map(|deployment| deployment.abilities);
        let first = all.next();
        all.any(|other| Some(other) != first)
    }

    /// Its name, and its aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.aliases).map(String::as_str)
    }
}

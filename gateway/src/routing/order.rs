//! In which order the deployments of a model are tried: tier by tier, and within one as its strategy says. Those of weight
//! 0 take no share, so they come last in their tier.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;

use config::{SessionAffinity, Strategy};
use protocol::usage::Usage;
use rand::{Rng, RngExt};
use tokio::time::Instant;

use super::health::Health;
use crate::snapshot::{Choice, Model};

/// One in so many requests tries another than the one that is soonest.
const EXPLORES: u32 = 20;

/// What of a request counts for the order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) is_stream: bool,
    /// A digest of the conversation's name, if it has one.
    pub(crate) session: Option<u64>,
    /// About what it will use.
    pub(crate) usage: Usage,
}

/// The choices of `model` that are `open`, in the order to try them.
pub(super) fn order<'m>(
    health: &Health,
    model: &'m Model,
    open: impl Fn(&Choice) -> bool,
    wish: Wish,
    rng: &mut impl Rng,
) -> Vec<&'m Choice> {
    let mut choices: Vec<&Choice> = model.choices.iter().filter(|choice| open(choice)).collect();
    choices.sort_by_key(|choice| choice.tier);
    let view = View { health, model, wish };
    let tiers = choices.chunk_by(|a, b| a.tier == b.tier);
    tiers.flat_map(|tier| view.tier(tier, rng)).collect()
}

struct View<'v> {
    health: &'v Health,
    model: &'v Model,
    wish: Wish,
}

impl View<'_> {
    fn tier<'c>(&self, tier: &[&'c Choice], rng: &mut impl Rng) -> Vec<&'c Choice> {
        if let [only] = tier {
            return vec![only];
        }
        let (weighted, idle): (Vec<_>, Vec<_>) = tier.iter().copied().partition(|one| one.weight > 0.0);
        let session =
            self.wish.session.filter(|_| self.model.routing.session_affinity == SessionAffinity::Preferred);
        let mut order = match session {
            Some(session) => lowest_first(weighted, |one| distance(session, one)),
            None => self.by_strategy(weighted, rng),
        };
        order.extend(idle);
        order
    }

    fn by_strategy<'c>(&self, tier: Vec<&'c Choice>, rng: &mut impl Rng) -> Vec<&'c Choice> {
        let strategy = self.model.routing.strategy;
        // A route's targets have their turn; inside of one it would be the same turn again.
        if strategy == Strategy::RoundRobin && self.model.via.is_none() {
            let mut tier = tier;
            let turn = self.health.turns.fetch_add(1, Ordering::Relaxed);
            let places = tier.len().max(1);
            tier.rotate_left(turn % places);
            return tier;
        }
        // Where a strategy sees no difference, weights decide.
        let drawn = shuffled(tier, rng);
        match strategy {
            Strategy::Weighted | Strategy::RoundRobin => drawn,
            Strategy::LeastLatency if rng.random_ratio(1, EXPLORES) => drawn,
            Strategy::LeastLatency => lowest_first(drawn, |one| self.usual(one)),
            Strategy::LeastBusy => lowest_first(drawn, |one| self.busy(one)),
            Strategy::UsageBased => lowest_first(drawn, |one| self.used(one)),
            Strategy::LowestCost => lowest_first(drawn, |one| self.cost(one)),
        }
    }

    fn busy(&self, choice: &Choice) -> f64 {
        f64::from(self.health.of(&choice.deployment.identity).busy()) / choice.weight
    }

    /// What is not known is found out.
    fn usual(&self, choice: &Choice) -> f64 {
        self.health.of(&choice.deployment.identity).usual(self.wish.is_stream).unwrap_or(0.0)
    }

    /// The part of its capacity that is used up.
    fn used(&self, choice: &Choice) -> f64 {
        self.health.of(&choice.deployment.identity).used(Instant::now())
    }

    fn cost(&self, choice: &Choice) -> f64 {
        let cost = choice.deployment.tariff.cost(&self.wish.usage);
        #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
        cost.map_or(f64::INFINITY, |cost| cost.nano() as f64)
    }
}

/// Each is scored once: what scores are made of changes meanwhile.
fn lowest_first(choices: Vec<&Choice>, score: impl Fn(&Choice) -> f64) -> Vec<&Choice> {
    let mut scored: Vec<_> = choices.into_iter().map(|choice| (score(choice), choice)).collect();
    scored.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    scored.into_iter().map(|(_, choice)| choice).collect()
}

/// Draws without putting back.
fn shuffled<'c>(mut tier: Vec<&'c Choice>, rng: &mut impl Rng) -> Vec<&'c Choice> {
    let mut order = Vec::with_capacity(tier.len());
    while !tier.is_empty() {
        let total: f64 = tier.iter().map(|one| one.weight).sum();
        let mut ticket = rng.random_range(0.0..1.0) * total;
        let drawn = tier.iter().position(|one| {
            ticket -= one.weight;
            ticket < 0.0
        });
        // Sums of fractions may come out a little short.
        order.push(tier.remove(drawn.unwrap_or(tier.len() - 1)));
    }
    order
}

/// How far a deployment is from a conversation, the same on every pod. By weighted rendezvous hashing: one that comes or
/// goes moves no other conversation than its own share.
fn distance(session: u64, choice: &Choice) -> f64 {
    let mut hasher = DefaultHasher::new();
    (session, &choice.deployment.label).hash(&mut hasher);
    // 53 bits are a fraction; never 0.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let drawn = ((hasher.finish() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    -drawn.ln() / choice.weight
}

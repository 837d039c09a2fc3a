//! What the writers share: which side they write for, the losses they tell, the ids they make.

use catalogue::Dialect;

use super::{HOME, words};
use crate::dialects::chat;
use crate::dialects::waiting::Waiting;
use crate::hub::{CacheHint, Extras, Likely};
use crate::json::RawJson;
use crate::loss::{Losses, Weight};

/// Which way a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// To a provider.
    Request,
    /// To a client.
    Answer,
}

const ONLY_THERE: &str = "only its own API knows it";

/// Goes through one translation.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) side: Side,
    /// The dialect of the other end, for the words that losses are told in.
    pub(super) from: Option<Dialect>,
    pub(super) losses: Losses,
    /// The state of the items that are written.
    pub(super) status: &'static str,
    /// What ids are made of, where the other end gives none.
    seed: String,
    /// How many items have been written.
    pub(super) count: usize,
    calls: Waiting,
    /// How likely the tokens of an answer were, until a text tells it.
    pub(super) likely: Vec<Likely>,
}

impl Context {
    pub(super) fn request(from: Option<Dialect>) -> Self {
        Self::new(Side::Request, from, "")
    }

    pub(super) fn answer(from: Option<Dialect>, seed: &str) -> Self {
        Self::new(Side::Answer, from, seed)
    }

    fn new(side: Side, from: Option<Dialect>, seed: &str) -> Self {
        let losses = Losses::default();
        Self {
            side,
            from,
            losses,
            status: "completed",
            seed: seed.to_owned(),
            count: 0,
            calls: Waiting::default(),
            likely: Vec::new(),
        }
    }

    /// An id for the item that is written now.
    pub(super) fn item_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}{:04x}", self.seed, self.count)
    }

    /// The id of a call. Gemini's may have none, and so may their results, which find theirs by name and order.
    pub(super) fn call_id(&mut self, id: &str, name: &str) -> String {
        let id = match self.side {
            _ if !id.is_empty() => id.to_owned(),
            Side::Answer => self.item_id("call"),
            Side::Request => format!("call_{:04x}", self.calls.len()),
        };
        self.calls.push(id.clone(), name.to_owned());
        id
    }

    /// The id that a result answers to. A name that is not that of the call is told.
    pub(super) fn result_id(&mut self, id: &str, name: Option<&str>, path: &str) -> String {
        let at = if id.is_empty() {
            name.and_then(|name| self.calls.with_name(name)).or_else(|| self.calls.any())
        } else {
            self.calls.with_id(id)
        };
        let call = at.and_then(|at| self.calls.close(at));
        if name.is_some() && name != call.as_ref().map(|call| call.name.as_str()) {
            self.losses.hint(format!("{path}.name"), "results are known by the id of their call");
        }
        match call {
            Some(call) => call.id.clone(),
            None if id.is_empty() => self.call_id("", name.unwrap_or_default()),
            None => id.to_owned(),
        }
    }

    /// Tells each field that only another dialect can write. Usage has a place of its own in the hub.
    pub(super) fn tell(&mut self, path: &str, extras: &Extras) {
        for (name, raw) in extras.foreign_to(HOME) {
            if self.side == Side::Answer && matches!(name.as_str(), "usage" | "usageMetadata") {
                continue;
            }
            let field = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let of_request = path.is_empty() && Weight::of_unmodelled(name) == Weight::Meaning;
            let is_meaning = of_request || words::changes_meaning(name);
            for leaf in chat::leaves(&field, raw) {
                if is_meaning {
                    self.losses.meaning(leaf, ONLY_THERE);
                } else {
                    self.losses.hint(leaf, ONLY_THERE);
                }
            }
        }
    }

    /// Tells a block, tool or choice that only another API knows.
    pub(super) fn tell_foreign(&mut self, path: &str, json: &RawJson) {
        for leaf in chat::leaves(path, json) {
            self.losses.meaning(leaf, ONLY_THERE);
        }
    }

    /// OpenAI caches by itself: a mark where to is of no use.
    pub(super) fn tell_cache(&mut self, path: &str, cache: Option<&CacheHint>) {
        if let Some(hint) = cache {
            let leaf = if hint.ttl.is_some() { ".ttl" } else { "" };
            self.losses.hint(format!("{path}.cache_control{leaf}"), "the provider caches by itself");
        }
    }
}

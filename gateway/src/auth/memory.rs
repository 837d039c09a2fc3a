//! What this process knows of the store: the keys that were used of late, who is nobody, and the customers that requests
//! named. All of it is bounded, and forgotten when it changes. A look costs one hash and one read lock.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use store::accounts::Kind;

/// So that forgetting, which looks at everything, holds up few.
const SHARDS: usize = 16;

/// An account that something was made from, and is forgotten with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tie {
    pub(super) kind: Kind,
    pub(super) id: String,
}

/// Values by their names, at least half as many of the last used ones as there is room for.
#[derive(Debug)]
pub(super) struct Memory<K, V> {
    shards: [RwLock<Generations<K, V>>; SHARDS],
    hasher: RandomState,
    /// Of each generation of a shard.
    room: usize,
    /// Rises whenever something is forgotten.
    epoch: AtomicU64,
}

/// What is used moves to the young; when there are too many, the old are forgotten and the young are the old.
#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, Held<V>>,
    old: HashMap<K, Held<V>>,
}

#[derive(Clone, Debug)]
struct Held<V> {
    value: V,
    ties: Vec<Tie>,
}

/// A moment: what was read after it and before something was forgotten may be what was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(u64);

impl<K: Eq + Hash + Clone, V: Clone> Memory<K, V> {
    pub(super) fn new(room: usize) -> Self {
        let empty = |_| RwLock::new(Generations { young: HashMap::new(), old: HashMap::new() });
        let room = (room / SHARDS / 2).max(1);
        Self {
            shards: std::array::from_fn(empty),
            hasher: RandomState::new(),
            room,
            epoch: AtomicU64::new(0),
        }
    }

    pub(super) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let shard = self.shard(key);
        {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = shard.young.get(key) {
                return Some(held.value.clone());
            }
            if !shard.old.contains_key(key) {
                return None;
            }
        }
        let mut shard = write(shard);
        let held = shard.old.remove(key)?;
        let value = held.value.clone();
        shard.put(key.to_owned(), held, self.room);
        Some(value)
    }

    /// To be asked before reading what is to be put.
    pub(super) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    /// Keeps `value`, unless something was forgotten since `read`.
    pub(super) fn put(&self, key: K, value: V, ties: Vec<Tie>, read: Epoch) {
        let mut shard = write(self.shard(&key));
        // Under the lock: who forgets has raised it before it comes here.
        if self.epoch() == read {
            shard.put(key, Held { value, ties }, self.room);
        }
    }

    /// Forgets what was made from that account.
    pub(super) fn forget(&self, kind: Kind, id: &str) {
        self.retain(|held| !held.ties.iter().any(|tie| tie.kind == kind && tie.id == id));
    }

    pub(super) fn forget_all(&self) {
        self.retain(|_| false);
    }

    fn retain(&self, stays: impl Fn(&Held<V>) -> bool) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            let mut shard = write(shard);
            shard.young.retain(|_, held| stays(held));
            shard.old.retain(|_, held| stays(held));
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a remainder is less than what it is divided by")]
    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &RwLock<Generations<K, V>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or_default();
        &self.shards[hash]
    }
}

impl<K: Eq + Hash, V> Generations<K, V> {
    fn put(&mut self, key: K, held: Held<V>, room: usize) {
        self.old.remove(&key);
        if self.young.len() >= room {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, held);
    }
}

fn write<K, V>(shard: &RwLock<Generations<K, V>>) -> RwLockWriteGuard<'_, Generations<K, V>> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tie(id: &str) -> Vec<Tie> {
        vec![Tie { kind: Kind::Team, id: id.into() }]
    }

    fn filled(names: impl IntoIterator<Item = u32>) -> Memory<u32, u32> {
        let memory = Memory::new(SHARDS * 2 * 4);
        for name in names {
            memory.put(name, name, tie(if name % 2 == 0 { "even" } else { "odd" }), memory.epoch());
        }
        memory
    }

    #[test]
    fn what_is_tied_to_an_account_is_forgotten_with_it() {
        let memory = filled(1..=4);
        memory.forget(Kind::Team, "even");
        memory.forget(Kind::User, "odd");
        assert_eq!([1, 2, 3, 4].map(|name| memory.get(&name)), [Some(1), None, Some(3), None]);
        memory.forget_all();
        assert_eq!(memory.get(&1), None);
    }

    #[test]
    fn what_was_read_before_something_was_forgotten_is_not_kept() {
        let memory = filled([]);
        let read = memory.epoch();
        memory.forget(Kind::Team, "odd");
        memory.put(1, 1, tie("odd"), read);
        assert_eq!(memory.get(&1), None);
        memory.put(1, 1, tie("odd"), memory.epoch());
        assert_eq!(memory.get(&1), Some(1));
    }

    #[test]
    fn there_is_an_end_to_it_and_what_is_used_stays() {
        let memory = filled([0]);
        for name in 1..10_000 {
            memory.put(name, name, Vec::new(), memory.epoch());
            assert_eq!(memory.get(&0), Some(0), "used all the time, after {name}");
        }
        let known = (0..10_000).filter(|name| memory.get(name).is_some()).count();
        assert!((SHARDS * 4..=SHARDS * 8).contains(&known), "{known}");
    }
}

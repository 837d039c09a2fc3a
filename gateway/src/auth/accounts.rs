//! Keys and whom they belong to, as this process knows them: what was used of late is in memory, all else is asked of the
//! store, once for all who ask at the same time. What changes is forgotten by every process within a second
//! (`follow.rs`). While the store is away, what is known serves on, and what is not cannot be known.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use limits::Channel;
use store::accounts::{Account, Kind, Written};
use store::{Store, StoreError};

use super::flights::{Flights, PATIENCE, Unanswered};
use super::inherit::{self, Patron};
use super::memory::Memory;
use crate::snapshot::{Held, KeyDigest, hex};

/// Keys in memory: a few kilobytes each.
const KEYS: usize = 20_000;

/// Of what was asked and is nobody's.
const NOBODIES: usize = 100_000;

/// Customers in memory.
const CUSTOMERS: usize = 20_000;

/// Questions about keys at a time. PostgreSQL has more connections than these and those about customers; a file answers
/// at once.
const KEYS_AT_ONCE: usize = 4;

/// Questions about customers at a time.
const CUSTOMERS_AT_ONCE: usize = 2;

/// Seconds for which what is nobody's key stays nobody's, unless a key changes.
const NOBODY_FOR: u64 = 10;

/// Seconds for which keys are let in though nobody could say whether they still are good: through a long outage of the
/// database, and no longer.
pub(super) const KNOWN_FOR: u64 = 12 * 3600;

/// Keys, teams, users, customers and budgets of a gateway. Clones are the same.
#[derive(Clone, Debug)]
pub struct Accounts {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) store: Store,
    /// Where processes tell each other of changes.
    pub(super) channel: Option<Channel>,
    pub(super) keys: Memory<KeyDigest, Held>,
    /// Until which second.
    pub(super) nobodies: Memory<KeyDigest, u64>,
    pub(super) customers: Memory<String, Option<Arc<Patron>>>,
    /// Whether there are any. Most gateways have none, and then need not ask for each.
    pub(super) has_customers: Memory<(), bool>,
    asking_keys: Flights<KeyDigest, Option<Held>>,
    asking_customers: Flights<String, Option<Arc<Patron>>>,
    /// The second when the store last said what has changed.
    pub(super) heard: AtomicU64,
    /// Whether it did at the last look. While it does not, nobody waits for it.
    pub(super) answers: AtomicBool,
}

/// What memory says of a key.
#[derive(Debug)]
pub(super) enum Known {
    /// Somebody's.
    Held(Held),
    Nobodys,
    /// Ask the store.
    Unknown,
}

impl Accounts {
    /// Those of `store`, at the Unix second `now`.
    pub(crate) fn new(store: Store, channel: Option<Channel>, now: u64) -> Self {
        let inner = Inner {
            store,
            channel,
            keys: Memory::new(KEYS),
            nobodies: Memory::new(NOBODIES),
            customers: Memory::new(CUSTOMERS),
            has_customers: Memory::new(1),
            asking_keys: Flights::new(KEYS_AT_ONCE, PATIENCE),
            asking_customers: Flights::new(CUSTOMERS_AT_ONCE, PATIENCE),
            heard: AtomicU64::new(now),
            answers: AtomicBool::new(true),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Writes `account` as [`Store::account_put`] does, and tells every process of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put<A: Account>(&self, account: &A) -> Result<Written, StoreError> {
        let written = self.inner.store.account_put(account).await?;
        if let Written::Done(_) = written {
            self.changed(A::KIND, &account.id()).await;
        }
        Ok(written)
    }

    /// Forgets the account `id`, and tells every process of it. Says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete<A: Account>(&self, id: &str) -> Result<bool, StoreError> {
        let gone = self.inner.store.account_delete::<A>(id).await?.is_some();
        if gone {
            self.changed(A::KIND, id).await;
        }
        Ok(gone)
    }

    /// What is read past memory.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// What memory says of the key of that digest.
    pub(super) fn known(&self, digest: &KeyDigest, now: u64) -> Known {
        let inner = &self.inner;
        if let Some(held) = inner.keys.get(digest).filter(|_| !inner.is_out_of_touch(now)) {
            return Known::Held(held);
        }
        match inner.nobodies.get(digest) {
            Some(until) if now < until => Known::Nobodys,
            _ => Known::Unknown,
        }
    }

    /// What the store says of it: `None` is nobody's.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub(super) async fn ask(&self, digest: KeyDigest, now: u64) -> Result<Option<Held>, Unanswered> {
        let (inner, epoch) = (Arc::clone(&self.inner), self.inner.keys.epoch());
        let nobodies = inner.nobodies.epoch();
        if !inner.answers.load(Ordering::Relaxed) {
            return Err(Unanswered);
        }
        let ask = move || async move {
            let hash = hex(&digest);
            let holder = inner.store.holder_by_hash(&hash).await.map_err(unanswered(Kind::Key))?;
            let Some(holder) = holder else {
                inner.nobodies.put(digest, now.saturating_add(NOBODY_FOR), Vec::new(), nobodies);
                return Ok(None);
            };
            let former = holder.key.former.as_ref().filter(|former| former.hash == hash);
            let until = former.map(|former| inherit::seconds(former.until_us));
            let (key, ties) = inherit::key(&holder);
            let held = Held { key: Arc::new(key), until };
            inner.keys.put(digest, held.clone(), ties, epoch);
            Ok(Some(held))
        };
        self.inner.asking_keys.join(digest, epoch, ask).await
    }

    /// The customer of that name, if the store has one. While it is away, those that are not known are nobody.
    pub(crate) async fn customer(&self, name: &str) -> Option<Arc<Patron>> {
        if self.inner.has_customers.get(&()) == Some(false) {
            return None;
        }
        if let Some(known) = self.inner.customers.get(name) {
            return known;
        }
        if !self.inner.answers.load(Ordering::Relaxed) {
            return None;
        }
        let (inner, epoch, name) = (Arc::clone(&self.inner), self.inner.customers.epoch(), name.to_owned());
        let asked = name.clone();
        let ask = move || async move {
            let found = inner.store.customer_resolve(&asked).await.map_err(unanswered(Kind::Customer))?;
            let (patron, ties) = match &found {
                Some((customer, budget, groups)) => inherit::patron(customer, budget.as_ref(), groups),
                None => {
                    inner.look_for_customers().await?;
                    inner.customers.put(asked.clone(), None, inherit::ties_of_customer(&asked), epoch);
                    return Ok(None);
                }
            };
            let patron = Some(Arc::new(patron));
            inner.customers.put(asked, patron.clone(), ties, epoch);
            Ok(patron)
        };
        self.inner.asking_customers.join(name, epoch, ask).await.unwrap_or_default()
    }
}

impl Inner {
    /// Whether nobody has said for long what has changed.
    fn is_out_of_touch(&self, now: u64) -> bool {
        now.saturating_sub(self.heard.load(Ordering::Relaxed)) > KNOWN_FOR
    }

    async fn look_for_customers(&self) -> Result<(), Unanswered> {
        if self.has_customers.get(&()).is_none() {
            let epoch = self.has_customers.epoch();
            let has = self.store.customer_exists().await.map_err(unanswered(Kind::Customer))?;
            self.has_customers.put((), has, Vec::new(), epoch);
        }
        Ok(())
    }

    /// An account was written or deleted: what was made from it is forgotten.
    pub(super) fn forget(&self, kind: Kind, id: &str) {
        match kind {
            Kind::Customer => {
                self.has_customers.forget_all();
                self.customers.forget(kind, id);
            }
            // Rare, and in anything.
            Kind::ModelGroup => {
                self.keys.forget_all();
                self.customers.forget_all();
            }
            Kind::Key | Kind::Team | Kind::Member | Kind::User | Kind::Budget => {
                if kind == Kind::Key {
                    self.nobodies.forget_all();
                }
                self.keys.forget(kind, id);
                self.customers.forget(kind, id);
            }
        }
    }

    /// Anything may have changed.
    pub(super) fn forget_all(&self) {
        self.keys.forget_all();
        self.nobodies.forget_all();
        self.has_customers.forget_all();
        self.customers.forget_all();
    }
}

/// Of an account of that kind.
fn unanswered(kind: Kind) -> impl Fn(StoreError) -> Unanswered {
    move |error| {
        tracing::warn!(%error, kind = kind.name(), "the database does not say whether there is such an account");
        Unanswered
    }
}

#[cfg(test)]
mod tests {
    use store::accounts::{Holder, Key};

    use super::*;

    /// A store that is away, and one key that is known since the second 1000.
    fn known() -> (Accounts, KeyDigest) {
        let store = Store::connect("postgres://nobody@127.0.0.1:1/none").unwrap();
        let (accounts, digest) = (Accounts::new(store, None, 1000), [7; 32]);
        let holder = Holder { key: Key { id: "k".into(), ..Key::default() }, ..Holder::default() };
        let (key, ties) = inherit::key(&holder);
        let (held, epoch) = (Held { key: Arc::new(key), until: None }, accounts.inner.keys.epoch());
        accounts.inner.keys.put(digest, held, ties, epoch);
        (accounts, digest)
    }

    #[tokio::test]
    async fn a_known_key_is_known_through_a_long_outage_and_no_longer() {
        let (accounts, digest) = known();
        assert!(matches!(accounts.known(&digest, 1000 + KNOWN_FOR), Known::Held(_)));
        assert!(matches!(accounts.known(&digest, 1001 + KNOWN_FOR), Known::Unknown));
        accounts.inner.heard.store(2000, Ordering::Relaxed);
        assert!(matches!(accounts.known(&digest, 1001 + KNOWN_FOR), Known::Held(_)));
    }

    #[tokio::test]
    async fn a_change_of_another_account_forgets_nothing() {
        let (accounts, digest) = known();
        for (kind, id) in [(Kind::Key, "other"), (Kind::Team, "k"), (Kind::Customer, "k")] {
            accounts.inner.forget(kind, id);
            assert!(matches!(accounts.known(&digest, 1000), Known::Held(_)), "{kind:?}");
        }
        accounts.inner.forget(Kind::Key, "k");
        assert!(matches!(accounts.known(&digest, 1000), Known::Unknown));
    }

    #[tokio::test]
    async fn who_is_nobody_is_nobody_for_a_while_unless_a_key_changes() {
        let (accounts, _) = known();
        let nobodies = &accounts.inner.nobodies;
        nobodies.put([8; 32], 1000 + NOBODY_FOR, Vec::new(), nobodies.epoch());
        assert!(matches!(accounts.known(&[8; 32], 1000), Known::Nobodys));
        assert!(matches!(accounts.known(&[8; 32], 1000 + NOBODY_FOR), Known::Unknown));
        accounts.inner.forget(Kind::Team, "t");
        assert!(matches!(accounts.known(&[8; 32], 1000), Known::Nobodys));
        accounts.inner.forget(Kind::Key, "new");
        assert!(matches!(accounts.known(&[8; 32], 1000), Known::Unknown));
    }

    #[tokio::test]
    async fn what_cannot_be_asked_is_neither_a_key_nor_nobodys() {
        let (accounts, _) = known();
        assert!(matches!(accounts.ask([9; 32], 1000).await, Err(Unanswered)));
        assert!(matches!(accounts.known(&[9; 32], 1000), Known::Unknown));
        assert!(accounts.customer("carl").await.is_none());
    }
}

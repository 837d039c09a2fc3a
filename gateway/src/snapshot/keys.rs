//! Virtual keys, ready to be looked up by the digest of what a client sends.
//!
//! The lookup is not in constant time, and needs not be: what its time could tell is how a digest begins, and nobody
//! can send a key whose digest begins as wanted but by trying. The master key is compared in constant time anyway.

use std::collections::HashMap;
use std::sync::Arc;

use config::{KeyHash, ObjectName};

use super::Model;
use super::access::{Access, Whose, fits};
use super::budgets::{Charge, Rule};
use super::compile::CompileError;
use super::routes::Routes;

/// SHA-256 of a whole key.
pub(crate) type KeyDigest = [u8; 32];

/// A virtual key, of the config or of the store.
#[derive(Debug)]
pub(crate) struct Key {
    /// Names it for good, for logs and records: namespace and name of the VirtualKey, or `key:` and its id in the store.
    pub(crate) label: String,
    /// For messages.
    pub(crate) called: String,
    /// The VirtualKey, if it is one.
    pub(crate) id: Option<ObjectName>,
    /// Its id in the store, if it is there.
    pub(crate) stored: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) team: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) access: Access,
    /// The paths that it may call.
    pub(crate) routes: Routes,
    /// Every request with it has these.
    pub(crate) tags: Vec<String>,
    /// Those that it names.
    pub(crate) budgets: Vec<ObjectName>,
    /// Of its own, and of those whose it is.
    pub(crate) limits: Vec<OwnLimit>,
    /// Unix seconds.
    pub(crate) expires_at: Option<u64>,
    /// Whatever the time is.
    pub(crate) shut: Option<Shut>,
}

/// A limit that comes with a key.
#[derive(Clone, Debug)]
pub(crate) struct OwnLimit {
    pub(crate) rule: Arc<Rule>,
    pub(crate) whose: Whose,
    /// Only requests for models of this pattern count.
    pub(crate) model: Option<String>,
}

/// Which keys count for the limits that the store has for their user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UserBudgets {
    #[default]
    OfAllKeys,
    /// Those without a team.
    OfPersonalKeys,
}

/// All keys of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Keys(HashMap<KeyDigest, Held>);

/// A key by one of its digests.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) key: Arc<Key>,
    /// See [`KeyHash::until`].
    pub(crate) until: Option<u64>,
}

/// Why a known key does not open the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    Expired,
    /// A rotation has replaced it.
    Replaced,
    /// A VirtualKey, by its owner.
    Suspended,
    /// A key of the store.
    Blocked,
    /// Its team is.
    TeamBlocked,
    /// Its user is.
    UserBlocked,
}

impl Keys {
    pub(super) fn compile(from: &[config::Key]) -> Result<Self, CompileError> {
        let mut all = HashMap::with_capacity(from.len());
        for one in from {
            let key = Arc::new(Key::new(one));
            for hash in &one.hashes {
                let digest = digest_of(hash).ok_or_else(|| CompileError::KeyHash { key: one.id.clone() })?;
                let held = Held { key: Arc::clone(&key), until: hash.until };
                if all.insert(digest, held).is_some() {
                    return Err(CompileError::KeyTwice { key: one.id.clone() });
                }
            }
        }
        Ok(Self(all))
    }

    /// The key of that digest. `None` if it is nobody's.
    pub(crate) fn find(&self, digest: &KeyDigest) -> Option<&Held> {
        self.0.get(digest)
    }
}

impl Held {
    /// Whether it opens the gateway at the Unix second `now`.
    pub(crate) fn verdict(&self, now: u64) -> Result<(), Shut> {
        let is_over = |end: Option<u64>| end.is_some_and(|end| end <= now);
        if is_over(self.key.expires_at) {
            return Err(Shut::Expired);
        }
        if is_over(self.until) {
            return Err(Shut::Replaced);
        }
        self.key.shut.map_or(Ok(()), Err)
    }
}

impl OwnLimit {
    /// Whether a request for `model` counts.
    pub(crate) fn counts(&self, model: &Model) -> bool {
        let mut names = model.names().chain(model.via.iter().flat_map(|via| via.names()));
        self.model.as_ref().is_none_or(|pattern| names.any(|name| fits(pattern, name)))
    }
}

impl Key {
    /// What a request for `model` with it charges by what comes with it.
    pub(crate) fn charges(&self, model: &Model, users: UserBudgets) -> impl Iterator<Item = Charge> {
        self.limits(model, users).map(|limit| limit.rule.charge())
    }

    /// The limits that come with it and count a request for `model`.
    pub(crate) fn limits(&self, model: &Model, users: UserBudgets) -> impl Iterator<Item = &OwnLimit> {
        let without_users = users == UserBudgets::OfPersonalKeys && self.team.is_some();
        let of_others = move |limit: &&OwnLimit| !(without_users && limit.whose == Whose::User);
        self.limits.iter().filter(of_others).filter(move |limit| limit.counts(model))
    }

    /// Whether it is a key of the store.
    pub(crate) fn is_stored(&self) -> bool {
        self.stored.is_some()
    }

    /// Whether limits come with it.
    pub(crate) fn is_limited(&self) -> bool {
        !self.limits.is_empty()
    }

    fn new(from: &config::Key) -> Self {
        Self {
            label: from.id.to_string(),
            called: from.id.to_string(),
            id: Some(from.id.clone()),
            stored: None,
            display_name: from.display_name.clone(),
            team: from.team.clone(),
            user: from.user.clone(),
            access: Access::new(&from.models),
            routes: Routes::default(),
            tags: tags(from),
            budgets: from.budgets.clone(),
            limits: Rule::of_key(from),
            expires_at: from.expires_at,
            shut: from.suspended.then_some(Shut::Suspended),
        }
    }
}

/// As LiteLLM's keys have them: a list in the metadata, here with commas between.
fn tags(from: &config::Key) -> Vec<String> {
    let tags = from.metadata.get("tags").into_iter().flat_map(|tags| tags.split(',')).map(str::trim);
    tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn digest_of(hash: &KeyHash) -> Option<KeyDigest> {
    let (pairs, []) = hash.sha256.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let mut digest = [0; 32];
    for place in &mut digest {
        *place = bytes.next()??;
    }
    bytes.next().is_none().then_some(digest)
}

/// A digest as [`KeyHash::sha256`] has it.
pub(crate) fn hex(digest: &KeyDigest) -> String {
    let mut hex = String::with_capacity(2 * digest.len());
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    hex.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
    hex
}

#[cfg(test)]
mod tests {
    use config::ObjectName;
    use sha2::{Digest, Sha256};

    use super::*;

    fn key(name: &str, hashes: Vec<KeyHash>) -> config::Key {
        config::Key {
            id: ObjectName { namespace: "ai".into(), name: name.into() },
            uid: "u".into(),
            hashes,
            display_name: None,
            team: None,
            user: None,
            models: config::Access::default(),
            expires_at: None,
            suspended: false,
            limits: config::KeyLimits::default(),
            budgets: Vec::new(),
            metadata: std::collections::BTreeMap::new(),
        }
    }

    fn verdict(keys: &Keys, presented: &[u8], now: u64) -> Option<Result<(), Shut>> {
        keys.find(&Sha256::digest(presented).into()).map(|held| held.verdict(now))
    }

    #[test]
    fn an_old_key_opens_until_the_overlap_is_over_and_the_new_one_at_once() {
        let hashes = vec![KeyHash { until: Some(100), ..KeyHash::of(b"sk-old") }, KeyHash::of(b"sk-new")];
        let keys = Keys::compile(&[key("a", hashes)]).unwrap();
        assert_eq!(verdict(&keys, b"sk-old", 99), Some(Ok(())));
        assert_eq!(verdict(&keys, b"sk-old", 100), Some(Err(Shut::Replaced)));
        assert_eq!(verdict(&keys, b"sk-new", 100), Some(Ok(())));
        assert_eq!(verdict(&keys, b"sk-other", 100), None);
    }

    #[test]
    fn the_end_of_a_key_goes_before_all_else() {
        let mut one = key("a", vec![KeyHash { until: Some(50), ..KeyHash::of(b"sk-1") }]);
        (one.expires_at, one.suspended) = (Some(100), true);
        let keys = Keys::compile(&[one]).unwrap();
        assert_eq!(verdict(&keys, b"sk-1", 49), Some(Err(Shut::Suspended)));
        assert_eq!(verdict(&keys, b"sk-1", 50), Some(Err(Shut::Replaced)));
        assert_eq!(verdict(&keys, b"sk-1", 100), Some(Err(Shut::Expired)));
    }

    #[test]
    fn what_is_no_digest_or_two_keys_at_once_is_refused() {
        for sha256 in ["", "00", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
            let hash = KeyHash { sha256: sha256.into(), until: None };
            assert!(matches!(Keys::compile(&[key("a", vec![hash])]), Err(CompileError::KeyHash { .. })));
        }
        let same = || vec![KeyHash::of(b"sk-1")];
        let twice = Keys::compile(&[key("a", same()), key("b", same())]).unwrap_err();
        assert!(twice.to_string().contains("ai/b"), "{twice}");
    }

    #[test]
    fn a_digest_is_written_as_it_is_read() {
        let hash = KeyHash::of(b"sk-1");
        assert_eq!(hex(&digest_of(&hash).unwrap()), hash.sha256);
        assert_eq!(hex(&[0x0f; 32]), "0f".repeat(32));
    }
}

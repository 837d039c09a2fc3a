//! Virtual keys, as rendered: who may call, for what, and until when. A key is known by its digest only.
//! Which keys are worth having is in `master_key.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ObjectName;

/// One VirtualKey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The VirtualKey. State that outlives a reload is keyed by `id` and `uid` together.
    pub id: ObjectName,
    /// Tells an object from its successor of the same name. Empty outside a cluster.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// What opens the gateway, sorted; several while a rotation overlaps. No two keys of a config share one.
    pub hashes: Vec<KeyHash>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whose team's it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What it may ask.
    #[serde(default, skip_serializing_if = "Access::is_default")]
    pub models: Access,
    /// Refused from then on. Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// Refused until further notice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// How much at a time.
    #[serde(default, skip_serializing_if = "KeyLimits::is_default")]
    pub limits: KeyLimits,
    /// The budgets that it counts in, sorted, besides those that name it as their target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<ObjectName>,
    /// What its owner wrote on it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// What a caller's key is compared with. No key follows from it: those made here have 256 random bits, and others
/// are refused if they are short.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyHash {
    /// SHA-256 of the whole `sk-...` in lower-case hex, as LiteLLM keeps keys too.
    pub sha256: String,
    /// Refused from then on: the old one of a rotation. Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

/// Which models may be asked. In patterns, `*` stands for any text. A model is meant by its name and by its aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Sorted patterns; empty is every model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Sorted patterns; they go before `allow`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

/// How much at a time. None is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLimits {
    /// Requests begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Tokens sent and made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Requests under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u64>,
}

/// Which keys count for the limits that the database has for their user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserBudgets {
    /// All.
    #[default]
    AllKeys,
    /// Those without a team.
    PersonalKeys,
}

impl KeyHash {
    /// The digest of a key that has no end of its own. White space around the key does not count.
    #[must_use]
    pub fn of(material: &[u8]) -> Self {
        let digest = Sha256::digest(material.trim_ascii());
        Self { sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(), until: None }
    }

    /// Whether it is a digest as a config has them.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.sha256.len() == 64 && self.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }
}

impl Access {
    /// Every model.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl KeyLimits {
    /// No limit.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_whole_key_in_lower_case_hex() {
        // By `printf sk-1234 | sha256sum`; LiteLLM has the same for the same key.
        let known = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b";
        assert_eq!(KeyHash::of(b"sk-1234\n"), KeyHash { sha256: known.into(), until: None });
    }

    #[test]
    fn a_plain_key_is_short_in_the_config() {
        let id = ObjectName { namespace: "team-a".into(), name: "ci-bot".into() };
        let key = Key {
            id,
            uid: "2b1f4f0e-6c1e-4e35-8e8a-0a8f8a2f6f6e".into(),
            hashes: vec![KeyHash::of(b"sk-1")],
            display_name: None,
            team: None,
            user: None,
            models: Access::default(),
            expires_at: None,
            suspended: false,
            limits: KeyLimits::default(),
            budgets: Vec::new(),
            metadata: BTreeMap::new(),
        };
        let text = serde_json::to_string(&key).unwrap();
        assert!(text.len() < 200, "10,000 of these must fit 16 ConfigMaps twice: {text}");
        assert_eq!(serde_json::from_str::<Key>(&text).unwrap(), key);
    }
}

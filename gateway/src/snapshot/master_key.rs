//! The key that may do everything: kept as a digest, compared in constant time, and refused if weak.

use config::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A master key that is good enough to serve with. Holds its digest only.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

/// Why a key is not worth having. One in ten LiteLLM instances on the internet was found to have a
/// blank or a well-known key, so these are no warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakKey {
    /// Nothing but white space.
    #[error("it is empty; {ADVICE}")]
    Empty,
    /// Fewer than [`MIN_BYTES`] bytes.
    #[error("it is shorter than {MIN_BYTES} characters; {ADVICE}")]
    Short,
    /// Out of a manual or a first guess.
    #[error("it is a well-known one; {ADVICE}")]
    WellKnown,
    /// No header can carry it.
    #[error("it has a space or a character that is no visible ASCII; {ADVICE}")]
    NotVisible,
}

/// The shortest key that is taken.
const MIN_BYTES: usize = 8;

const ADVICE: &str = "make one with: echo \"sk-$(openssl rand -hex 32)\"";

/// Compared in lower case, without `sk-` and with letters and digits only.
const WELL_KNOWN: [&str; 36] = [
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "0123456789",
    "abcdefgh",
    "admin",
    "admin123",
    "adminadmin",
    "administrator",
    "apikey",
    "changeit",
    "changeme",
    "changethis",
    "default",
    "example",
    "fairlead",
    "litellm",
    "litellmmasterkey",
    "master",
    "masterkey",
    "mykey",
    "mymasterkey",
    "mysecretkey",
    "password",
    "password123",
    "placeholder",
    "qwertyuiop",
    "secret",
    "secretkey",
    "test",
    "testkey",
    "yourmasterkey",
];

impl MasterKey {
    /// Takes a key; white space around it is not part of it, since `echo` adds a line feed.
    ///
    /// # Errors
    /// [`WeakKey`], which never shows the key.
    pub fn new(material: &Secret) -> Result<Self, WeakKey> {
        let key = material.expose().trim_ascii();
        if key.is_empty() {
            return Err(WeakKey::Empty);
        }
        if !key.iter().all(u8::is_ascii_graphic) {
            return Err(WeakKey::NotVisible);
        }
        if is_well_known(key) {
            return Err(WeakKey::WellKnown);
        }
        if key.len() < MIN_BYTES {
            return Err(WeakKey::Short);
        }
        Ok(Self(digest(key)))
    }

    /// Whether `presented` is this key. Takes the same time for every wrong one.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        self.0.ct_eq(&digest(presented)).into()
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

fn is_well_known(key: &[u8]) -> bool {
    let lower = key.to_ascii_lowercase();
    let bare = lower.strip_prefix(b"sk-").unwrap_or(&lower);
    let letters: Vec<u8> = bare.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    let first = letters.first();
    let is_monotone = letters.iter().all(|letter| Some(letter) == first);
    is_monotone || WELL_KNOWN.iter().any(|known| known.as_bytes() == letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(key: &str) -> Option<WeakKey> {
        MasterKey::new(&Secret::new(key.into())).err()
    }

    #[test]
    fn well_known_keys_are_refused_in_every_dress() {
        for key in [
            "sk-1234",
            "changeme",
            "CHANGE-ME",
            "admin",
            "password",
            "master",
            "test",
            "sk-master-key",
            "sk-...",
            "sk-test",
            "xxxxxxxxxxxx",
            "sk-xxxxxxxxxxxxxxxx",
            "sk-1234\n",
            "12345678",
        ] {
            assert_eq!(judge(key), Some(WeakKey::WellKnown), "{key}");
        }
    }

    #[test]
    fn empty_short_and_unsendable_keys_are_refused() {
        assert_eq!(judge(" \n"), Some(WeakKey::Empty));
        assert_eq!(judge("k7#pQ"), Some(WeakKey::Short));
        assert_eq!(judge("two words of it"), Some(WeakKey::NotVisible));
        assert_eq!(judge("schlüssel-über-alles"), Some(WeakKey::NotVisible));
    }

    #[test]
    fn a_line_feed_is_not_part_of_the_key() {
        let key = MasterKey::new(&Secret::new(b"sk-9f2c77aa01\n".to_vec())).expect("strong");
        assert!(key.matches(b"sk-9f2c77aa01"));
        assert!(!key.matches(b"sk-9f2c77aa02"));
        assert!(!key.matches(b""));
    }
}

//! The key that may do everything: kept as a digest, compared in constant time, and refused if weak.

use config::{Secret, WeakKey};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A master key that is good enough to serve with. Holds its digest only.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// Takes a key; white space around it is not part of it, since `echo` adds a line feed.
    ///
    /// # Errors
    /// [`WeakKey`], which never shows the key.
    pub fn new(material: &Secret) -> Result<Self, WeakKey> {
        let key = material.expose().trim_ascii();
        if let Some(weak) = WeakKey::judge(key) {
            return Err(weak);
        }
        Ok(Self(digest(key)))
    }

    /// Whether a key of this digest is this key. Takes the same time for every wrong one.
    #[must_use]
    pub fn matches(&self, digest: &[u8; 32]) -> bool {
        self.0.ct_eq(digest).into()
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// What a key is known by.
pub(crate) fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_key_is_refused() {
        assert_eq!(MasterKey::new(&Secret::new(b"sk-1234".to_vec())).err(), Some(WeakKey::WellKnown));
    }

    #[test]
    fn a_line_feed_is_not_part_of_the_key() {
        let key = MasterKey::new(&Secret::new(b"sk-9f2c77aa01\n".to_vec())).expect("strong");
        assert!(key.matches(&digest(b"sk-9f2c77aa01")));
        assert!(!key.matches(&digest(b"sk-9f2c77aa02")));
        assert!(!key.matches(&digest(b"")));
    }
}

//! A secret's material: wiped when dropped, and never printed.

use std::fmt;

use zeroize::Zeroizing;

/// Bytes that no log, error or `Debug` may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the material as it is: nothing is trimmed.
    #[must_use]
    pub fn new(material: Vec<u8>) -> Self {
        Self(Zeroizing::new(material))
    }

    /// The material. Call it where it is used, and keep no copy.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

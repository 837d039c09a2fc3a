//! Which keys are no protection. Of master keys, the renderer and the gateway ask the same question.

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
    /// Not what keys of this API look like, so probably not one.
    #[error("it does not begin with sk-; {ADVICE}")]
    Prefix,
    /// Few enough characters that it could be found by its digest, which stands in ConfigMaps.
    #[error("it is shorter than {MIN_VIRTUAL_BYTES} characters; {ADVICE}")]
    ShortVirtual,
}

/// The shortest master key that is taken.
const MIN_BYTES: usize = 8;

/// The shortest virtual key that is taken. LiteLLM makes keys of 25 characters.
const MIN_VIRTUAL_BYTES: usize = 20;

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

impl WeakKey {
    /// Judges a master key. White space around it does not count: people make Secrets with `echo`.
    #[must_use]
    pub fn judge(key: &[u8]) -> Option<Self> {
        let key = key.trim_ascii();
        if key.is_empty() {
            return Some(Self::Empty);
        }
        if !key.iter().all(u8::is_ascii_graphic) {
            return Some(Self::NotVisible);
        }
        if is_well_known(key) {
            return Some(Self::WellKnown);
        }
        (key.len() < MIN_BYTES).then_some(Self::Short)
    }

    /// Judges a virtual key, which gateways know by its digest.
    #[must_use]
    pub fn judge_virtual(key: &[u8]) -> Option<Self> {
        let key = key.trim_ascii();
        match Self::judge(key) {
            Some(Self::Short) | None if !key.starts_with(b"sk-") => Some(Self::Prefix),
            Some(Self::Short) | None if key.len() < MIN_VIRTUAL_BYTES => Some(Self::ShortVirtual),
            judged => judged,
        }
    }
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
            assert_eq!(WeakKey::judge(key.as_bytes()), Some(WeakKey::WellKnown), "{key}");
        }
    }

    #[test]
    fn empty_short_and_unsendable_keys_are_refused() {
        assert_eq!(WeakKey::judge(b" \n"), Some(WeakKey::Empty));
        assert_eq!(WeakKey::judge(b"k7#pQ"), Some(WeakKey::Short));
        assert_eq!(WeakKey::judge(b"two words of it"), Some(WeakKey::NotVisible));
        assert_eq!(WeakKey::judge("schlüssel-über-alles".as_bytes()), Some(WeakKey::NotVisible));
        assert_eq!(WeakKey::judge(b"sk-Zk3vQ0pB7nXw5LrT\n"), None);
    }

    #[test]
    fn virtual_keys_must_be_long_and_look_like_one() {
        assert_eq!(WeakKey::judge_virtual(b"sk-0123456789abcdef"), Some(WeakKey::ShortVirtual));
        assert_eq!(WeakKey::judge_virtual(b"sk-1"), Some(WeakKey::WellKnown));
        assert_eq!(WeakKey::judge_virtual(b"ghp_0123456789abcdefghij"), Some(WeakKey::Prefix));
        assert_eq!(WeakKey::judge_virtual(b" \n"), Some(WeakKey::Empty));
        assert_eq!(WeakKey::judge_virtual(b"sk-aaaaaaaaaaaaaaaaaaaaaaaa"), Some(WeakKey::WellKnown));
        // As LiteLLM makes them: `sk-` and `secrets.token_urlsafe(16)`.
        assert_eq!(WeakKey::judge_virtual(b"sk-Zk3vQ0pB7nXw5LrT9-_a1Q\n"), None);
    }
}

//! Which master keys are no protection. The renderer and the gateway ask the same question.

/// Keys from documentation, examples and habit. One in ten exposed LiteLLM instances had a blank or a
/// default key (Wiz Research, 2025), and these are what scanners try first.
const WELL_KNOWN: [&str; 14] = [
    "sk-1234",
    "sk-12345",
    "sk-123456",
    "sk-12345678",
    "sk-1234567890",
    "sk-master-key",
    "sk-test",
    "changeme",
    "change-me",
    "password",
    "master-key",
    "masterkey",
    "secret",
    "admin",
];

/// Below this, a key can be guessed.
const SHORTEST: usize = 16;

/// Why `key` must not protect a gateway, or `None` if it may. Surrounding white space does not count:
/// people make Secrets with `echo`.
#[must_use]
pub fn weak_master_key(key: &[u8]) -> Option<&'static str> {
    let key = key.trim_ascii();
    if key.is_empty() {
        return Some("is empty");
    }
    if WELL_KNOWN.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(key)) {
        return Some("is well known");
    }
    if key.len() < SHORTEST {
        return Some("is shorter than 16 characters");
    }
    if !key.iter().all(u8::is_ascii_graphic) {
        return Some("has characters that do not fit a header");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_protect_nothing_are_named() {
        assert_eq!(weak_master_key(b""), Some("is empty"));
        assert_eq!(weak_master_key(b" \n"), Some("is empty"));
        assert_eq!(weak_master_key(b"SK-1234\n"), Some("is well known"));
        assert_eq!(weak_master_key(b"sk-abc"), Some("is shorter than 16 characters"));
        assert!(weak_master_key("sk-ümlaut-0123456789".as_bytes()).is_some());
        assert_eq!(weak_master_key(b"sk-Zk3vQ0pB7nXw5LrT\n"), None);
    }
}

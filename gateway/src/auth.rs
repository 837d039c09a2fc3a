//! Who calls. The master key is the only caller yet.

use std::borrow::Cow;

use reqwest::header::{AUTHORIZATION, HeaderMap};

use crate::pipeline::Fault;
use crate::snapshot::Snapshot;

/// LiteLLM's header; it goes before all others, so that a client can keep `Authorization` for another purpose.
const LITELLM_HEADER: &str = "x-litellm-api-key";

/// Where clients put their key if not into `Authorization`: Azure's, Anthropic's and Google's header.
const BARE_HEADERS: [&str; 3] = ["api-key", "x-api-key", "x-goog-api-key"];

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// What it keeps is kept under this name.
    pub(crate) id: Cow<'static, str>,
}

/// Lets the master key pass.
///
/// # Errors
/// [`Fault::KeyMissing`], [`Fault::KeyMalformed`], [`Fault::KeyWrong`].
pub(crate) fn identify(now: &Snapshot, headers: &HeaderMap) -> Result<Caller, Fault> {
    let key = presented(headers)?;
    if now.master_key.matches(key) {
        Ok(Caller { id: Cow::Borrowed("master") })
    } else {
        Err(Fault::KeyWrong)
    }
}

fn presented(headers: &HeaderMap) -> Result<&[u8], Fault> {
    if let Some(value) = headers.get(LITELLM_HEADER) {
        // LiteLLM takes it with and without the scheme.
        return Ok(bearer(value.as_bytes()).unwrap_or_else(|| value.as_bytes().trim_ascii()));
    }
    if let Some(value) = headers.get(AUTHORIZATION) {
        return bearer(value.as_bytes()).ok_or(Fault::KeyMalformed);
    }
    let bare = BARE_HEADERS.iter().find_map(|name| headers.get(*name)).ok_or(Fault::KeyMissing)?;
    Ok(bare.as_bytes().trim_ascii())
}

/// The scheme's case does not matter (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = value.split_at_checked(b"bearer ".len())?;
    let key = key.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_with_a_key_is_well_formed() {
        assert_eq!(bearer(b"Bearer sk-1"), Some(&b"sk-1"[..]));
        assert_eq!(bearer(b"bearer  sk-1 "), Some(&b"sk-1"[..]));
        assert_eq!(bearer(b"Bearer "), None);
        assert_eq!(bearer(b"Basic sk-1"), None);
        assert_eq!(bearer(b"sk-1"), None);
    }
}

//! Who calls: the holder of the master key, or of a virtual key of the snapshot, or else of the store. Costs one digest and
//! two looks into memory; only a key of the store that was not used of late is asked for there (`auth/accounts.rs`).

mod accounts;
mod flights;
mod follow;
mod inherit;
mod memory;
mod period;

pub use accounts::Accounts;
pub(crate) use inherit::Patron;

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap};

use crate::pipeline::Fault;
use crate::snapshot::{self, Access, Held, Key, KeyDigest, Model, Snapshot};
use accounts::Known;

/// LiteLLM's header; it goes before all others, so that a client can keep `Authorization` for another purpose.
const LITELLM_HEADER: &str = "x-litellm-api-key";

/// Where clients put their key if not into `Authorization`: Azure's, Anthropic's and Google's header.
const BARE_HEADERS: [&str; 3] = ["api-key", "x-api-key", "x-goog-api-key"];

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// May do everything.
    Master,
    /// May do what is written for it. By which of its digests it was found.
    Key(Arc<Key>, KeyDigest),
}

impl Caller {
    /// For logs: `master`, or namespace and name of the VirtualKey.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Master => "master",
            Self::Key(key, _) => &key.label,
        }
    }

    /// The virtual key, if it is one.
    pub(crate) fn key(&self) -> Option<&Key> {
        match self {
            Self::Master => None,
            Self::Key(key, _) => Some(key),
        }
    }

    /// SHA-256 of the virtual key that was sent, in lower-case hex.
    pub(crate) fn key_hash(&self) -> Option<String> {
        match self {
            Self::Master => None,
            Self::Key(_, digest) => Some(snapshot::hex(digest)),
        }
    }

    /// Whether it may ask `model`.
    pub(crate) fn may_ask(&self, model: &Model) -> bool {
        match self {
            Self::Master => true,
            Self::Key(key, _) => key.access.allows(model),
        }
    }

    /// What it may ask; `None` is everything.
    pub(crate) fn access(&self) -> Option<&Access> {
        self.key().map(|key| &key.access)
    }

    /// Lets it ask `model`, which it called `name`.
    ///
    /// # Errors
    /// [`Fault::ModelDenied`].
    pub(crate) fn asks(&self, model: &Model, name: &str) -> Result<(), Fault> {
        match self {
            Self::Key(key, _) => key.access.barrier(model).map_or(Ok(()), |whose| {
                Err(Fault::ModelDenied { key: key.called.clone(), model: name.to_owned(), whose })
            }),
            Self::Master => Ok(()),
        }
    }

    /// Lets it call `path`.
    ///
    /// # Errors
    /// [`Fault::RouteDenied`].
    pub(crate) fn calls(&self, path: &str) -> Result<(), Fault> {
        match self {
            Self::Key(key, _) if !key.routes.allow(path) => {
                Err(Fault::RouteDenied { key: key.called.clone(), path: path.to_owned() })
            }
            Self::Key(..) | Self::Master => Ok(()),
        }
    }

    /// Lets pass whoever holds the master key.
    ///
    /// # Errors
    /// [`Fault::MasterOnly`].
    pub(crate) fn must_be_master(&self) -> Result<(), Fault> {
        match self {
            Self::Master => Ok(()),
            Self::Key(key, _) => Err(Fault::MasterOnly { key: key.called.clone() }),
        }
    }
}

/// Who sends `headers`, at the Unix second `at`.
///
/// # Errors
/// [`Fault::KeyMissing`], [`Fault::KeyMalformed`], [`Fault::KeyWrong`], [`Fault::KeyShut`], [`Fault::KeysAway`].
pub(crate) async fn identify(
    accounts: Option<&Accounts>,
    now: &Snapshot,
    headers: &HeaderMap,
    at: u64,
) -> Result<Caller, Fault> {
    let presented = presented(headers)?;
    let digest = snapshot::digest(presented);
    if now.master_key.matches(&digest) {
        return Ok(Caller::Master);
    }
    if let Some(held) = now.keys.find(&digest) {
        return opened(held, digest, at);
    }
    // All keys of the store begin so.
    let accounts = accounts.filter(|_| presented.starts_with(b"sk-")).ok_or(Fault::KeyWrong)?;
    opened(&stored(accounts, digest, at).await?, digest, at)
}

async fn stored(accounts: &Accounts, digest: KeyDigest, at: u64) -> Result<Held, Fault> {
    match accounts.known(&digest, at) {
        Known::Held(held) => Ok(held),
        Known::Nobodys => Err(Fault::KeyWrong),
        Known::Unknown => {
            let asked = Box::pin(accounts.ask(digest, at)).await;
            asked.map_err(|_| Fault::KeysAway)?.ok_or(Fault::KeyWrong)
        }
    }
}

fn opened(held: &Held, digest: KeyDigest, at: u64) -> Result<Caller, Fault> {
    match held.verdict(at) {
        Ok(()) => Ok(Caller::Key(Arc::clone(&held.key), digest)),
        Err(shut) => Err(Fault::KeyShut { key: held.key.called.clone(), shut }),
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

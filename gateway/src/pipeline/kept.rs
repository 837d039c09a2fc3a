//! Responses that the gateway keeps itself, for providers that keep none: they are written before the client sees the
//! end of its answer, so that its next request finds them. A store that fails spoils no answer: the response then says
//! `store: false`. `thread.rs` goes on from them, `errand.rs` hands them out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::response::{Outline, Own, Stamp, input_items, own_id};
use store::{Store, StoreError, StoredResponse};
use tokio::time::timeout;

use super::{Ask, Fault, Gateway, NoResponse, Reply, ReplyBody, Wanted, Why};
use crate::auth::Caller;
use crate::observe::metrics::{Keeping, Metrics};

/// As long as OpenAI does: platform.openai.com/docs/guides/your-data, read 2026-11-21.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// Of input and answer together, no more is kept.
const KEPT_BYTES: usize = 16 << 20;

/// A client that has its answer waits no longer for the store.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is forgotten in one step: locks stay short.
const SWEPT_AT_ONCE: u32 = 500;

/// What is to be kept of an answer that has begun.
#[derive(Debug)]
pub(crate) struct Keep {
    store: Store,
    metrics: Arc<Metrics>,
    own: Own,
    /// All but the answer.
    response: StoredResponse,
}

/// What a response says of itself, should no provider keep it: also that nobody does, to a client that counts on it.
/// `previous` is the one that it goes on from. `None` where there is nothing to say.
pub(super) fn own(gateway: &Gateway, ask: &Ask, previous: Option<&str>, seed: &str) -> Option<Own> {
    let is_kept = ask.wants_kept() && gateway.store.is_some() && has_room(gateway, ask);
    let previous = previous.map(str::to_owned);
    (ask.wants_kept() || previous.is_some()).then(|| Own { id: own_id(seed), previous, is_kept })
}

fn has_room(gateway: &Gateway, ask: &Ask) -> bool {
    let has_room = ask.input_bytes() <= KEPT_BYTES;
    if !has_room {
        gateway.metrics.keeps(Keeping::TooLarge);
    }
    has_room
}

/// The reply to `ask`, kept if it is whole, and else to be kept at its end.
pub(super) async fn keep(gateway: &Gateway, caller: &Caller, ask: &Ask, own: Own, reply: Reply) -> Reply {
    let Some(keep) = Keep::of(gateway, caller, ask, own) else { return reply };
    let body = match reply.body {
        ReplyBody::Whole { body, usage } => ReplyBody::Whole { body: keep.whole(body).await, usage },
        ReplyBody::Stream { pieces, passage, .. } => {
            ReplyBody::Stream { pieces, passage, keep: Some(Box::new(keep)) }
        }
    };
    Reply { body, ..reply }
}

impl Keep {
    fn of(gateway: &Gateway, caller: &Caller, ask: &Ask, own: Own) -> Option<Self> {
        let store = gateway.store.clone().filter(|_| own.is_kept)?;
        let created_us = gateway.now_us();
        let response = StoredResponse {
            id: own.id.clone(),
            caller: caller.label().to_owned(),
            model: ask.model.clone(),
            created_us,
            expires_us: created_us.saturating_add(i64::try_from(KEPT_FOR.as_micros()).unwrap_or(i64::MAX)),
            input: input_items(&ask.body, ask.envelope.as_ref()?).ok()?,
            answer: String::new(),
        };
        Some(Self { store, metrics: Arc::clone(&gateway.metrics), own, response })
    }

    async fn whole(mut self, body: Bytes) -> Bytes {
        let unkept = Stamp::Own(Own { is_kept: false, ..self.own.clone() });
        if self.write(&body).await { body } else { unkept.object(&body) }
    }

    /// Keeps `answer`, a response object. Says whether it is kept: if not, the client must be told.
    pub(crate) async fn write(&mut self, answer: &[u8]) -> bool {
        let Some(text) = std::str::from_utf8(answer).ok().filter(|text| is_ended(text)) else { return false };
        if self.response.input.len() + text.len() > KEPT_BYTES {
            self.metrics.keeps(Keeping::TooLarge);
            return false;
        }
        text.clone_into(&mut self.response.answer);
        let reason = match timeout(PATIENCE, self.store.response_insert(&self.response)).await {
            Ok(Ok(())) => {
                self.metrics.keeps(Keeping::Kept);
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it did not answer in time".to_owned(),
        };
        tracing::error!(reason, response = self.response.id, "a response could not be kept");
        self.metrics.keeps(Keeping::Failed);
        false
    }
}

/// A failed one has nothing to go on from.
fn is_ended(answer: &str) -> bool {
    Outline::read(answer).is_some_and(|outline| outline.is_ended())
}

/// The kept response `id` of `caller`.
///
/// # Errors
/// [`Fault::NoResponse`], [`Fault::StoreAway`].
pub(super) async fn find(
    gateway: &Gateway,
    caller: &Caller,
    id: &str,
    wanted: Wanted,
) -> Result<StoredResponse, Fault> {
    let none = |why| Fault::NoResponse(NoResponse { id: id.to_owned(), wanted, why });
    let Some(store) = &gateway.store else { return Err(none(Why::NoStore)) };
    let found = answered(store.response_get(id, caller.label(), gateway.now_us())).await?;
    found.ok_or_else(|| none(Why::Unknown))
}

/// Forgets the kept response `id` of `caller`. Says whether there was one.
///
/// # Errors
/// [`Fault::StoreAway`].
pub(super) async fn forget(gateway: &Gateway, caller: &Caller, id: &str) -> Result<bool, Fault> {
    let Some(store) = &gateway.store else { return Ok(false) };
    answered(store.response_delete(id, caller.label())).await
}

async fn answered<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, Fault> {
    match timeout(PATIENCE, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            tracing::error!(%error, "kept responses cannot be had");
            Err(Fault::StoreAway)
        }
        Err(_) => {
            tracing::error!("kept responses cannot be had: the database did not answer in time");
            Err(Fault::StoreAway)
        }
    }
}

impl Gateway {
    /// Microseconds since 1970.
    pub(super) fn now_us(&self) -> i64 {
        i64::try_from((self.clock)().saturating_mul(1_000_000)).unwrap_or(i64::MAX)
    }

    /// Forgets the kept responses that have expired, and says how many they were.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn sweep_responses(&self) -> Result<u64, StoreError> {
        let Some(store) = &self.store else { return Ok(0) };
        let mut all = 0;
        loop {
            let gone = store.response_delete_expired(self.now_us(), SWEPT_AT_ONCE).await?;
            all += gone;
            if gone < u64::from(SWEPT_AT_ONCE) {
                return Ok(all);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDED: &[u8] = br#"{"status":"completed","output":[]}"#;

    async fn keep(input: String) -> (tempfile::TempDir, Keep) {
        let folder = tempfile::tempdir().expect("a folder");
        let own = Own { id: own_id("0"), previous: None, is_kept: true };
        let response = StoredResponse {
            id: own.id.clone(),
            caller: "master".into(),
            model: "m".into(),
            created_us: 1,
            expires_us: 2,
            input,
            answer: String::new(),
        };
        let store = Store::open(folder.path()).await.expect("a store");
        (folder, Keep { store, metrics: Arc::default(), own, response })
    }

    #[tokio::test]
    async fn what_is_too_large_or_has_not_ended_well_is_not_kept_and_says_so() {
        let (_folder, mut fits) = keep(" ".repeat(KEPT_BYTES - ENDED.len())).await;
        assert!(!fits.write(br#"{"status":"failed","output":[]}"#).await, "nothing to go on from");
        assert!(!fits.write(b"\xff").await, "no text");
        assert!(fits.write(ENDED).await);
        let (_folder, mut large) = keep(" ".repeat(KEPT_BYTES - ENDED.len() + 1)).await;
        let metrics = Arc::clone(&large.metrics);
        assert!(!large.write(ENDED).await);
        assert_eq!(large.store.response_get(&own_id("0"), "master", 0).await.expect("an answer"), None);
        let told = large.whole(Bytes::from_static(ENDED)).await;
        assert!(String::from_utf8_lossy(&told).contains(r#""store":false"#), "{told:?}");
        let counted = metrics.render();
        assert!(counted.contains(r#"responses_kept_total{outcome="too_large"} 2"#), "{counted}");
    }
}

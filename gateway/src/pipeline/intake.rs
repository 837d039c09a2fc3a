//! Reads a request's body, and never holds more of it than is allowed.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use reqwest::header::{CONTENT_LENGTH, HeaderMap};

use super::Fault;

/// A client that sends nothing for this long is not going to.
const PATIENCE: Duration = Duration::from_secs(60);

/// The whole `body`, at most `limit` bytes.
///
/// # Errors
/// [`Fault::BodyTooLarge`], before reading where the client declares its length; [`Fault::BodyCut`].
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: u64) -> Result<Bytes, Fault> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Fault::BodyTooLarge(limit));
    }
    let mut chunks = body.into_data_stream();
    let mut body = BytesMut::new();
    loop {
        let next = tokio::time::timeout(PATIENCE, chunks.next()).await.map_err(|_| Fault::BodyCut)?;
        let Some(chunk) = next else { return Ok(body.freeze()) };
        let chunk = chunk.map_err(|_| Fault::BodyCut)?;
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(Fault::BodyTooLarge(limit));
        }
        if body.is_empty() {
            // Reserve what was declared, but trust no client with more than it has begun to send.
            body.reserve(declared.map_or(chunk.len(), |length| length.min(1 << 20) as usize));
        }
        body.extend_from_slice(&chunk);
    }
}

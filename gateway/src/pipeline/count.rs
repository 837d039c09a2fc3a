//! Answers how many tokens a request has, by an estimate made here: no provider is asked.

use std::sync::Arc;

use bytes::Bytes;
use protocol::count;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::{Ask, Fault, Gateway, Reply, ReplyBody};

/// The count, in the client's language.
///
/// # Errors
/// [`Fault::Undecodable`].
pub(super) async fn reply(gateway: &Gateway, mut ask: Ask) -> Result<Reply, Fault> {
    let request = Arc::new(std::mem::take(ask.hub()?));
    let tokens = gateway.tokenizer.count(request).await;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let body = ReplyBody::Whole { body: Bytes::from(count::answer(ask.dialect, tokens)), usage: None };
    Ok(Reply { is_estimate: true, ..Reply::new(headers, body) })
}

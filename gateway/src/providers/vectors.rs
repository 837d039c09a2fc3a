//! Asks for vectors, which may take several calls: a provider has a limit on how many texts it takes in one.

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use protocol::embeddings::Exchange;
use protocol::exchange::Judged;
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::refusal::garbled;
use super::{read, send};
use crate::pipeline::{Reply, UpstreamFault};
use crate::snapshot::Deployment;

/// So many calls of one request run at a time: it shall not use up a provider's limit before others have a turn.
const AT_ONCE: usize = 4;

/// Reading so much is a matter of a millisecond or two.
const SHORT_BYTES: usize = 1 << 20;

/// Sends `requests` and puts their answers together, in this order. They have the time of one, and if one of them
/// fails, all do: half of the vectors are of no use.
pub(super) async fn send(
    requests: Vec<RequestBuilder>,
    deployment: &Deployment,
    exchange: Exchange,
    mut losses: Vec<String>,
) -> Result<Reply, UpstreamFault> {
    let deadline = Instant::now() + deployment.timeouts.request;
    let is_relay = exchange.is_relay();
    let calls = requests.into_iter().enumerate().map(|(at, request)| async move {
        one(request, deadline, is_relay).await.map(|answer| (at, answer))
    });
    // In any order, so that the first that fails ends the others.
    let mut answers: Vec<_> = stream::iter(calls).buffer_unordered(AT_ONCE).try_collect().await?;
    answers.sort_by_key(|(at, _)| *at);
    let (mut all_headers, bodies): (Vec<HeaderMap>, Vec<Bytes>) =
        answers.into_iter().map(|(_, answer)| answer).unzip();
    // The last one knows best what is left.
    let mut headers = all_headers.pop().unwrap_or_default();
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    // If one of them is an error under 200, it is for the client to read only where there was one call.
    let shown = bodies.first().cloned().unwrap_or_default();
    let body = read::judged(judged(exchange, bodies).await?, shown, &headers, &mut losses)?;
    Ok(Reply { deployment: Some(deployment.label.clone()), losses, ..Reply::new(headers, body) })
}

/// Long answers are taken apart beside the async threads: some have millions of numbers.
async fn judged(exchange: Exchange, bodies: Vec<Bytes>) -> Result<Judged, UpstreamFault> {
    if bodies.iter().map(Bytes::len).sum::<usize>() <= SHORT_BYTES {
        return Ok(exchange.judge(bodies));
    }
    let judged = tokio::task::spawn_blocking(move || exchange.judge(bodies)).await;
    judged.map_err(|_| garbled("sent an answer that could not be read"))
}

async fn one(
    request: RequestBuilder,
    deadline: Instant,
    is_relay: bool,
) -> Result<(HeaderMap, Bytes), UpstreamFault> {
    let (mut response, headers) = send::begun(request, deadline, deadline, is_relay).await?;
    Ok((headers, read::whole(&mut response, deadline).await?))
}

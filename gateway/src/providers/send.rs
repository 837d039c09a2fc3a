//! One call of a provider.

use protocol::exchange::Exchange;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::time::{Instant, timeout_at};

use super::refusal::{Sides, for_client, late, lost, refusal, tell_delay};
use super::stream::Bounds;
use super::{read, stream};
use crate::egress::Call;
use crate::pipeline::{Reply, ReplyBody, Terms, UpstreamFault};
use crate::snapshot::Deployment;

/// What is known of a conversation before it is sent.
pub(super) struct Talk {
    pub(super) exchange: Exchange,
    pub(super) stream: bool,
    /// The fields that the translation could not carry.
    pub(super) losses: Vec<String>,
}

/// Sends `call` and reads the answer as far as `providers::call` promises.
pub(super) async fn send(
    call: Call,
    deployment: &Deployment,
    talk: Talk,
    terms: Terms,
) -> Result<Reply, UpstreamFault> {
    let (now, timeouts) = (Instant::now(), deployment.timeouts);
    let whole = now + timeouts.request;
    // What is not a stream comes when all of it is thought out, so it may take its whole time to begin.
    let first_byte = if talk.stream { now + timeouts.first_byte } else { whole };
    let sides = Sides { client: talk.exchange.client, provider: talk.exchange.provider };
    let waits = Waits { first_byte, whole };
    let (mut response, mut headers) = begun(call, waits, sides, (terms.clock)()).await?;
    let mut losses = talk.losses;
    let body = if talk.stream {
        let bounds = Bounds { event_bytes: terms.limits.stream_event_bytes, idle: timeouts.stream_idle };
        let opened = stream::open(response, bounds, talk.exchange.provider);
        let pieces = timeout_at(first_byte, opened).await.map_err(|_| late("its first event"))??;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        ReplyBody::Stream { pieces, passage: Box::new(talk.exchange.passage()), keep: None }
    } else {
        let body = read::whole(&mut response, whole, terms.limits.answer_bytes).await?;
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        read::judged(talk.exchange.judge(body.clone()), body, &headers, &mut losses)?
    };
    Ok(Reply { deployment: Some(deployment.label.clone()), losses, ..Reply::new(headers, body) })
}

/// How long to wait for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// Until it begins.
    pub(super) first_byte: Instant,
    /// Until all of it is there.
    pub(super) whole: Instant,
}

/// Sends `call` and waits for an answer that is no error, whose headers for the client come with it. `now` is in
/// seconds since 1970.
pub(super) async fn begun(
    call: Call,
    waits: Waits,
    sides: Sides,
    now: u64,
) -> Result<(Response, HeaderMap), UpstreamFault> {
    let mut response = timeout_at(waits.first_byte, call.send())
        .await
        .map_err(|_| late("its first byte"))?
        .map_err(|e| lost(&e))?;
    let mut headers = for_client(response.headers(), sides, now);
    if !response.status().is_success() {
        let (status, body) = (response.status().as_u16(), read::error(&mut response, waits.whole).await);
        tell_delay(&mut headers, sides, &body);
        return Err(refusal(status, headers, body));
    }
    Ok((response, headers))
}

//! Connections to providers, and how an answer is read: with a limit, in time, and only if it is one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::answer::{self, Answer};
use protocol::fault::{self, FaultClass, Reading};
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, redirect};
use tokio::time::{Instant, timeout_at};

use super::stream;
use crate::pipeline::{Reply, ReplyBody, UpstreamAnswer, UpstreamFault};
use crate::snapshot::Deployment;

/// A longer answer is refused.
const ANSWER_BYTES: usize = 64 << 20;

/// Of an error body, no more than this is read.
const ERROR_BYTES: usize = 1 << 20;

/// Pools of connections, one for each connect timeout, since a client has but one. They outlive reloads.
#[derive(Debug, Default)]
pub(crate) struct Clients(Mutex<HashMap<Duration, Client>>);

impl Clients {
    /// The pool for this connect timeout.
    pub(super) fn get(&self, connect: Duration) -> Result<Client, UpstreamFault> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&connect) {
            return Ok(client.clone());
        }
        let client = build(connect).map_err(|error| {
            tracing::error!(%error, "no connection pool could be made");
            UpstreamFault::new(FaultClass::Unreachable, "the gateway could not set up TLS")
        })?;
        clients.insert(connect, client.clone());
        Ok(client)
    }
}

/// A redirect would carry the prompt to a place that nobody configured, so none is followed.
fn build(connect: Duration) -> reqwest::Result<Client> {
    // Another provider may be in place already, and either will do.
    rustls::crypto::ring::default_provider().install_default().ok();
    let builder = || {
        Client::builder()
            .connect_timeout(connect)
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(60))
    };
    builder().build().or_else(|error| {
        // An image without CA certificates can still reach plain HTTP upstreams.
        tracing::warn!(%error, "no CA certificates were found: https upstreams will not be trusted");
        builder().tls_certs_only([]).build()
    })
}

/// Sends `request` and reads the answer as far as `providers::call` promises.
pub(super) async fn send(
    request: RequestBuilder,
    deployment: &Deployment,
    is_stream: bool,
) -> Result<Reply, UpstreamFault> {
    let (now, timeouts) = (Instant::now(), deployment.timeouts);
    let whole = now + timeouts.request;
    // What is not a stream comes when all of it is thought out, so it may take its whole time to begin.
    let first_byte = if is_stream { now + timeouts.first_byte } else { whole };
    let mut response = timeout_at(first_byte, request.send())
        .await
        .map_err(|_| late("its first byte"))?
        .map_err(|e| lost(&e))?;
    let headers = for_client(response.headers());
    if !response.status().is_success() {
        let (status, body) = (response.status().as_u16(), read_error(&mut response, whole).await);
        return Err(refusal(status, headers, body));
    }
    let body = if is_stream {
        let head = timeout_at(first_byte, stream::open(response, timeouts.stream_idle)).await;
        ReplyBody::Stream(head.map_err(|_| late("its first event"))??)
    } else {
        judge(read(&mut response, whole).await?, &headers)?
    };
    Ok(Reply { headers, body, deployment: deployment.label.clone() })
}

/// The whole body of a buffered answer.
async fn read(response: &mut Response, deadline: Instant) -> Result<Bytes, UpstreamFault> {
    let mut body = BytesMut::new();
    loop {
        let next = timeout_at(deadline, response.chunk()).await.map_err(|_| late("its whole answer"))?;
        let Some(chunk) = next.map_err(|_| garbled("ended before the answer was complete"))? else {
            return Ok(body.freeze());
        };
        if body.len() + chunk.len() > ANSWER_BYTES {
            return Err(garbled("sent an answer of more than 64 MiB"));
        }
        body.extend_from_slice(&chunk);
    }
}

/// As much of an error body as there is; an error about reading an error helps nobody.
async fn read_error(response: &mut Response, deadline: Instant) -> Bytes {
    let mut body = BytesMut::new();
    while body.len() < ERROR_BYTES
        && let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await
    {
        body.extend_from_slice(&chunk);
    }
    body.freeze()
}

fn judge(body: Bytes, headers: &HeaderMap) -> Result<ReplyBody, UpstreamFault> {
    match answer::check(&body) {
        Answer::Sound { usage } => Ok(ReplyBody::Whole { body, usage }),
        Answer::Refusal(reading) => Err(refusal_under_200(reading, headers.clone(), body)),
        Answer::Garbage => Err(garbled("sent an answer that is not a JSON object")),
    }
}

/// The fault that an answer with an error status tells.
fn refusal(status: u16, headers: HeaderMap, body: Bytes) -> UpstreamFault {
    let reading = fault::read(status, &body);
    // A redirect is an error here, but no client could read it as one.
    let json = (reading.is_json && status >= 400).then_some(body);
    let message = reading.message.unwrap_or_else(|| format!("the provider answered with status {status}"));
    UpstreamFault {
        class: reading.class,
        message,
        answer: Some(Box::new(UpstreamAnswer { status: Some(status), headers, json })),
    }
}

/// The fault of an answer that says 200 and has an error in it.
pub(super) fn refusal_under_200(reading: Reading, headers: HeaderMap, body: Bytes) -> UpstreamFault {
    let message = reading.message.unwrap_or_else(|| "the provider answered with an error".to_owned());
    let json = reading.is_json.then_some(body);
    UpstreamFault {
        class: reading.class,
        message,
        answer: Some(Box::new(UpstreamAnswer { status: None, headers, json })),
    }
}

pub(super) fn late(what: &str) -> UpstreamFault {
    UpstreamFault::new(FaultClass::Timeout, format!("the provider did not send {what} in time"))
}

pub(super) fn garbled(what: &str) -> UpstreamFault {
    UpstreamFault::new(FaultClass::Garbled, format!("the provider {what}"))
}

/// reqwest's own text would show the URL, so none of it goes to the client.
fn lost(error: &reqwest::Error) -> UpstreamFault {
    tracing::debug!(is_connect = error.is_connect(), is_timeout = error.is_timeout(), "upstream lost");
    let message = match (error.is_connect(), error.is_timeout()) {
        (true, true) => "no connection to the provider in time",
        (true, false) => "no connection to the provider: it refused, its name is unknown, or TLS failed",
        (false, true) => return late("its first byte"),
        (false, false) => "the provider closed the connection before it answered",
    };
    UpstreamFault::new(FaultClass::Unreachable, message)
}

/// The headers of a provider that concern the client: what the body is, whether to come back, and how much
/// is left.
fn for_client(headers: &HeaderMap) -> HeaderMap {
    let concerns = |name: &HeaderName| {
        [CONTENT_TYPE, CACHE_CONTROL, RETRY_AFTER].contains(name)
            || name == "retry-after-ms"
            || name == "x-request-id"
            || name.as_str().starts_with("x-ratelimit-")
    };
    let kept = headers.iter().filter(|(name, _)| concerns(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

//! Connections to providers, and what is done with one call on them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use protocol::fault::FaultClass;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, RequestBuilder, redirect};
use tokio::time::{Instant, timeout_at};

use super::refusal::{for_client, late, lost, refusal};
use super::{read, stream};
use crate::pipeline::{Outgoing, Reply, ReplyBody, UpstreamFault};
use crate::snapshot::Deployment;

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
    outgoing: Outgoing,
) -> Result<Reply, UpstreamFault> {
    let (now, timeouts) = (Instant::now(), deployment.timeouts);
    let whole = now + timeouts.request;
    // What is not a stream comes when all of it is thought out, so it may take its whole time to begin.
    let first_byte = if outgoing.stream { now + timeouts.first_byte } else { whole };
    let mut response = timeout_at(first_byte, request.send())
        .await
        .map_err(|_| late("its first byte"))?
        .map_err(|e| lost(&e))?;
    let mut headers = for_client(response.headers(), &outgoing.exchange);
    if !response.status().is_success() {
        let (status, body) = (response.status().as_u16(), read::error(&mut response, whole).await);
        return Err(refusal(status, headers, body));
    }
    let mut losses = outgoing.losses;
    let body = if outgoing.stream {
        let opened = stream::open(response, timeouts.stream_idle, outgoing.exchange.provider);
        let pieces = timeout_at(first_byte, opened).await.map_err(|_| late("its first event"))??;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        ReplyBody::Stream { pieces, passage: outgoing.exchange.passage() }
    } else {
        let body = read::whole(&mut response, whole).await?;
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        read::judged(body, &headers, &outgoing.exchange, &mut losses)?
    };
    Ok(Reply { headers, body, deployment: Some(deployment.label.clone()), losses })
}

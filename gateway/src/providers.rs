//! What is said to providers, and where: `endpoint.rs` has each language's path and headers, `send.rs` makes one call,
//! `read.rs` reads answers, `stream.rs` streams, `refusal.rs` errors; `vectors.rs` sends what takes several calls,
//! `mock.rs` answers without a network.

mod endpoint;
mod mock;
mod read;
mod refusal;
mod send;
mod stream;
mod vectors;

pub(crate) use crate::egress::Clients;

use endpoint::{Endpoint, Place};
use protocol::exchange;
use protocol::fault::FaultClass;
use refusal::unprepared;
use reqwest::header::HeaderMap;
use send::Talk;
use vectors::Vectors;

use crate::pipeline::{Deed, Exchange, Outgoing, Reply, Terms, UpstreamFault};
use crate::snapshot::{Deployment, Upstream};

/// Asks `deployment`. Comes back with a whole answer, or with a stream whose first event has come: until
/// then the client has got nothing, and another deployment may be tried.
///
/// # Errors
/// [`UpstreamFault`].
pub(crate) async fn call(
    clients: &Clients,
    deployment: &Deployment,
    outgoing: Outgoing,
    terms: Terms,
) -> Result<Reply, UpstreamFault> {
    let Upstream::Http(api) = &deployment.upstream else {
        return mock::answer(deployment, &outgoing);
    };
    let line = clients.get(&api.way(deployment.timeouts.connect)).map_err(|error| unprepared(&error))?;
    let is_relay = outgoing.exchange.is_relay();
    let place = Place::of(&outgoing);
    let Outgoing { body, stream, headers, exchange, losses } = outgoing;
    let endpoint = Endpoint { line: &line, api, model: &deployment.upstream_model, place, headers };
    // Boxed, since they hold buffers and the pipeline moves them.
    let sent = match exchange {
        Exchange::Talk(exchange) => {
            let talk = Talk { exchange, stream, losses };
            Box::pin(send::send(endpoint.request(body), deployment, talk, terms)).await
        }
        Exchange::Vectors { exchange, more } => {
            let requests = std::iter::once(body).chain(more).map(|body| endpoint.request(body)).collect();
            Box::pin(vectors::send(requests, deployment, Vectors { exchange, losses }, terms)).await
        }
    };
    sent.map_err(|fault| if is_relay { fault } else { fault.retold() })
}

/// What to do at a provider with a response that it keeps.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) deed: Deed,
    /// The provider's own.
    pub(crate) id: String,
    pub(crate) query: Vec<(String, String)>,
    /// Whether the answer is one.
    pub(crate) stream: bool,
}

/// Makes `visit` to `deployment`, as [`call`] does. `exchange` says what becomes of the answer.
///
/// # Errors
/// [`UpstreamFault`].
pub(crate) async fn visit(
    clients: &Clients,
    deployment: &Deployment,
    visit: &Visit,
    exchange: exchange::Exchange,
    terms: Terms,
) -> Result<Reply, UpstreamFault> {
    let Upstream::Http(api) = &deployment.upstream else {
        return Err(UpstreamFault::new(FaultClass::NotFound, "the mock provider keeps no responses"));
    };
    let line = clients.get(&api.way(deployment.timeouts.connect)).map_err(|error| unprepared(&error))?;
    let (stream, headers) = (visit.stream, HeaderMap::new());
    let place = Place::Talk { dialect: exchange.provider, stream };
    let endpoint = Endpoint { line: &line, api, model: &deployment.upstream_model, place, headers };
    let talk = Talk { exchange, stream, losses: Vec::new() };
    Box::pin(send::send(endpoint.visit(visit), deployment, talk, terms)).await
}

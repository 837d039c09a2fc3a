//! Where and how to send, never what: `endpoint.rs` has each language's path and headers, `send.rs` the connections,
//! `read.rs` reads answers, `stream.rs` streams, `refusal.rs` errors; `mock.rs` answers without a network.

mod endpoint;
mod mock;
mod read;
mod refusal;
mod send;
mod stream;

pub(crate) use send::Clients;

use crate::pipeline::{Outgoing, Reply, UpstreamFault};
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
) -> Result<Reply, UpstreamFault> {
    let Upstream::Http(api) = &deployment.upstream else {
        return Ok(mock::answer(deployment, &outgoing));
    };
    let client = clients.get(deployment.timeouts.connect)?;
    let request = endpoint::request(&client, api, &deployment.upstream_model, &outgoing);
    let is_relay = outgoing.exchange.is_relay();
    // Boxed, since it holds buffers and the pipeline moves it.
    let sent = Box::pin(send::send(request, deployment, outgoing)).await;
    sent.map_err(|fault| if is_relay { fault } else { fault.retold() })
}

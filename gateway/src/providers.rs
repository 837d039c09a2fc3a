//! Where and how to send, never what: `openai.rs` builds requests, `send.rs` has the connections and reads
//! answers, `stream.rs` reads streams, `mock.rs` answers without a network.

mod mock;
mod openai;
mod send;
mod stream;

pub(crate) use send::Clients;

use crate::pipeline::{Ask, Reply, UpstreamFault};
use crate::snapshot::{Deployment, Upstream};

/// Asks `deployment`. Comes back with a whole answer, or with a stream whose first event has come: until
/// then the client has got nothing, and another deployment may be tried.
///
/// # Errors
/// [`UpstreamFault`].
pub(crate) async fn call(
    clients: &Clients,
    deployment: &Deployment,
    ask: &Ask,
) -> Result<Reply, UpstreamFault> {
    match &deployment.upstream {
        Upstream::Mock => Ok(mock::answer(deployment, ask)),
        Upstream::Http { base, headers } => {
            let client = clients.get(deployment.timeouts.connect)?;
            let request = openai::request(&client, base, headers, deployment, ask);
            // Boxed, since it holds buffers and the pipeline moves it.
            Box::pin(send::send(request, deployment, ask.envelope.stream)).await
        }
    }
}

//! What goes to one deployment: the client's bytes with the named fields spliced, or its request in another
//! language, if that language can carry it.

use bytes::Bytes;
use catalogue::Dialect;
use protocol::dialects::{self, Echo};
use protocol::exchange::Exchange;
use protocol::passage::UsageFrame;
use protocol::plan::Plan;
use protocol::splice;
use reqwest::header::HeaderMap;

use super::{Ask, Fault, Lossy};
use crate::snapshot::{Deployment, Upstream};

/// A request for one deployment, not sent yet.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) body: Bytes,
    pub(crate) stream: bool,
    /// Those of the client's headers that go along.
    pub(crate) headers: HeaderMap,
    pub(crate) exchange: Exchange,
    /// The fields that the translation could not carry.
    pub(crate) losses: Vec<String>,
}

impl Outgoing {
    /// What `deployment` gets of `ask`.
    ///
    /// # Errors
    /// [`Fault::Undecodable`] and [`Fault::Lossy`], where it must be translated and cannot be.
    pub(super) fn prepare(ask: &mut Ask, deployment: &Deployment, echo: Echo) -> Result<Self, Fault> {
        let plan = match &deployment.upstream {
            Upstream::Mock => Plan::Relay,
            Upstream::Http(api) => api.spoken.plan(ask.dialect),
        };
        match plan {
            Plan::Relay => Ok(Self::relayed(ask, deployment, echo)),
            Plan::Translate { to } => Self::translated(ask, deployment, to, echo),
        }
    }

    fn relayed(ask: &Ask, deployment: &Deployment, echo: Echo) -> Self {
        let (body, usage_frame) = spliced(ask, &deployment.upstream_model);
        let exchange = Exchange { client: ask.dialect, provider: ask.dialect, echo, usage_frame };
        let (stream, headers) = (ask.stream, ask.headers.clone());
        Self { body, stream, headers, exchange, losses: Vec::new() }
    }

    fn translated(ask: &mut Ask, deployment: &Deployment, to: Dialect, echo: Echo) -> Result<Self, Fault> {
        let stream = ask.stream;
        let request = ask.hub()?;
        request.model.clone_from(&deployment.upstream_model);
        request.stream = stream;
        // So that it is always known. Whether the client is told is in `echo`.
        request.stream_usage = true;
        let mut encoded = dialects::encode_request(to, request);
        if ask.headers.contains_key("anthropic-beta") {
            encoded.losses.hint("anthropic-beta", "only Anthropic has these betas");
        }
        if let Some(loss) = encoded.losses.refused(deployment.on_loss) {
            let (deployment, loss) = (deployment.label.clone(), loss.clone());
            return Err(Fault::Lossy(Lossy { deployment, dialect: to, loss }));
        }
        let exchange = Exchange { client: ask.dialect, provider: to, echo, usage_frame: UsageFrame::Passed };
        let losses = encoded.losses.all().iter().map(|loss| loss.field.clone()).collect();
        Ok(Self { body: encoded.body.into(), stream, headers: HeaderMap::new(), exchange, losses })
    }
}

/// The client's body for `model`. Streams of chunks are asked for their usage if the client did not care.
fn spliced(ask: &Ask, model: &str) -> (Bytes, UsageFrame) {
    let Some(envelope) = &ask.envelope else { return (ask.body.clone(), UsageFrame::Passed) };
    let is_chunks = matches!(ask.dialect, Dialect::OpenaiChat | Dialect::OpenaiCompletions);
    if is_chunks && ask.stream && !envelope.has_stream_options {
        return (splice::with_model_and_usage(&ask.body, envelope, model), UsageFrame::Withheld);
    }
    (splice::with_model(&ask.body, envelope, model), UsageFrame::Passed)
}

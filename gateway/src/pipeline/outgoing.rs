//! What goes to one deployment: the client's bytes with the named fields spliced, or its request in another
//! language, if that language can carry it.

use bytes::Bytes;
use catalogue::Dialect;
use protocol::dialects::{self, Echo};
use protocol::loss::Losses;
use protocol::passage::UsageFrame;
use protocol::plan::Plan;
use protocol::{embeddings, exchange, splice};
use reqwest::header::HeaderMap;

use super::{Ask, Fault, Lossy, Task, embed};
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

/// The two sides of a call, and what becomes of the answer between them.
#[derive(Debug)]
pub(crate) enum Exchange {
    /// A conversation.
    Talk(exchange::Exchange),
    /// Texts that become vectors.
    Vectors {
        exchange: embeddings::Exchange,
        /// The bodies of further calls, where the provider does not take all texts in one.
        more: Vec<Bytes>,
    },
}

impl Exchange {
    /// Whether both sides speak the same language.
    pub(crate) fn is_relay(&self) -> bool {
        match self {
            Self::Talk(exchange) => exchange.is_relay(),
            Self::Vectors { exchange, .. } => exchange.is_relay(),
        }
    }
}

impl Outgoing {
    /// What `deployment` gets of `ask`.
    ///
    /// # Errors
    /// [`Fault::Undecodable`] and [`Fault::Lossy`], where it must be translated and cannot be.
    pub(super) fn prepare(ask: &mut Ask, deployment: &Deployment, echo: Echo) -> Result<Self, Fault> {
        if let Task::Embed(form) = ask.task {
            return embed::prepare(ask, form, deployment);
        }
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
        let exchange = exchange::Exchange { client: ask.dialect, provider: ask.dialect, echo, usage_frame };
        let (stream, headers) = (ask.stream, ask.headers.clone());
        Self { body, stream, headers, exchange: Exchange::Talk(exchange), losses: Vec::new() }
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
        let losses = accepted(&encoded.losses, deployment, to.name())?;
        let usage_frame = UsageFrame::Passed;
        let exchange = exchange::Exchange { client: ask.dialect, provider: to, echo, usage_frame };
        let (exchange, headers) = (Exchange::Talk(exchange), HeaderMap::new());
        Ok(Self { body: encoded.body.into(), stream, headers, exchange, losses })
    }
}

/// The names of what a translation to `language` could not carry.
///
/// # Errors
/// [`Fault::Lossy`], where `deployment` does not accept one of them.
pub(super) fn accepted(
    losses: &Losses,
    deployment: &Deployment,
    language: &'static str,
) -> Result<Vec<String>, Fault> {
    if let Some(loss) = losses.refused(deployment.on_loss) {
        let (deployment, loss) = (deployment.label.clone(), loss.clone());
        return Err(Fault::Lossy(Lossy { deployment, language, loss }));
    }
    Ok(losses.all().iter().map(|loss| loss.field.clone()).collect())
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

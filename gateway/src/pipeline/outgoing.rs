//! What goes to one deployment: the client's bytes with the named fields spliced, or its request in another
//! language, if that language can carry it. What the deployment leaves out or adds is changed here too.

use std::sync::Arc;

use bytes::Bytes;
use catalogue::{Dialect, Setting};
use protocol::amend::Amendment;
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
        let outgoing = match ask.task {
            Task::Embed(form) => embed::prepare(ask, form, deployment)?,
            Task::Answer | Task::Count => Self::talk(ask, deployment, echo)?,
        };
        Ok(match &deployment.amendment {
            Some(amendment) => outgoing.amended(amendment),
            None => outgoing,
        })
    }

    fn talk(ask: &mut Ask, deployment: &Deployment, echo: Echo) -> Result<Self, Fault> {
        let plan = match &deployment.upstream {
            Upstream::Mock => Plan::Relay,
            Upstream::Http(api) => api.spoken.plan(ask.dialect),
        };
        match plan {
            Plan::Relay => Ok(Self::relayed(ask, deployment, echo)),
            Plan::Translate { to } => Self::translated(ask, deployment, to, echo),
        }
    }

    fn amended(mut self, amendment: &Amendment) -> Self {
        self.body = amendment.amend(self.body);
        if let Exchange::Vectors { more, .. } = &mut self.exchange {
            for body in more {
                *body = amendment.amend(std::mem::take(body));
            }
        }
        self
    }

    fn relayed(ask: &Ask, deployment: &Deployment, echo: Echo) -> Self {
        let (body, usage_frame) = spliced(ask, deployment);
        let exchange = exchange::Exchange { client: ask.dialect, provider: ask.dialect, echo, usage_frame };
        let (stream, headers) = (ask.stream, ask.headers.clone());
        Self { body, stream, headers, exchange: Exchange::Talk(exchange), losses: Vec::new() }
    }

    fn translated(ask: &mut Ask, deployment: &Deployment, to: Dialect, echo: Echo) -> Result<Self, Fault> {
        let stream = ask.stream;
        // What the operator leaves out is no loss, so it goes before losses are judged.
        let amendment = deployment.amendment.as_ref();
        let mut own;
        let request = match amendment.and_then(|amendment| amendment.without_dropped(&ask.body)) {
            Some(body) => {
                own = ask.hub_of(&body)?;
                &mut own
            }
            None => ask.hub()?,
        };
        request.model.clone_from(&deployment.upstream_model);
        request.quirks = Arc::clone(&deployment.quirks);
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

/// The client's body for the model of `deployment`. Streams of chunks are asked for their usage if the client did not
/// care, but for those of providers that tell it unasked and refuse the question.
fn spliced(ask: &Ask, deployment: &Deployment) -> (Bytes, UsageFrame) {
    let model = &deployment.upstream_model;
    let Some(envelope) = &ask.envelope else { return (ask.body.clone(), UsageFrame::Passed) };
    let is_chunks = matches!(ask.dialect, Dialect::OpenaiChat | Dialect::OpenaiCompletions);
    let may_ask = !deployment.quirks.refuse(Setting::StreamOptions, false);
    if is_chunks && ask.stream && !envelope.has_stream_options && may_ask {
        return (splice::with_model_and_usage(&ask.body, envelope, model), UsageFrame::Withheld);
    }
    (splice::with_model(&ask.body, envelope, model), UsageFrame::Passed)
}

//! What goes to one deployment: the client's bytes with the named fields spliced, or its request in another
//! language, if that language can carry it. What the deployment leaves out or adds is changed here too.

use std::sync::Arc;

use bytes::Bytes;
use catalogue::{Dialect, Setting};
use protocol::amend::Amendment;
use protocol::dialects::{self, Echo};
use protocol::hub::Request;
use protocol::json::{self, RawJson};
use protocol::loss::Losses;
use protocol::passage::UsageFrame;
use protocol::plan::Plan;
use protocol::response::{Own, Stamp};
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
    /// What `deployment` gets of `ask`. `own` is what the answer says of itself if its provider does not keep it.
    ///
    /// # Errors
    /// [`Fault::Undecodable`] and [`Fault::Lossy`], where it must be translated and cannot be; [`Fault::NoBackground`].
    pub(super) fn prepare(
        ask: &mut Ask,
        deployment: &Deployment,
        echo: Echo,
        own: Option<&Own>,
    ) -> Result<Self, Fault> {
        let outgoing = match ask.task {
            Task::Embed(form) => embed::prepare(ask, form, deployment)?,
            Task::Answer | Task::Count => Self::talk(ask, deployment, echo, own)?,
        };
        Ok(match &deployment.amendment {
            Some(amendment) => outgoing.amended(amendment),
            None => outgoing,
        })
    }

    fn talk(ask: &mut Ask, deployment: &Deployment, echo: Echo, own: Option<&Own>) -> Result<Self, Fault> {
        let plan = match &deployment.upstream {
            Upstream::Mock => Plan::Relay,
            Upstream::Http(api) => api.spoken.plan(ask.dialect),
        };
        let stamp = if ask.is_kept_by(deployment) {
            Some(Stamp::Placed(deployment.tag))
        } else if ask.keeping.background {
            return Err(Fault::NoBackground(deployment.label.clone()));
        } else {
            own.cloned().map(Stamp::Own)
        };
        match plan {
            Plan::Relay => Ok(Self::relayed(ask, deployment, echo, stamp)),
            Plan::Translate { to } => Self::translated(ask, deployment, to, (echo, stamp)),
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

    fn relayed(ask: &Ask, deployment: &Deployment, echo: Echo, stamp: Option<Stamp>) -> Self {
        let (body, usage_frame) = spliced(ask, deployment, is_kept(stamp.as_ref()));
        let losses = if is_store_lost(ask, stamp.as_ref()) { vec!["store".to_owned()] } else { Vec::new() };
        let (client, provider) = (ask.dialect, ask.dialect);
        let exchange = exchange::Exchange { client, provider, echo, usage_frame, stamp };
        let (stream, headers) = (ask.stream, ask.headers.clone());
        Self { body, stream, headers, exchange: Exchange::Talk(exchange), losses }
    }

    fn translated(
        ask: &mut Ask,
        deployment: &Deployment,
        to: Dialect,
        (echo, stamp): (Echo, Option<Stamp>),
    ) -> Result<Self, Fault> {
        let (stream, is_store_lost) = (ask.stream, is_store_lost(ask, stamp.as_ref()));
        let is_responses = ask.dialect == Dialect::OpenaiResponses;
        // What the operator leaves out is no loss, so it goes before losses are judged.
        let amendment = deployment.amendment.as_ref();
        let mut own;
        let request = match amendment.and_then(|amendment| amendment.without_dropped(ask.to_translate())) {
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
        if is_responses {
            without_keeping(request);
        }
        let mut encoded = dialects::encode_request(to, request);
        if is_store_lost {
            encoded.losses.hint("store", "the gateway cannot keep it");
        }
        if ask.headers.contains_key("anthropic-beta") {
            encoded.losses.hint("anthropic-beta", "only Anthropic has these betas");
        }
        let losses = accepted(&encoded.losses, deployment, to.name())?;
        let usage_frame = UsageFrame::Passed;
        let exchange = exchange::Exchange { client: ask.dialect, provider: to, echo, usage_frame, stamp };
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

fn is_kept(stamp: Option<&Stamp>) -> bool {
    matches!(stamp, Some(Stamp::Own(own)) if own.is_kept)
}

/// The client asks in so many words for what nobody does.
fn is_store_lost(ask: &Ask, stamp: Option<&Stamp>) -> bool {
    let is_placed = matches!(stamp, Some(Stamp::Placed(_)));
    ask.dialect == Dialect::OpenaiResponses
        && ask.keeping.store == Some(true)
        && !is_placed
        && !is_kept(stamp)
}

/// What is kept is not the provider's business in other languages; what says nothing is no loss.
fn without_keeping(request: &mut Request) {
    request.store = None;
    let says_nothing = |name: &str, raw: &RawJson| match name {
        "background" => raw.get() == "false" || raw.get() == "null",
        "previous_response_id" => raw.get() == "null",
        _ => false,
    };
    request.extras.fields.retain(|(name, raw)| !says_nothing(name, raw));
}

/// The client's body for `deployment`. Streams of chunks are asked for their usage if the client did not care, but for
/// those of providers that tell it unasked and refuse the question. What the gateway keeps, a provider shall not.
fn spliced(ask: &Ask, deployment: &Deployment, is_kept: bool) -> (Bytes, UsageFrame) {
    let is_keeper = ask.is_kept_by(deployment);
    let (body, Some(envelope)) = ask.text(is_keeper) else { return (ask.body.clone(), UsageFrame::Passed) };
    let model = deployment.upstream_model.as_str();
    let may_ask = !deployment.quirks.refuse(Setting::StreamOptions, false);
    match ask.dialect {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions
            if ask.stream && !envelope.has_stream_options && may_ask =>
        {
            (splice::with_model_and_usage(body, envelope, model), UsageFrame::Withheld)
        }
        Dialect::OpenaiResponses => {
            let mut edits = Vec::from_iter(splice::model_edit(envelope, model));
            let previous = ask.keeping.previous_there.as_deref().map(json::string);
            edits.extend(envelope.places.previous.clone().zip(previous));
            if is_kept && ask.keeping.store == Some(true) {
                edits.extend(envelope.places.store.clone().map(|place| (place, "false".to_owned())));
            }
            (splice::edited(body, edits), UsageFrame::Passed)
        }
        _ => (splice::with_model(body, envelope, model), UsageFrame::Passed),
    }
}

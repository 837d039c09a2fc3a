//! Requests for vectors: what one deployment gets of one, and how many tokens it had where no provider tells.

use std::sync::Arc;

use bytes::Bytes;
use catalogue::EmbeddingDialect;
use protocol::embeddings::{self, Form};
use protocol::splice;
use protocol::usage::Usage;
use reqwest::header::HeaderMap;

use super::outgoing::accepted;
use super::{Ask, CannotEmbed, Exchange, Fault, Gateway, Outgoing, Reply, ReplyBody};
use crate::snapshot::{Deployment, Upstream};

/// What `deployment` gets of `ask`, which is written in `form`.
///
/// # Errors
/// [`Fault::CannotEmbed`]; where it must be translated, also [`Fault::Undecodable`] and [`Fault::Lossy`].
pub(super) fn prepare(ask: &mut Ask, form: Form, deployment: &Deployment) -> Result<Outgoing, Fault> {
    match spoken(form, deployment) {
        None => Err(cannot_embed(ask, deployment)),
        Some(same) if same == form.dialect() => Ok(relayed(ask, form, deployment)),
        Some(other) => translated(ask, form, other, deployment),
    }
}

/// The language that `deployment` is asked in. The mock provider takes any.
fn spoken(form: Form, deployment: &Deployment) -> Option<EmbeddingDialect> {
    match &deployment.upstream {
        Upstream::Mock => Some(form.dialect()),
        Upstream::Http(api) => api.embeds,
    }
}

fn cannot_embed(ask: &Ask, deployment: &Deployment) -> Fault {
    let (model, deployment, provider) =
        (ask.model.clone(), deployment.label.clone(), deployment.provider.clone());
    Fault::CannotEmbed(CannotEmbed { model, deployment, provider })
}

fn relayed(ask: &Ask, form: Form, deployment: &Deployment) -> Outgoing {
    let model = &deployment.upstream_model;
    let body = match &ask.envelope {
        Some(envelope) => splice::with_model(&ask.body, envelope, model),
        None => embeddings::with_model(&ask.body, &ask.name_places, model),
    };
    let encoding = embeddings::Encoding::default();
    let exchange =
        embeddings::Exchange { client: form, provider: form, model: ask.model.clone(), encoding, inputs: 0 };
    outgoing(body, exchange, Vec::new(), Vec::new())
}

fn translated(
    ask: &mut Ask,
    form: Form,
    to: EmbeddingDialect,
    deployment: &Deployment,
) -> Result<Outgoing, Fault> {
    let model = ask.model.clone();
    // What the operator leaves out is no loss, so it goes before losses are judged.
    let amendment = deployment.amendment.as_ref();
    let mut own;
    let request = match amendment.and_then(|amendment| amendment.without_dropped(&ask.body)) {
        Some(body) => {
            own = embeddings::decode_request(form, &body).map_err(Fault::Undecodable)?;
            &mut own
        }
        None => ask.texts(form)?,
    };
    request.model.clone_from(&deployment.upstream_model);
    let encoded = embeddings::encode_request(to, request);
    let losses = accepted(&encoded.losses, deployment, to.name())?;
    let (encoding, inputs) = (request.encoding.unwrap_or_default(), request.inputs.len());
    let exchange = embeddings::Exchange { client: form, provider: Form::of(to), model, encoding, inputs };
    let mut bodies = encoded.bodies.into_iter().map(Bytes::from);
    let first = bodies.next().unwrap_or_default();
    Ok(outgoing(first, exchange, bodies.collect(), losses))
}

fn outgoing(body: Bytes, exchange: embeddings::Exchange, more: Vec<Bytes>, losses: Vec<String>) -> Outgoing {
    let exchange = Exchange::Vectors { exchange, more };
    Outgoing { body, stream: false, headers: HeaderMap::new(), exchange, losses }
}

/// The `reply` of `deployment`, with an estimate of its tokens if it has vectors and no provider told. What was
/// relayed keeps its bytes: there the estimate is for the record alone.
pub(super) async fn estimated(
    gateway: &Gateway,
    ask: &mut Ask,
    form: Form,
    deployment: &Deployment,
    mut reply: Reply,
) -> Reply {
    let ReplyBody::Whole { body, usage: usage @ None } = &mut reply.body else { return reply };
    // A provider may well take what cannot be understood here.
    let Some(request) = ask.take_texts(form) else { return reply };
    let tokens = gateway.tokenizer.count(Arc::new(request)).await;
    *usage = Some(Usage { fresh_input: tokens, ..Usage::default() });
    if spoken(form, deployment) != Some(form.dialect()) {
        *body = embeddings::tell_usage(form, std::mem::take(body), tokens);
    }
    reply.is_estimate = true;
    reply
}

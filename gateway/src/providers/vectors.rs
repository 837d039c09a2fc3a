//! Asks for vectors, which may take several calls: a provider has a limit on how many texts it takes in one.

use bytes::Bytes;
use catalogue::{Dialect, EmbeddingDialect};
use futures::stream::{self, StreamExt, TryStreamExt};
use protocol::embeddings::{Exchange, Form};
use protocol::exchange::Judged;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::time::Instant;

use super::refusal::{Sides, garbled, too_long};
use super::send::Waits;
use super::{read, send};
use crate::egress::Call;
use crate::pipeline::{Reply, Terms, UpstreamFault};
use crate::snapshot::Deployment;

/// So many calls of one request run at a time: it shall not use up a provider's limit before others have a turn.
const AT_ONCE: usize = 4;

/// Reading so much is a matter of a millisecond or two.
const SHORT_BYTES: usize = 1 << 20;

/// What is known of a request for vectors before it is sent.
pub(super) struct Vectors {
    pub(super) exchange: Exchange,
    /// The fields that the translation could not carry.
    pub(super) losses: Vec<String>,
}

/// An answer's place among the calls, its headers and its body.
type Numbered = (usize, (HeaderMap, Bytes));

/// Sends `calls` and puts their answers together, in this order. They have the time of one, and if one of them
/// fails, all do: half of the vectors are of no use. Together they may be as long as one.
pub(super) async fn send(
    calls: Vec<Call>,
    deployment: &Deployment,
    Vectors { exchange, mut losses }: Vectors,
    terms: Terms,
) -> Result<Reply, UpstreamFault> {
    let deadline = Instant::now() + deployment.timeouts.request;
    let sides = Sides { client: language(exchange.client), provider: language(exchange.provider) };
    let calls = calls
        .into_iter()
        .enumerate()
        .map(|(at, call)| async move { one(call, deadline, sides, terms).await.map(|answer| (at, answer)) });
    // In any order, so that the first that fails ends the others.
    let (answers, limit) = (stream::iter(calls).buffer_unordered(AT_ONCE), terms.limits.answer_bytes);
    let mut answers =
        answers.try_fold(Vec::new(), |all, next| async move { within(limit, all, next) }).await?;
    answers.sort_by_key(|(at, _)| *at);
    let (mut all_headers, bodies): (Vec<HeaderMap>, Vec<Bytes>) =
        answers.into_iter().map(|(_, answer)| answer).unzip();
    // The last one knows best what is left.
    let mut headers = all_headers.pop().unwrap_or_default();
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    // If one of them is an error under 200, it is for the client to read only where there was one call.
    let shown = bodies.first().cloned().unwrap_or_default();
    let body = read::judged(judged(exchange, bodies).await?, shown, &headers, &mut losses)?;
    Ok(Reply { deployment: Some(deployment.label.clone()), losses, ..Reply::new(headers, body) })
}

/// Long answers are taken apart beside the async threads: some have millions of numbers.
async fn judged(exchange: Exchange, bodies: Vec<Bytes>) -> Result<Judged, UpstreamFault> {
    if bodies.iter().map(Bytes::len).sum::<usize>() <= SHORT_BYTES {
        return Ok(exchange.judge(bodies));
    }
    let judged = tokio::task::spawn_blocking(move || exchange.judge(bodies)).await;
    judged.map_err(|_| garbled("sent an answer that could not be read"))
}

/// `all` answers and the `next`, if they are not too long together.
fn within(limit: usize, mut all: Vec<Numbered>, next: Numbered) -> Result<Vec<Numbered>, UpstreamFault> {
    all.push(next);
    let bytes: usize = all.iter().map(|(_, (_, body))| body.len()).sum();
    if bytes > limit { Err(too_long("answer", limit, "maxAnswerBytes")) } else { Ok(all) }
}

/// The language of conversations that has the same headers.
fn language(form: Form) -> Dialect {
    match form.dialect() {
        EmbeddingDialect::OpenaiEmbeddings => Dialect::OpenaiChat,
        EmbeddingDialect::GeminiEmbeddings => Dialect::Gemini,
    }
}

async fn one(
    call: Call,
    deadline: Instant,
    sides: Sides,
    terms: Terms,
) -> Result<(HeaderMap, Bytes), UpstreamFault> {
    let waits = Waits { first_byte: deadline, whole: deadline };
    let (mut response, headers) = send::begun(call, waits, sides, (terms.clock)()).await?;
    Ok((headers, read::whole(&mut response, deadline, terms.limits.answer_bytes).await?))
}

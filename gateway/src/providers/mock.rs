//! Answers made in the process, to try things out with no account, in each client's own language. The same for
//! every question: nothing of the request is repeated. `vectors.rs` makes vectors.

mod vectors;

use bytes::Bytes;
use catalogue::Dialect;
use catalogue::price::Tier;
use futures::stream::{self, StreamExt};
use protocol::dialects::{self, Echo};
use protocol::frames::sse::Splitter;
use protocol::hub::{Answer, At, Body, Event, Extras, Finish, Fold, Opening};
use protocol::usage::Usage;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::pipeline::{Exchange, Outgoing, Piece, Reply, ReplyBody, UpstreamFault};
use crate::snapshot::Deployment;

/// What it says, in the parts that a stream sends.
const WORDS: [&str; 6] = [
    "Hello from the mock provider",
    " of Fairlead: ",
    "this answer was made in the gateway, ",
    "no provider was called",
    " and nothing was spent",
    ".",
];

/// Made up, but the same every time, so that counting can be tested.
const USAGE: Usage = Usage {
    fresh_input: 9,
    cached_input: 0,
    cache_write: 0,
    cache_write_hour: 0,
    audio_input: 0,
    cached_audio: 0,
    image_input: 0,
    output: 24,
    reasoning: 0,
    audio_output: 0,
    image_output: 0,
    searches: 0,
    tier: Tier::Standard,
    billed_nano_dollars: None,
};

/// The day of the first release of OpenAI's chat API; a clock would make answers differ.
const CREATED: u64 = 1_677_628_800;

/// Of frames made here none is too long.
const FRAME_BYTES: usize = 1 << 20;

/// The answer that `outgoing` wants, whole or as a stream.
///
/// # Errors
/// [`UpstreamFault`], where vectors are wanted of what is no text.
pub(super) fn answer(deployment: &Deployment, outgoing: &Outgoing) -> Result<Reply, UpstreamFault> {
    let model = &deployment.upstream_model;
    let mut headers = HeaderMap::new();
    let (kind, body) = match &outgoing.exchange {
        Exchange::Vectors { exchange, .. } => {
            ("application/json", vectors::answer(exchange.client, model, &outgoing.body)?)
        }
        Exchange::Talk(exchange) if outgoing.stream => {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            let pieces = stream::iter(frames(exchange.client, model)).map(Piece::Frame).boxed();
            (
                "text/event-stream",
                ReplyBody::Stream { pieces, passage: Box::new(exchange.passage()), keep: None },
            )
        }
        Exchange::Talk(exchange) => {
            let body = exchange.stamped(whole(exchange.client, model));
            ("application/json", ReplyBody::Whole { body, usage: Some(USAGE) })
        }
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let losses = outgoing.losses.clone();
    Ok(Reply { deployment: Some(deployment.label.clone()), losses, ..Reply::new(headers, body) })
}

fn whole(dialect: Dialect, model: &str) -> Bytes {
    let mut fold = Fold::default();
    events(model).for_each(|event| fold.push(event));
    // There is no fault among them.
    let answer: Answer = fold.finish().unwrap_or_default();
    dialects::encode_answer(dialect, &answer, &echo(model)).body.into()
}

/// Its usage is always told: as of any provider, what the client did not ask for is kept from it later.
fn frames(dialect: Dialect, model: &str) -> Vec<Bytes> {
    let (mut encoder, mut text) = (dialects::stream_encoder(dialect, echo(model)), String::new());
    events(model).for_each(|event| encoder.push(&event, &mut text));
    encoder.end(&mut text);
    let mut splitter = Splitter::new(FRAME_BYTES);
    splitter.push(text.as_bytes());
    std::iter::from_fn(|| splitter.next_frame().ok().flatten()).collect()
}

fn echo(model: &str) -> Echo {
    Echo { model: model.to_owned(), id: "mock".to_owned(), created: CREATED, stream_usage: true }
}

fn events(model: &str) -> impl Iterator<Item = Event> {
    let at = At { candidate: 0, part: 0 };
    let (id, model, extras) = (String::new(), model.to_owned(), Extras::default());
    let text = Opening { body: Body::Text(String::new()), extras: Extras::default() };
    let head = [Event::Start { id, model, created: Some(CREATED), extras }, Event::Open(at, text)];
    let finish = Event::Finish { candidate: 0, finish: Finish::Stop, stop: None, extras: Extras::default() };
    let words = WORDS.into_iter().map(move |word| Event::Text(at, word.to_owned()));
    head.into_iter().chain(words).chain([Event::Close(at), finish, Event::Usage(USAGE)])
}

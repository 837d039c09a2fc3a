//! Reads a buffered answer: with a limit, in time, and only if it is one.

use bytes::{Bytes, BytesMut};
use protocol::exchange::Judged;
use reqwest::Response;
use reqwest::header::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::refusal::{garbled, late, refusal_under_200, too_long};
use crate::pipeline::{ReplyBody, UpstreamFault};

/// Of an error body, no more than this is read.
const ERROR_BYTES: usize = 1 << 20;

/// The whole body, at most `limit` bytes.
pub(super) async fn whole(
    response: &mut Response,
    deadline: Instant,
    limit: usize,
) -> Result<Bytes, UpstreamFault> {
    let mut body = BytesMut::new();
    loop {
        let next = timeout_at(deadline, response.chunk()).await.map_err(|_| late("its whole answer"))?;
        let Some(chunk) = next.map_err(|_| garbled("ended before the answer was complete"))? else {
            return Ok(body.freeze());
        };
        if body.len() + chunk.len() > limit {
            return Err(too_long("answer", limit, "maxAnswerBytes"));
        }
        body.extend_from_slice(&chunk);
    }
}

/// As much of an error body as there is; an error about reading an error helps nobody.
pub(super) async fn error(response: &mut Response, deadline: Instant) -> Bytes {
    let mut body = BytesMut::new();
    while body.len() < ERROR_BYTES
        && let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await
    {
        body.extend_from_slice(&chunk);
    }
    body.freeze()
}

/// The answer that `body`, of these `headers`, was judged to be. What the client's language cannot carry is added
/// to `losses`.
pub(super) fn judged(
    judged: Judged,
    body: Bytes,
    headers: &HeaderMap,
    losses: &mut Vec<String>,
) -> Result<ReplyBody, UpstreamFault> {
    match judged {
        Judged::Answer { body, usage, losses: more } => {
            losses.extend(more.all().iter().map(|loss| format!("answer.{}", loss.field)));
            Ok(ReplyBody::Whole { body, usage })
        }
        Judged::Refusal(reading) => Err(refusal_under_200(reading, headers.clone(), body)),
        Judged::Garbage => Err(garbled("sent an answer that is none in its own language")),
    }
}

//! Reads an upstream's event stream. It is not given out before its first event: what is no stream at all
//! must be found out while another deployment can still be tried.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use catalogue::Dialect;
use futures::stream::{self, StreamExt};
use protocol::fault;
use protocol::frames::sse::{self, FrameTooLong, Kind, Splitter};
use protocol::observe::Observer;
use reqwest::Response;
use serde::de::IgnoredAny;
use tokio::time::timeout;

use super::refusal::{garbled, late, refusal_under_200, too_long};
use crate::pipeline::{Piece, Pieces, UpstreamFault};

/// What a stream must keep to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Of one event. Images come in one.
    pub(super) event_bytes: usize,
    /// Between two chunks.
    pub(super) idle: Duration,
}

/// What is no stream may be an error in JSON; more of it than this is not read.
const FOREIGN_BYTES: usize = 1 << 20;

/// Waits for the first event (or comment: then the provider is alive) of `response`, a stream of `dialect`.
///
/// # Errors
/// What came was no event stream, or its first event was an error.
pub(super) async fn open(
    response: Response,
    bounds: Bounds,
    dialect: Dialect,
) -> Result<Pieces, UpstreamFault> {
    // The caller bounds the wait for the first event; `idle` begins with it.
    let splitter = Splitter::new(bounds.event_bytes);
    let waiting = Bounds { idle: Duration::MAX, ..bounds };
    let mut reader = Reader { response, splitter, bounds: waiting, is_over: false };
    let mut head = Vec::new();
    loop {
        match reader.next().await {
            Some(Piece::Frame(frame)) => {
                let kind = sse::kind(&frame);
                if kind == Kind::Foreign {
                    return Err(foreign(reader, frame).await);
                }
                refuse_error(dialect, &frame)?;
                head.push(Piece::Frame(frame));
                if kind != Kind::Blank {
                    break;
                }
            }
            // A stream of one event without its blank line is odd, but whole if it says so.
            Some(Piece::Tail(tail)) if sse::kind(&tail) == Kind::Event => {
                refuse_error(dialect, &tail)?;
                head.push(Piece::Tail(tail));
                break;
            }
            Some(Piece::Tail(tail)) => return Err(foreign(reader, tail).await),
            Some(Piece::Failed(fault)) => return Err(fault),
            None => return Err(garbled("ended the stream before its first event")),
        }
    }
    reader.bounds = bounds;
    let rest = stream::unfold(reader, |mut reader| async move { Some((reader.next().await?, reader)) });
    Ok(stream::iter(head).chain(rest).boxed())
}

/// An error as the first event, or one that is cut, is one that another deployment may not have.
fn refuse_error(dialect: Dialect, frame: &Bytes) -> Result<(), UpstreamFault> {
    let data = sse::data(frame).unwrap_or_default();
    if data.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(&data).is_err() {
        return Err(garbled("began the stream with an event that is no JSON"));
    }
    let mut observer = Observer::new(dialect);
    observer.frame(frame);
    let Some(reading) = observer.seen().error.clone() else { return Ok(()) };
    let json = sse::data(frame)
        .or_else(|| sse::field(frame, "error"))
        .map(|data| Bytes::copy_from_slice(&data))
        .unwrap_or_default();
    Err(refusal_under_200(reading, reqwest::header::HeaderMap::new(), json))
}

/// What an answer is that should be a stream and is none.
async fn foreign(mut reader: Reader, head: Bytes) -> UpstreamFault {
    let mut body = BytesMut::from(&*head);
    while body.len() < FOREIGN_BYTES
        && let Some(Piece::Frame(more) | Piece::Tail(more)) = reader.next().await
    {
        body.extend_from_slice(&more);
    }
    let reading = fault::read_stream_error(&body);
    if reading.is_json && reading.message.is_some() {
        return refusal_under_200(reading, reqwest::header::HeaderMap::new(), body.freeze());
    }
    garbled("was asked for an event stream and sent something else")
}

struct Reader {
    response: Response,
    splitter: Splitter,
    bounds: Bounds,
    is_over: bool,
}

impl Reader {
    /// The next piece; `None` at a clean end.
    async fn next(&mut self) -> Option<Piece> {
        while !self.is_over {
            match self.splitter.next_frame() {
                Ok(Some(frame)) => return Some(Piece::Frame(frame)),
                Ok(None) => {}
                Err(FrameTooLong { limit }) => {
                    return Some(self.fail(too_long("event", limit, "maxStreamEventBytes")));
                }
            }
            match timeout(self.bounds.idle, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => self.splitter.push(&chunk),
                Ok(Ok(None)) => {
                    self.is_over = true;
                    return self.leftover();
                }
                Ok(Err(_)) => return Some(self.fail(garbled("broke the stream off"))),
                Err(_) => return Some(self.fail(late("the next part of the stream"))),
            }
        }
        None
    }

    fn leftover(&mut self) -> Option<Piece> {
        let splitter = std::mem::replace(&mut self.splitter, Splitter::new(self.bounds.event_bytes));
        let rest = splitter.finish();
        if rest.is_empty() {
            return None;
        }
        // A stream with CR line ends may have its last blank line here.
        Some(Piece::Tail(rest))
    }

    fn fail(&mut self, fault: UpstreamFault) -> Piece {
        self.is_over = true;
        Piece::Failed(fault)
    }
}

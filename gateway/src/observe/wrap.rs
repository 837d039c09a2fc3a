//! Sends a stream to the client by way of its passage, and keeps the record of what it told.

use std::convert::Infallible;

use bytes::Bytes;
use futures::future::FutureExt;
use futures::stream::{self, Stream, StreamExt};
use protocol::count;
use protocol::fault::FaultClass;
use protocol::passage::{Ending, Passage};
use protocol::usage::Usage;

use super::record::Record;
use crate::pipeline::{Keep, Piece, Pieces, Question};

/// The client's view of `pieces`. `record` ends with the stream, or when it is dropped.
///
/// Where the stream tells no usage, `question` helps to estimate it.
pub(crate) fn wrap(
    pieces: Pieces,
    passage: Box<Passage>,
    keep: Option<Box<Keep>>,
    record: Record,
    question: Option<Question>,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let watch = Watch { pieces, passage, keep, record, question, is_over: false };
    stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        watch.record.sends(bytes.len());
        Some((Ok(bytes), watch))
    })
}

struct Watch {
    pieces: Pieces,
    passage: Box<Passage>,
    /// What is to be kept once the answer is whole.
    keep: Option<Box<Keep>>,
    record: Record,
    question: Option<Question>,
    is_over: bool,
}

/// Also when the client hangs up: what was generated until then is billed.
impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(question) = self.question.take().filter(|_| self.passage.seen().usage.is_none()) {
            let fresh_input = count::by_length(question.dialect, &question.body).unwrap_or_default();
            let output = self.passage.seen().heard.tokens();
            self.record.estimated(Usage { fresh_input, output, ..Usage::default() });
        }
    }
}

impl Watch {
    /// The next bytes for the client; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        while !self.is_over {
            let piece = self.pieces.next().await;
            self.take(piece);
            // What has come already goes out in one.
            while !self.is_over
                && self.passage.gathers()
                && let Some(piece) = self.pieces.next().now_or_never()
            {
                self.take(piece);
            }
            let bytes = self.passage.flush();
            if !bytes.is_empty() {
                return Some(self.kept(bytes).await);
            }
        }
        None
    }

    /// `bytes`, once what they end is kept: a client that has seen the end may go on from it at once.
    async fn kept(&mut self, bytes: Bytes) -> Bytes {
        let Some(answer) = self.passage.take_ended() else { return bytes };
        let Some(mut keep) = self.keep.take() else { return bytes };
        if keep.write(&answer).await { bytes } else { self.passage.unkept(bytes) }
    }

    fn take(&mut self, piece: Option<Piece>) {
        match piece {
            Some(Piece::Frame(frame)) => self.frame(frame),
            Some(Piece::Tail(tail)) => self.end(Ending::Clean(tail)),
            Some(Piece::Failed(fault)) => self.end(Ending::Broken(fault.class, fault.message)),
            None => self.end(Ending::Clean(Bytes::new())),
        }
    }

    fn frame(&mut self, frame: Bytes) {
        self.passage.frame(frame);
        let seen = self.passage.seen();
        self.record.used(seen.usage);
        if seen.done && seen.error.is_none() {
            // The client may hang up from here on: it has everything.
            self.record.answered();
        }
    }

    fn end(&mut self, ending: Ending) {
        self.is_over = true;
        let ended: Result<(), FaultClass> = self.passage.end(ending);
        self.record.used(self.passage.seen().usage);
        self.record.lost(self.passage.losses().len());
        match ended {
            Ok(()) => self.record.answered(),
            Err(class) => self.record.cut(class),
        }
    }
}

//! Sends a stream to the client by way of its passage, and keeps the record of what it told.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::FutureExt;
use futures::stream::{self, Stream, StreamExt};
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
    question: Option<Arc<Question>>,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let watch = Watch { pieces, passage, keep, record, question, is_noted: false, is_over: false };
    stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        Some((Ok(bytes), watch))
    })
}

struct Watch {
    pieces: Pieces,
    passage: Box<Passage>,
    /// What is to be kept once the answer is whole.
    keep: Option<Box<Keep>>,
    record: Record,
    question: Option<Arc<Question>>,
    /// That the answer is whole is in the spool.
    is_noted: bool,
    is_over: bool,
}

/// Also when the client hangs up: what was generated until then is billed.
impl Drop for Watch {
    fn drop(&mut self) {
        self.estimate();
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
                let bytes = self.kept(bytes).await;
                self.record.sends(bytes.len());
                self.account().await;
                return Some(bytes);
            }
        }
        self.account().await;
        None
    }

    /// Tells the spool what has been used, before the client has the end of it.
    async fn account(&mut self) {
        if self.is_over {
            self.estimate();
            if let Some(written) = self.record.settle() {
                written.wait().await;
            }
        } else if self.passage.seen().done && !self.is_noted {
            // Some providers have another word to say, and few clients wait for it.
            self.is_noted = true;
            let usage = self.usage();
            self.record.notes(usage).await;
        } else if self.record.is_old() {
            let usage = self.usage();
            self.record.mentions(usage);
        }
    }

    /// Where the stream has told no usage, an estimate is what is billed.
    fn estimate(&mut self) {
        if self.passage.seen().usage.is_none()
            && let Some(usage) = self.usage()
        {
            self.record.estimated(usage);
        }
    }

    /// What the stream has used so far, as told or about; `None` where there is nothing to say.
    fn usage(&mut self) -> Option<Usage> {
        let seen = self.passage.seen();
        if seen.usage.is_some() {
            return seen.usage;
        }
        let fresh_input = self.question.as_ref()?.by_length().unwrap_or_default();
        Some(Usage { fresh_input, output: seen.heard.tokens(), ..Usage::default() })
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

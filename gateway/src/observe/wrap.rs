//! Passes a stream on to the client while looking at it. An answer that broke off never looks complete:
//! it ends with an error event and without `[DONE]`.

use std::convert::Infallible;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use protocol::fault::{FaultClass, openai_error};
use protocol::observe::Observer;

use super::record::Record;
use crate::pipeline::{Piece, Pieces};

/// The client's view of `pieces`. `record` ends with the stream, or when it is dropped.
pub(crate) fn wrap(pieces: Pieces, record: Record) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let watch = Watch { pieces, record, observer: Observer::default(), is_over: false };
    stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        watch.record.sends(bytes.len());
        Some((Ok(bytes), watch))
    })
}

struct Watch {
    pieces: Pieces,
    record: Record,
    observer: Observer,
    is_over: bool,
}

impl Watch {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        match self.pieces.next().await {
            Some(Piece::Frame(frame)) => {
                self.look(&frame);
                Some(frame)
            }
            Some(Piece::Tail(tail)) => {
                self.look(&tail);
                self.is_over = true;
                // Half an event would spoil the error event that follows it.
                if self.observer.is_complete() { self.complete(Some(tail)) } else { self.ended() }
            }
            Some(Piece::Failed(fault)) => {
                self.is_over = true;
                let is_whole = self.observer.done;
                if is_whole { self.complete(None) } else { Some(self.cut(fault.class, &fault.message)) }
            }
            None => {
                self.is_over = true;
                self.ended()
            }
        }
    }

    fn look(&mut self, frame: &[u8]) {
        self.observer.frame(frame);
        self.record.used(self.observer.usage);
        if self.observer.done && self.observer.error.is_none() {
            // The client may hang up from here on: it has everything.
            self.record.answered();
        }
    }

    /// The stream has ended as streams should, if it has.
    fn ended(&mut self) -> Option<Bytes> {
        if let Some(error) = &self.observer.error {
            // Where the provider's own error event was passed on, a second would hide it.
            let (class, message) = (error.class, error.message.clone().unwrap_or_default());
            if self.observer.is_error_shown {
                self.record.cut(class);
                return None;
            }
            return Some(self.cut(class, &message));
        }
        if self.observer.is_complete() {
            return self.complete(None);
        }
        Some(self.cut(FaultClass::Garbled, "the provider's stream ended before the answer was complete"))
    }

    fn complete(&mut self, last: Option<Bytes>) -> Option<Bytes> {
        match &self.observer.error {
            Some(error) => self.record.cut(error.class),
            None => self.record.answered(),
        }
        last
    }

    fn cut(&mut self, class: FaultClass, message: &str) -> Bytes {
        self.record.cut(class);
        let code = if class == FaultClass::Timeout { "upstream_timeout" } else { "upstream_stream_cut" };
        format!("data: {}\n\n", openai_error(message, "upstream_error", None, code)).into()
    }
}

//! Frames are read to events, and the events told again in the client's language.

use bytes::Bytes;
use catalogue::Dialect;

use super::Ending;
use crate::dialects::{Echo, StreamDecoder, StreamEncoder, stream_decoder, stream_encoder};
use crate::fault::{self, FaultClass, Reading};
use crate::frames::sse;
use crate::hub::Event;
use crate::loss::Loss;
use crate::observe::{self, Seen};

pub(super) struct Translation {
    decoder: Box<dyn StreamDecoder>,
    encoder: Box<dyn StreamEncoder>,
    seen: Seen,
    events: Vec<Event>,
    out: String,
}

impl std::fmt::Debug for Translation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Translation").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Translation {
    pub(super) fn new(from: Dialect, to: Dialect, echo: Echo) -> Self {
        Self {
            decoder: stream_decoder(from),
            encoder: stream_encoder(to, echo),
            seen: Seen::default(),
            events: Vec::new(),
            out: String::new(),
        }
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    pub(super) fn losses(&self) -> &[Loss] {
        self.encoder.losses().all()
    }

    pub(super) fn pending(&self) -> usize {
        self.out.len()
    }

    pub(super) fn flush(&mut self) -> Bytes {
        std::mem::take(&mut self.out).into()
    }

    pub(super) fn frame(&mut self, frame: &[u8]) {
        observe::with_parts(frame, |frame| self.decoder.push(frame, &mut self.events));
        if let Some(body) = sse::field(frame, "error") {
            // llama.cpp's servers tell errors where the format tells clients not to look.
            self.events.push(Event::Fault(fault::read_stream_error(&body)));
        }
        self.tell();
    }

    pub(super) fn end(&mut self, ending: Ending) -> Result<(), FaultClass> {
        let broken = match ending {
            Ending::Clean(tail) => {
                self.frame(&tail);
                None
            }
            Ending::Broken(class, message) => Some(Reading { class, message: Some(message), is_json: false }),
        };
        if self.seen.error.is_none() {
            self.close(broken);
        }
        match &self.seen.error {
            Some(error) => Err(error.class),
            None => {
                self.encoder.end(&mut self.out);
                Ok(())
            }
        }
    }

    /// The decoder knows whether the answer is whole; why it is not, the connection may know better.
    fn close(&mut self, broken: Option<Reading>) {
        self.decoder.end(&mut self.events);
        for event in &mut self.events {
            if let (Event::Fault(reading), Some(broken)) = (event, &broken) {
                reading.clone_from(broken);
            }
        }
        self.tell();
    }

    /// Tells the client what has been read. After a fault it hears no more.
    fn tell(&mut self) {
        for event in self.events.drain(..) {
            if self.seen.error.is_some() {
                continue;
            }
            let event = without_secrets(event);
            self.seen.event(&event);
            self.encoder.push(&event, &mut self.out);
        }
        self.seen.is_error_shown = self.seen.error.is_some();
    }
}

/// What a provider says of our credential is not for the client: it may quote it.
fn without_secrets(event: Event) -> Event {
    match event {
        Event::Fault(reading) if reading.class == FaultClass::Authentication => {
            let message = "the provider refused the gateway's credential".to_owned();
            Event::Fault(Reading { message: Some(message), ..reading })
        }
        other => other,
    }
}

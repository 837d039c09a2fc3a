//! A stream on its way from provider to client: as it came, or told again in another language. `passage/relay.rs`
//! and `passage/translation.rs` are the two ways. An answer that broke off never looks complete: it ends with an
//! error event in the client's own language.

mod relay;
mod translation;

use bytes::Bytes;
use catalogue::Dialect;

use crate::dialects::Echo;
use crate::fault::FaultClass;
use crate::loss::Loss;
use crate::observe::Seen;
use crate::response::{Stamp, Stamper};

use relay::Relay;
use translation::Translation;

/// The way of one stream.
///
/// Give it each frame, take what is to be sent by [`Passage::flush`], and call [`Passage::end`] once.
#[derive(Debug)]
pub struct Passage {
    way: Way,
    stamper: Option<Stamper>,
}

#[derive(Debug)]
enum Way {
    Relay(Relay),
    Translation(Translation),
}

/// How a provider's stream ended.
#[derive(Debug)]
pub enum Ending {
    /// As streams should. The bytes lack their blank line; mostly there are none.
    Clean(Bytes),
    /// The connection broke, or nothing came in time.
    Broken(FaultClass, String),
}

/// What becomes of a provider's extra frame of usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageFrame {
    /// The client asked for it.
    Passed,
    /// The gateway asked for it.
    Withheld,
}

/// What came in one network chunk goes out in one, up to about this many bytes.
const GATHERED_BYTES: usize = 64 << 10;

impl Passage {
    /// Both sides speak `dialect`.
    #[must_use]
    pub fn relay(dialect: Dialect, echo: Echo, usage_frame: UsageFrame) -> Self {
        Self { way: Way::Relay(Relay::new(dialect, echo, usage_frame)), stamper: None }
    }

    /// The provider speaks `from`, the client `to`.
    #[must_use]
    pub fn translation(from: Dialect, to: Dialect, echo: Echo) -> Self {
        Self { way: Way::Translation(Translation::new(from, to, echo)), stamper: None }
    }

    /// The same way, with `stamp` written into the responses that pass.
    #[must_use]
    pub fn stamped(self, stamp: Stamp) -> Self {
        Self { stamper: Some(Stamper::new(stamp)), ..self }
    }

    /// Takes one frame, as the splitter gives it. Of a relay, flush after each.
    pub fn frame(&mut self, frame: Bytes) {
        match &mut self.way {
            Way::Relay(relay) => relay.frame(frame),
            Way::Translation(translation) => translation.frame(&frame),
        }
    }

    /// The stream is over.
    ///
    /// # Errors
    /// The answer is not whole. The client has been told.
    pub fn end(&mut self, ending: Ending) -> Result<(), FaultClass> {
        match &mut self.way {
            Way::Relay(relay) => relay.end(ending),
            Way::Translation(translation) => translation.end(ending),
        }
    }

    /// What is to be sent now. It may be nothing.
    pub fn flush(&mut self) -> Bytes {
        let frames = match &mut self.way {
            Way::Relay(relay) => relay.flush(),
            Way::Translation(translation) => translation.flush(),
        };
        match &mut self.stamper {
            Some(stamper) => stamper.frames(frames),
            None => frames,
        }
    }

    /// The response that what was flushed last has ended, stamped: keep it before these bytes are sent. Only of
    /// passages with a stamp, and once.
    pub fn take_ended(&mut self) -> Option<Bytes> {
        self.stamper.as_mut()?.take_ended()
    }

    /// `frames`, just flushed, for a response that could not be kept.
    pub fn unkept(&mut self, frames: Bytes) -> Bytes {
        match &mut self.stamper {
            Some(stamper) => stamper.unkept(frames),
            None => frames,
        }
    }

    /// Whether it would rather have more frames, if there are any yet, than be flushed.
    #[must_use]
    pub fn gathers(&self) -> bool {
        match &self.way {
            Way::Relay(_) => false,
            Way::Translation(translation) => translation.pending() < GATHERED_BYTES,
        }
    }

    /// What of the answer so far the client could not be told. A relay loses nothing.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        match &self.way {
            Way::Relay(_) => &[],
            Way::Translation(translation) => translation.losses(),
        }
    }

    /// What the stream has told.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        match &self.way {
            Way::Relay(relay) => relay.seen(),
            Way::Translation(translation) => translation.seen(),
        }
    }
}

#[cfg(test)]
mod tests;

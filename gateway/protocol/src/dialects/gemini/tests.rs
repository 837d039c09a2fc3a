//! Rules that need more than one file: what comes from other dialects, and what goes to clients of this one.

mod answers;
mod requests;

use catalogue::Dialect;

use super::Decoder;
use crate::dialects::{Frame, StreamDecoder};
use crate::hub::{Event, Extras};

fn from_chat() -> Extras {
    Extras::new(Dialect::OpenaiChat, Vec::new())
}

fn events(stream: &[&str]) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for data in stream {
        decoder.push(Frame { event: None, data }, &mut events);
    }
    decoder.end(&mut events);
    events
}

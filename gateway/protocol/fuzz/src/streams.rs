//! The decoders and encoders of streams, every pair: what is told is in order, and ends.

use std::collections::BTreeMap;

use catalogue::Dialect;
use protocol::dialects::{Frame, StreamDecoder, encode_answer, stream_decoder, stream_encoder};
use protocol::fault::{FaultClass, Reading};
use protocol::frames::sse;
use protocol::hub::{At, Event, Fold};

use super::sound;

pub(crate) fn check(bytes: &[u8]) {
    for from in Dialect::ALL {
        let events = decode(from, bytes);
        in_order(from, &events);
        for to in Dialect::ALL {
            told(from, to, &events, bytes);
        }
        folded(from, events, bytes);
    }
}

/// The events of a stream.
pub(crate) fn decode(dialect: Dialect, stream: &[u8]) -> Vec<Event> {
    let (mut decoder, mut events) = (stream_decoder(dialect), Vec::new());
    let (frames, rest) = sound::split(stream);
    for frame in frames.iter().chain([&rest]) {
        push(decoder.as_mut(), frame, &mut events);
    }
    decoder.end(&mut events);
    let ended = events.len();
    decoder.end(&mut events);
    assert!(events.len() == ended, "{} ends twice: {:?}", dialect.name(), events.get(ended..));
    events
}

fn push(decoder: &mut dyn StreamDecoder, frame: &[u8], events: &mut Vec<Event>) {
    let Some(data) = sse::data(frame) else { return };
    let name = sse::field(frame, "event");
    let name = name.as_deref().map(String::from_utf8_lossy);
    let data = String::from_utf8_lossy(&data);
    decoder.push(Frame { event: name.as_deref(), data: &data }, events);
}

/// The promises of [`Event`]: one start, blocks that are opened once and in order, nothing after a fault.
fn in_order(dialect: Dialect, events: &[Event]) {
    let (name, mut open, mut next) = (dialect.name(), BTreeMap::new(), BTreeMap::new());
    for (number, event) in events.iter().enumerate() {
        match event {
            Event::Start { .. } => {
                let starts = events.iter().filter(|event| matches!(event, Event::Start { .. })).count();
                assert!(starts == 1, "{name} starts {starts} times");
            }
            Event::Open(at, _) => {
                let place: &mut usize = next.entry(at.candidate).or_default();
                assert!(*place == at.part, "{name} opens block {at:?}, not {place}");
                *place += 1;
                open.insert(*at, true);
            }
            Event::Text(at, _) | Event::Arguments(at, _) | Event::Sealed(at, _) => is_open(name, &open, *at),
            Event::Close(at) => {
                is_open(name, &open, *at);
                open.insert(*at, false);
            }
            // Sources may come when their text is over.
            Event::Cited(at, _) => assert!(open.contains_key(at), "{name} cites {at:?}, which is none"),
            Event::Fault(_) => {
                assert!(number + 1 == events.len(), "{name} goes on after a fault: {events:?}")
            }
            Event::Usage(_) | Event::Finish { .. } | Event::Extras(_) => {}
        }
    }
    let is_cut = matches!(events.last(), Some(Event::Fault(_)));
    assert!(is_cut || open.values().all(|open| !open), "{name} leaves a block open: {events:?}");
}

fn is_open(name: &str, open: &BTreeMap<At, bool>, at: At) {
    assert!(open.get(&at) == Some(&true), "{name} goes on with block {at:?}, which is not open");
}

fn told(from: Dialect, to: Dialect, events: &[Event], input: &[u8]) {
    let what = format!("a stream of {} in {}", from.name(), to.name());
    let (mut encoder, mut out) = (stream_encoder(to, sound::echo()), String::new());
    events.iter().for_each(|event| encoder.push(event, &mut out));
    let is_cut = matches!(events.last(), Some(Event::Fault(_)));
    if !is_cut {
        encoder.end(&mut out);
    }
    sound::stream(&what, &out);
    sound::stream_size(&what, out.len(), input);
    let again = decode(to, out.as_bytes());
    let is_cut_again = matches!(again.last(), Some(Event::Fault(_)));
    assert!(is_cut_again == is_cut, "{what}: whole becomes cut or cut whole: {events:?} became {out}");
    if is_cut {
        let length = out.len();
        events.iter().for_each(|event| encoder.push(event, &mut out));
        encoder.end(&mut out);
        assert!(out.len() == length, "{what} goes on after a fault: {:?}", out.get(length..));
    }
}

/// A fault at any time ends what is told.
fn folded(from: Dialect, events: Vec<Event>, input: &[u8]) {
    for to in Dialect::ALL {
        let (mut encoder, mut out) = (stream_encoder(to, sound::echo()), String::new());
        events.iter().take(events.len() / 2).for_each(|event| encoder.push(event, &mut out));
        let reading = Reading { class: FaultClass::Failed, message: Some("no".to_owned()), is_json: false };
        encoder.push(&Event::Fault(reading), &mut out);
        let length = out.len();
        events.iter().for_each(|event| encoder.push(event, &mut out));
        encoder.end(&mut out);
        assert!(out.len() == length, "{} goes on after a fault of {}", to.name(), from.name());
        sound::stream("what a fault has cut", &out);
    }
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    let Ok(answer) = fold.finish() else { return };
    for to in Dialect::ALL {
        let what = format!("the fold of a stream of {} in {}", from.name(), to.name());
        let encoded = encode_answer(to, &answer, &sound::echo());
        sound::object(&what, &encoded.body);
        sound::message_size(&what, encoded.body.len(), input);
    }
}

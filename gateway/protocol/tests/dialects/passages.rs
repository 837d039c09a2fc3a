//! Streams on their way: a relay changes no byte of what was recorded, and what is whole to a relay is whole to
//! every translation.

use bytes::Bytes;
use protocol::dialects::Echo;
use protocol::frames::sse::Splitter;
use protocol::passage::{Ending, Passage, UsageFrame};

use crate::support::{DIALECTS, exchanges};

/// What the client gets, and whether it is whole.
fn passed(mut passage: Passage, stream: &[u8]) -> (Vec<u8>, bool) {
    let (mut out, mut splitter) = (Vec::new(), Splitter::new(64 << 20));
    splitter.push(stream);
    while let Ok(Some(frame)) = splitter.next_frame() {
        passage.frame(frame);
        out.extend_from_slice(&passage.flush());
    }
    let is_whole = passage.end(Ending::Clean(splitter.finish())).is_ok();
    out.extend_from_slice(&passage.flush());
    (out, is_whole)
}

fn echo() -> Echo {
    Echo { model: "m".into(), id: "0".repeat(32), created: 1, stream_usage: true }
}

#[test]
fn a_relay_changes_nothing_and_translations_agree_on_what_is_whole() {
    for from in DIALECTS {
        let (mut whole, mut cut) = (0, Vec::new());
        for exchange in exchanges(from) {
            let Some(stream) = exchange.stream else { continue };
            let (out, is_whole) = passed(Passage::relay(from, echo(), UsageFrame::Passed), &stream);
            if is_whole {
                whole += 1;
                assert_eq!(Bytes::from(out), Bytes::from(stream.clone()), "{}", exchange.place);
            } else {
                cut.push(exchange.place.clone());
            }
            for to in DIALECTS.into_iter().filter(|to| *to != from) {
                let (out, told_whole) = passed(Passage::translation(from, to, echo()), &stream);
                assert_eq!(told_whole, is_whole, "{} to {}", exchange.place, to.name());
                assert!(!out.is_empty(), "{} to {}", exchange.place, to.name());
            }
        }
        println!("{}: {whole} streams are whole, {} are not: {cut:#?}", from.name(), cut.len());
    }
}

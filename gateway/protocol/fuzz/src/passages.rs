//! Whole streams on their way, relayed and translated, ended well and broken.

use bytes::Bytes;
use catalogue::Dialect;
use protocol::fault::FaultClass;
use protocol::passage::{Ending, Passage, UsageFrame};

use super::sound;

pub(crate) fn check(bytes: &[u8]) {
    for from in Dialect::ALL {
        for usage_frame in [UsageFrame::Passed, UsageFrame::Withheld] {
            relayed(from, usage_frame, bytes);
        }
        for to in Dialect::ALL.into_iter().filter(|to| *to != from) {
            translated(from, to, bytes);
        }
    }
}

/// What the client got, and whether it is whole.
struct Passed {
    out: Vec<u8>,
    is_whole: bool,
}

/// How often what is ready is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    AfterEach,
    AtTheEnd,
}

fn pass(mut passage: Passage, stream: &[u8], sent: Sent, broken: Option<FaultClass>) -> Passed {
    let (frames, rest) = sound::split(stream);
    let mut out = Vec::new();
    for frame in frames {
        passage.frame(frame);
        if sent == Sent::AfterEach {
            out.extend_from_slice(&passage.flush());
        }
    }
    let ending = match broken {
        Some(class) => Ending::Broken(class, "it broke".to_owned()),
        None => Ending::Clean(rest),
    };
    let is_whole = passage.end(ending).is_ok();
    out.extend_from_slice(&passage.flush());
    assert!(passage.flush().is_empty(), "there is more after the end");
    let seen = passage.seen();
    assert!(is_whole || seen.error.is_some() || !seen.is_complete() || broken.is_some(), "{seen:?}");
    Passed { out, is_whole }
}

fn relayed(dialect: Dialect, usage_frame: UsageFrame, bytes: &[u8]) {
    let relay = || Passage::relay(dialect, sound::echo(), usage_frame);
    let name = dialect.name();
    let clean = pass(relay(), bytes, Sent::AfterEach, None);
    let is_all = clean.out == bytes;
    match usage_frame {
        UsageFrame::Passed => assert!(!clean.is_whole || is_all, "{name}: a relay changes a whole stream"),
        UsageFrame::Withheld => assert!(!clean.is_whole || clean.out.len() <= bytes.len(), "{name} grows"),
    }
    let broken = pass(relay(), bytes, Sent::AfterEach, Some(FaultClass::Timeout));
    sound::stream_size(name, broken.out.len(), bytes);
    if usage_frame == UsageFrame::Passed && broken.is_whole {
        assert!(bytes.starts_with(&broken.out), "{name}: a relay that was whole has more");
    }
}

fn translated(from: Dialect, to: Dialect, bytes: &[u8]) {
    let what = format!("a stream of {} to {}", from.name(), to.name());
    let way = || Passage::translation(from, to, sound::echo());
    let clean = pass(way(), bytes, Sent::AtTheEnd, None);
    let pieces = pass(way(), bytes, Sent::AfterEach, None);
    assert!(clean.out == pieces.out, "{what} hangs on when it is sent");
    assert!(!clean.out.is_empty(), "{what} tells the client nothing");
    let relay = pass(Passage::relay(from, sound::echo(), UsageFrame::Passed), bytes, Sent::AfterEach, None);
    // What ends as it should and says nothing of its language is whole to who relays it only.
    assert!(!clean.is_whole || relay.is_whole, "{what} is whole when translated only");
    for passed in [&clean, &pass(way(), bytes, Sent::AtTheEnd, Some(FaultClass::Timeout))] {
        let text = std::str::from_utf8(&passed.out).unwrap_or_default();
        assert!(!text.is_empty(), "{what} is no text");
        sound::stream(&what, text);
        sound::stream_size(&what, text.len(), bytes);
    }
    let again = pass(
        Passage::relay(to, sound::echo(), UsageFrame::Passed),
        &Bytes::from(clean.out),
        Sent::AfterEach,
        None,
    );
    assert!(again.is_whole == clean.is_whole, "{what}: what the client hears is whole and is not");
}

//! The observer: it looks from the side, so nothing may trouble it, and what it has seen it does not forget.

use catalogue::Dialect;
use protocol::hub::Event;
use protocol::observe::{Observer, is_usage_only};

use super::{sound, streams};

pub(crate) fn check(bytes: &[u8]) {
    let (frames, rest) = sound::split(bytes);
    for dialect in Dialect::ALL {
        let (mut observer, mut before) = (Observer::new(dialect), Observer::new(dialect).seen().clone());
        for frame in frames.iter().chain([&rest]) {
            observer.frame(frame);
            let seen = observer.seen();
            assert!(seen.done || !before.done, "{} is not done any more", dialect.name());
            assert!(seen.finished || !before.finished, "{} is not finished any more", dialect.name());
            assert!(seen.error.is_some() || before.error.is_none(), "{} forgets an error", dialect.name());
            assert!(seen.usage.is_some() || before.usage.is_none(), "{} forgets usage", dialect.name());
            before.clone_from(seen);
            if is_usage_only(frame) && is_chunks(dialect) {
                assert!(seen.usage.is_some(), "a frame of usage that is not seen");
            }
        }
        observer.end();
        let seen = observer.seen();
        let said = seen.error.as_ref().and_then(|error| error.message.as_ref()).map_or(0, String::len);
        sound::message_size(dialect.name(), said, bytes);
        if !is_chunks(dialect) {
            agrees(dialect, &observer, bytes);
        }
        let usage = seen.usage.unwrap_or_default();
        assert!(usage.total() >= usage.input() && usage.total() >= usage.generated(), "{usage:?}");
    }
}

fn is_chunks(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiCompletions)
}

/// What watches a stream has seen what reads it tells. Streams of chunks are held to it by the passages alone, since
/// they may end sooner: at `[DONE]`.
fn agrees(dialect: Dialect, observer: &Observer, bytes: &[u8]) {
    let (name, seen, events) = (dialect.name(), observer.seen(), streams::decode(dialect, bytes));
    let usage = events.iter().rev().find_map(|event| match event {
        Event::Usage(usage) => Some(*usage),
        _ => None,
    });
    let fault = events.iter().find_map(|event| match event {
        Event::Fault(reading) => Some(reading),
        _ => None,
    });
    let is_finished = events.iter().any(|event| matches!(event, Event::Finish { .. }));
    assert!(seen.usage == usage, "{name}: {:?} was seen, {usage:?} told", seen.usage);
    assert!(seen.finished == is_finished, "{name}: it is finished to one and not to the other: {seen:?}");
    assert!(seen.error.as_ref() == fault, "{name}: {:?} was seen, {fault:?} told", seen.error);
}

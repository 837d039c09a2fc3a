//! The splitter: no byte is lost, added or moved, wherever the network cuts.

use bytes::Bytes;
use protocol::frames::sse::{self, FrameTooLong, Splitter};

use super::sound::split;

pub(crate) fn check(bytes: &[u8]) {
    let (frames, rest) = split(bytes);
    let joined = [frames.concat(), rest.to_vec()].concat();
    assert!(joined == bytes, "the frames together are not the stream");
    for cut in [all_alone, by_own_bytes] {
        let (again, left) = chunked(bytes, cut, usize::MAX).unwrap_or_default();
        assert!(again == frames && left == rest, "other chunks give other frames");
    }
    for frame in frames.iter().chain([&rest]) {
        one(frame);
    }
    limits(bytes, &frames);
}

/// How long the next chunk is.
type Cut = fn(&[u8]) -> usize;

fn all_alone(_: &[u8]) -> usize {
    1
}

/// As random as the bytes are.
fn by_own_bytes(rest: &[u8]) -> usize {
    rest.first().map_or(1, |byte| usize::from(byte % 23) + 1)
}

type Split = (Vec<Bytes>, Bytes);

fn chunked(bytes: &[u8], cut: Cut, limit: usize) -> Result<Split, FrameTooLong> {
    let (mut splitter, mut frames, mut rest) = (Splitter::new(limit), Vec::new(), bytes);
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at(cut(rest).min(rest.len()));
        rest = later;
        splitter.push(chunk);
        while let Some(frame) = splitter.next_frame()? {
            frames.push(frame);
        }
    }
    Ok((frames, splitter.finish()))
}

fn one(frame: &[u8]) {
    let data = sse::data(frame).unwrap_or_default();
    assert!(data.len() <= frame.len(), "the data are longer than their frame");
    for name in ["event", "error", "id"] {
        let value = sse::field(frame, name).unwrap_or_default();
        assert!(value.len() <= frame.len(), "a field is longer than its frame");
    }
    let is_read = sse::data(frame).is_some();
    let kind = sse::kind(frame);
    assert!(!is_read || kind == sse::Kind::Event, "a frame with data is {kind:?}");
}

/// With a limit the frames are the same up to the first that is longer, which is refused.
fn limits(bytes: &[u8], frames: &[Bytes]) {
    for limit in [16, 256] {
        let longest = frames.iter().map(Bytes::len).max().unwrap_or_default();
        match chunked(bytes, by_own_bytes, limit) {
            Ok((within, rest)) => {
                assert!(within == frames && longest <= limit, "a frame is longer than {limit}");
                assert!(rest.len() <= limit, "what is held is longer than {limit}");
            }
            Err(error) => {
                let held = bytes.len() - frames.iter().map(Bytes::len).sum::<usize>();
                assert!(longest > limit || held > limit, "{error}, and none is");
            }
        }
    }
}

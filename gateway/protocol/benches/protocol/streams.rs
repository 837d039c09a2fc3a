//! Streams of a hundred chunks: cut into frames, relayed, translated.

use bytes::Bytes;
use catalogue::Dialect;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use protocol::frames::sse::Splitter;
use protocol::passage::{Ending, Passage, UsageFrame};

use crate::bodies::{echo, stream};
use crate::messages::named;

const CHUNKS: usize = 100;

#[divan::bench]
fn split(bencher: Bencher<'_, '_>) {
    let frames = stream(Dialect::OpenaiChat, CHUNKS);
    bencher.counter(ItemsCount::new(CHUNKS)).bench(|| {
        let mut splitter = Splitter::new(1 << 20);
        for chunk in black_box(&frames) {
            splitter.push(chunk);
            while let Ok(Some(frame)) = splitter.next_frame() {
                drop(black_box(frame));
            }
        }
    });
}

#[divan::bench(args = Dialect::ALL.map(Dialect::name))]
fn relay(bencher: Bencher<'_, '_>, name: &str) {
    let dialect = named(name);
    passed(bencher, dialect, || Passage::relay(dialect, echo(), UsageFrame::Passed));
}

/// OpenAI's chat, where the gateway asked for the usage and the client did not.
#[divan::bench]
fn relay_without_usage(bencher: Bencher<'_, '_>) {
    passed(bencher, Dialect::OpenaiChat, || {
        Passage::relay(Dialect::OpenaiChat, echo(), UsageFrame::Withheld)
    });
}

#[divan::bench(args = Dialect::ALL.map(Dialect::name))]
fn to_chat(bencher: Bencher<'_, '_>, name: &str) {
    let from = named(name);
    passed(bencher, from, || Passage::translation(from, Dialect::OpenaiChat, echo()));
}

#[divan::bench(args = Dialect::ALL.map(Dialect::name))]
fn from_chat(bencher: Bencher<'_, '_>, name: &str) {
    let to = named(name);
    passed(bencher, Dialect::OpenaiChat, || Passage::translation(Dialect::OpenaiChat, to, echo()));
}

fn passed(bencher: Bencher<'_, '_>, from: Dialect, way: impl Fn() -> Passage + Sync) {
    let frames = stream(from, CHUNKS);
    bencher.counter(ItemsCount::new(CHUNKS)).with_inputs(|| (way(), frames.clone())).bench_values(run);
}

fn run((mut passage, frames): (Passage, Vec<Bytes>)) -> bool {
    for frame in frames {
        passage.frame(frame);
        drop(black_box(passage.flush()));
    }
    passage.end(Ending::Clean(Bytes::new())).is_ok()
}

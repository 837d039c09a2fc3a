//! What a relay allocates.

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use catalogue::Dialect;
use protocol::exchange::{Exchange, Judged};
use protocol::frames::sse::Splitter;
use protocol::passage::{Ending, Passage, UsageFrame};
use protocol::scan::Envelope;
use protocol::splice;

use crate::bodies::{answer, echo, request, stream};

/// A name, an error, a list of keys: what may be kept of a body of any size.
const KEPT_BYTES: u64 = 2_048;

fn scanned(body: &Bytes) -> (Envelope, AllocationInfo) {
    let mut envelope = None;
    let info = measure(|| envelope = Envelope::scan(body).ok());
    (envelope.unwrap(), info)
}

#[test]
fn a_scan_makes_no_tree() {
    let (_, small) = scanned(&request(Dialect::OpenaiChat, 1_000));
    for bytes in [100_000, 10_000_000] {
        let (_, info) = scanned(&request(Dialect::OpenaiChat, bytes));
        assert_eq!(info.count_total, small.count_total, "{bytes} bytes: more allocations than of 1 kB");
        assert!(info.bytes_total <= KEPT_BYTES, "{bytes} bytes: {} are kept", info.bytes_total);
    }
}

#[test]
fn a_splice_copies_the_body_once() {
    let body = request(Dialect::OpenaiChat, 1_000_000);
    let (envelope, _) = scanned(&body);
    let info = measure(|| drop(splice::with_model(&body, &envelope, "another")));
    assert!(info.bytes_total <= body.len() as u64 + KEPT_BYTES, "{} bytes were copied", info.bytes_total);
    let same = measure(|| drop(splice::with_model(&body, &envelope, &envelope.model)));
    assert_eq!(same.count_total, 0, "the same name is no change");
}

#[test]
fn a_relayed_answer_is_read_without_a_tree() {
    for dialect in Dialect::ALL {
        let exchange = Exchange {
            client: dialect,
            provider: dialect,
            echo: echo(),
            usage_frame: UsageFrame::Passed,
            stamp: None,
        };
        let body = answer(dialect, 1_000_000);
        let mut judged = None;
        let info = measure(|| judged = Some(exchange.judge(body.clone())));
        let Some(Judged::Answer { usage: Some(usage), .. }) = judged else { panic!("{judged:?}") };
        assert_eq!(usage.total(), 2_340, "{}", dialect.name());
        assert!(info.bytes_total <= KEPT_BYTES, "{}: {} bytes are kept", dialect.name(), info.bytes_total);
    }
}

/// What a relay asks for between the first chunk and the last.
fn relayed(dialect: Dialect, chunks: usize, usage_frame: UsageFrame) -> AllocationInfo {
    let frames = stream(dialect, chunks);
    assert!(frames.len() >= chunks, "{} has {} frames", dialect.name(), frames.len());
    let mut passage = Passage::relay(dialect, echo(), usage_frame);
    let info = measure(|| {
        for frame in frames {
            passage.frame(frame);
            std::hint::black_box(passage.flush());
        }
    });
    assert!(passage.end(Ending::Clean(Bytes::new())).is_ok());
    info
}

/// Each chunk of Gemini is a whole answer: the reader of JSON notes which brackets are open in what it passes over, in
/// eight bytes.
fn most(dialect: Dialect, chunks: usize) -> AllocationInfo {
    let (count, bytes) = if dialect == Dialect::Gemini { (1, 8) } else { (0, 0) };
    let chunks = chunks as u64;
    AllocationInfo { count_total: count * chunks, bytes_total: bytes * chunks, ..AllocationInfo::default() }
}

#[test]
fn a_relayed_chunk_costs_nothing() {
    for dialect in Dialect::ALL {
        for usage_frame in [UsageFrame::Passed, UsageFrame::Withheld] {
            let (hundred, thousand) =
                (relayed(dialect, 100, usage_frame), relayed(dialect, 1_000, usage_frame));
            let (name, most) = (dialect.name(), most(dialect, 900));
            let count = thousand.count_total.saturating_sub(hundred.count_total);
            let bytes = thousand.bytes_total.saturating_sub(hundred.bytes_total);
            assert!(count <= most.count_total, "{name}: 900 chunks more are {count} allocations more");
            assert!(bytes <= most.bytes_total, "{name}: 900 chunks more are {bytes} bytes more");
        }
    }
}

/// The splitter's buffer is shared by the frames of it: a chunk asks for at most its own place.
#[test]
fn a_chunk_is_copied_once_to_be_a_frame() {
    for dialect in Dialect::ALL {
        let chunks = stream(dialect, 100);
        let bytes: usize = chunks.iter().map(Bytes::len).sum();
        let mut passage = Passage::relay(dialect, echo(), UsageFrame::Passed);
        let mut splitter = Splitter::new(1 << 20);
        let info = measure(|| {
            for chunk in &chunks {
                splitter.push(chunk);
                while let Ok(Some(frame)) = splitter.next_frame() {
                    passage.frame(frame);
                    std::hint::black_box(passage.flush());
                }
            }
        });
        let (name, own) = (dialect.name(), most(dialect, chunks.len()).count_total);
        // Beside the frame, what is read once of the first and the last.
        let most = own + chunks.len() as u64 + 100;
        assert!(info.count_total <= most, "{name}: {} allocations of {most}", info.count_total);
        assert!(info.bytes_total <= 4 * bytes as u64, "{name}: {} bytes of {bytes}", info.bytes_total);
    }
}

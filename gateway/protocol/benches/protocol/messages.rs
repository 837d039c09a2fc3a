//! Whole messages: relayed, judged, translated.

use catalogue::Dialect;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use protocol::dialects::{decode_request, encode_request};
use protocol::exchange::Exchange;
use protocol::passage::UsageFrame;
use protocol::scan::Envelope;
use protocol::splice;

use crate::bodies::{answer, echo, request};

pub(crate) const SIZES: [usize; 3] = [1_000, 100_000, 10_000_000];

#[divan::bench(args = SIZES)]
fn scan(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = request(Dialect::OpenaiChat, bytes);
    let bencher = bencher.counter(BytesCount::new(body.len()));
    bencher.bench(|| Envelope::scan(black_box(&body)));
}

/// All that a relay does to a request.
#[divan::bench(args = SIZES)]
fn scan_and_splice(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = request(Dialect::OpenaiChat, bytes);
    let bencher = bencher.counter(BytesCount::new(body.len()));
    bencher.bench(|| {
        let envelope = Envelope::scan(black_box(&body));
        envelope.map(|envelope| splice::with_model(&body, &envelope, "another"))
    });
}

#[divan::bench(args = SIZES)]
fn request_chat_to_anthropic(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = request(Dialect::OpenaiChat, bytes);
    let bencher = bencher.counter(BytesCount::new(body.len()));
    bencher.bench(|| {
        let text = std::str::from_utf8(black_box(&body)).unwrap_or_default();
        decode_request(Dialect::OpenaiChat, text).map(|request| encode_request(Dialect::Anthropic, &request))
    });
}

#[divan::bench(args = SIZES)]
fn answer_anthropic_to_chat(bencher: Bencher<'_, '_>, bytes: usize) {
    judge(bencher, (Dialect::OpenaiChat, Dialect::Anthropic), bytes);
}

/// At 100 kB.
#[divan::bench(args = Dialect::ALL.map(Dialect::name))]
fn answer_relayed(bencher: Bencher<'_, '_>, name: &str) {
    let dialect = named(name);
    judge(bencher, (dialect, dialect), 100_000);
}

pub(crate) fn named(name: &str) -> Dialect {
    Dialect::ALL.into_iter().find(|dialect| dialect.name() == name).unwrap_or(Dialect::OpenaiChat)
}

fn judge(bencher: Bencher<'_, '_>, (client, provider): (Dialect, Dialect), bytes: usize) {
    let body = answer(provider, bytes);
    let exchange = Exchange { client, provider, echo: echo(), usage_frame: UsageFrame::Passed, stamp: None };
    let bencher = bencher.counter(BytesCount::new(body.len()));
    bencher.bench(|| exchange.judge(black_box(&body).clone()));
}

//! What everything else is compared with, in the same run: one copy, and readers of JSON.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::bodies::request;
use crate::messages::SIZES;

#[divan::bench(args = SIZES)]
fn copy(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = request(catalogue::Dialect::OpenaiChat, bytes);
    bencher.counter(BytesCount::new(body.len())).bench(|| black_box(&body).to_vec());
}

#[divan::bench(args = SIZES)]
fn skip_json(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = request(catalogue::Dialect::OpenaiChat, bytes);
    let bencher = bencher.counter(BytesCount::new(body.len()));
    bencher.bench(|| serde_json::from_slice::<IgnoredAny>(black_box(&body)).is_ok());
}

#[divan::bench(args = SIZES)]
fn tree(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = request(catalogue::Dialect::OpenaiChat, bytes);
    let bencher = bencher.counter(BytesCount::new(body.len()));
    bencher.bench(|| serde_json::from_slice::<Value>(black_box(&body)).is_ok());
}

/// What a gateway does that reads to a tree, changes the model and writes it again.
#[divan::bench(args = SIZES)]
fn tree_and_back(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = request(catalogue::Dialect::OpenaiChat, bytes);
    bencher.counter(BytesCount::new(body.len())).bench(|| {
        let mut tree = serde_json::from_slice::<Value>(black_box(&body)).unwrap_or_default();
        let changed = tree.get_mut("model").map(|model| *model = "another".into());
        changed.map(|()| tree.to_string())
    });
}

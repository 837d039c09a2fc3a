//! libFuzzer's way into `src/embeddings.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("embeddings", bytes));

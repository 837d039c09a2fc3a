//! libFuzzer's way into `src/streams.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("streams", bytes));

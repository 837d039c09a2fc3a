//! libFuzzer's way into `src/passages.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("passages", bytes));

//! libFuzzer's way into `src/envelope.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("envelope", bytes));

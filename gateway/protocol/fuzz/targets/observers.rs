//! libFuzzer's way into `src/observers.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("observers", bytes));

//! libFuzzer's way into `src/counts.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("counts", bytes));

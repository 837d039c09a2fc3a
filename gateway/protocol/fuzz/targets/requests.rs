//! libFuzzer's way into `src/requests.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("requests", bytes));

//! libFuzzer's way into `src/json.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("json", bytes));

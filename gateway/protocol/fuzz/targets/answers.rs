//! libFuzzer's way into `src/answers.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("answers", bytes));

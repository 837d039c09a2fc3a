//! libFuzzer's way into `src/faults.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::run("faults", bytes));

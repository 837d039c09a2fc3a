//! What must hold for any bytes, one function for each part of the core: it returns, or it panics and says which
//! promise was broken. libFuzzer calls them from `targets/`, `tests/fuzz` over the seeds and `regressions/`.
//!
//! A seed is plain: a body, or the bytes of a stream. All dialects read it, so one that is new needs no target.

mod answers;
mod counts;
mod embeddings;
mod envelope;
mod faults;
mod frames;
mod json;
mod observers;
mod passages;
mod requests;
mod sound;
mod streams;

/// Holds one part of the core to its promises.
pub type Check = fn(&[u8]);

/// Each target by the name of its file in `targets/` and of its folder in `regressions/`.
pub const TARGETS: [(&str, Check); 11] = [
    ("answers", answers::check),
    ("counts", counts::check),
    ("embeddings", embeddings::check),
    ("envelope", envelope::check),
    ("faults", faults::check),
    ("frames", frames::check),
    ("json", json::check),
    ("observers", observers::check),
    ("passages", passages::check),
    ("requests", requests::check),
    ("streams", streams::check),
];

/// Runs the target of that name.
///
/// # Panics
/// There is none, or a promise is broken.
pub fn run(name: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    assert!(found.is_some(), "there is no target {name}");
    found.into_iter().for_each(|(_, check)| check(bytes));
}

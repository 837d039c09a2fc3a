//! Inputs to begin with: the bodies and streams of exchanges, each for the targets that can make something of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One input of one target.
pub(crate) type Seed = (&'static str, Vec<u8>);

const REQUEST: [&str; 5] = ["counts", "embeddings", "envelope", "json", "requests"];
const ANSWER: [&str; 4] = ["answers", "embeddings", "faults", "json"];
const STREAM: [&str; 4] = ["frames", "observers", "passages", "streams"];

/// Longer ones teach the fuzzer nothing, and all that it tries takes longer.
pub(crate) const MOST_BYTES: usize = 8 << 10;

/// Those of all exchanges in `folder`, none twice.
pub(crate) fn seeds(folder: &Path) -> BTreeSet<Seed> {
    files(folder)
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .flat_map(read)
        .collect()
}

/// The words of the seeds as a dictionary: libFuzzer would hardly guess `"finish_reason"`.
pub(crate) fn words<'a>(seeds: impl IntoIterator<Item = &'a Seed>) -> String {
    let mut found = BTreeSet::new();
    for (_, bytes) in seeds {
        let text = String::from_utf8_lossy(bytes);
        let is_word = |word: &&str| {
            (2..32).contains(&word.len())
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte))
        };
        found.extend(text.split('"').filter(is_word).map(|word| format!("\"\\\"{word}\\\"\"\n")));
    }
    found.into_iter().collect()
}

/// All files below `folder`, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn read(file: &PathBuf) -> Vec<Seed> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let exchange: Value = serde_json::from_str(&text).unwrap_or_default();
    let response = &exchange["response"];
    let body = |value: &Value| value.is_object().then(|| value.to_string().into_bytes());
    let chunks = response["chunks"].as_array();
    let stream =
        chunks.map(|chunks| chunks.iter().filter_map(Value::as_str).collect::<String>().into_bytes());
    let of = |targets: &[&'static str], bytes: Option<Vec<u8>>| -> Vec<Seed> {
        let each =
            bytes.into_iter().flat_map(|bytes| targets.iter().map(move |target| (*target, bytes.clone())));
        each.collect()
    };
    [
        of(&REQUEST, body(&exchange["request"]["body"])),
        of(&ANSWER, body(&response["body"])),
        of(&STREAM, stream),
    ]
    .concat()
}

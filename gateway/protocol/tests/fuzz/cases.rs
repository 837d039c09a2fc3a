//! Each target over its seeds and all that was ever found.

use std::path::{Path, PathBuf};

use crate::seeds::{MOST_BYTES, files, seeds, words};
use crate::targets::{TARGETS, run};

fn here(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

#[test]
fn every_exchange_keeps_the_promises_of_every_target() {
    let authored = seeds(&here("corpus"));
    let covered = |target: &str| authored.iter().any(|(name, _)| *name == target);
    TARGETS.iter().for_each(|(name, _)| assert!(covered(name), "{name} has no seeds"));
    for (target, bytes) in &authored {
        run(target, bytes);
    }
    println!("{} authored seeds", authored.len());
}

/// What one target could not take, the others must take too.
#[test]
fn what_fuzzing_found_stays_mended() {
    let found = files(&here("fuzz/regressions"));
    assert!(!found.is_empty(), "the regressions are gone");
    for file in found {
        let bytes = std::fs::read(&file).unwrap();
        println!("{}", file.display());
        TARGETS.iter().for_each(|(_, check)| check(&bytes));
    }
}

/// A target that `make fuzz` does not build would look fuzzed.
#[test]
fn every_target_is_built_and_every_regression_has_one() {
    let manifest = std::fs::read_to_string(here("fuzz/Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        let path = format!("targets/{name}.rs");
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"{path}\"")), "{path} is not built");
        let source = std::fs::read_to_string(here("fuzz").join(&path)).unwrap();
        assert!(source.contains(&format!("fuzz::run(\"{name}\", bytes)")), "{path} runs another target");
    }
    for file in files(&here("fuzz/regressions")) {
        let folder = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let is_known = TARGETS.iter().any(|(name, _)| Some(*name) == folder);
        assert!(is_known, "{} belongs to no target", file.display());
    }
}

/// `make fuzz` begins with them, and with the recorded exchanges in the folder that `FAIRLEAD_CORPUS` names.
#[test]
fn the_seeds_are_written_where_the_fuzzer_asks_for_them() {
    let folder = std::env::var_os("FAIRLEAD_FUZZ_SEEDS").map(PathBuf::from);
    let temporary = tempfile::tempdir().unwrap();
    let folder = folder.unwrap_or_else(|| temporary.path().to_owned());
    let mut all = seeds(&here("corpus"));
    let words = words(&all);
    all.extend(std::env::var_os("FAIRLEAD_CORPUS").iter().flat_map(|recorded| seeds(Path::new(recorded))));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("words.dict"), words).unwrap();
    all.retain(|(_, bytes)| bytes.len() <= MOST_BYTES);
    for (number, (target, bytes)) in all.iter().enumerate() {
        std::fs::create_dir_all(folder.join(target)).unwrap();
        std::fs::write(folder.join(target).join(format!("{number:05}")), bytes).unwrap();
    }
    assert!(files(&folder).len() > all.len(), "some seeds or the words are not there");
}

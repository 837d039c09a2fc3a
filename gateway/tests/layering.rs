//! Who may use whom inside the gateway, read from the `use crate::` lines. `pipeline` has the types that
//! siblings talk through, so all but `snapshot` may name it.
#![expect(clippy::expect_used, reason = "a test ends by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

/// A folder (or file) of `src`, and what it may use.
const EDGES: [(&str, &[&str]); 13] = [
    ("boot", &["http", "pipeline", "egress", "snapshot", "observe", "routing", "auth", "spend"]),
    ("snapshot", &["cost", "egress"]),
    ("admission", &["pipeline", "auth", "snapshot", "cost", "egress"]),
    ("http", &["pipeline", "auth"]),
    ("pipeline", &["admission", "auth", "routing", "providers", "observe", "snapshot", "tokens", "spend"]),
    ("auth", &["pipeline", "snapshot"]),
    ("routing", &["pipeline", "snapshot", "cost"]),
    ("providers", &["pipeline", "snapshot", "egress"]),
    ("observe", &["pipeline", "snapshot", "cost", "spend"]),
    ("spend", &["pipeline"]),
    ("cost", &[]),
    ("egress", &[]),
    ("tokens", &[]),
];

#[test]
fn imports_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = BTreeSet::new();
    for (module, allowed) in EDGES {
        let mut texts =
            vec![std::fs::read_to_string(root.join(format!("{module}.rs"))).expect("the module's file")];
        read_all(&root.join(module), &mut texts);
        for line in texts.iter().flat_map(|text| text.lines()) {
            for used in line.split("crate::").skip(1) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next();
                let used = used.unwrap_or_default();
                assert!(!used.is_empty(), "{module}: one `use crate::…` for each module: {}", line.trim());
                if used != module && !allowed.contains(&used) {
                    wrong.insert(format!("{module} uses {used}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "edges that gateway/tests/layering.rs does not have: {wrong:#?}");
    let known: BTreeSet<_> = EDGES.iter().map(|(module, _)| (*module).to_owned()).collect();
    let lib = std::fs::read_to_string(root.join("lib.rs")).expect("lib.rs");
    let modules = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    assert_eq!(modules.map(str::to_owned).collect::<BTreeSet<_>>(), known, "each module has a row");
}

fn read_all(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            read_all(&path, texts)
        } else {
            texts.push(std::fs::read_to_string(path).expect("text"))
        }
    }
}

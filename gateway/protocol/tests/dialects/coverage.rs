//! What every client language can ask of every provider language: a table in `docs/translation.md`, made of the
//! authored requests. No cell is empty, and the committed table is today's; `make generate` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use catalogue::Dialect;
use protocol::dialects::{decode_request, encode_request};
use protocol::loss::{Losses, Weight};

use crate::support::{DIALECTS, authored};

const HEAD: &str = "# What is translated

Each row is a request in a client's language (`gateway/protocol/corpus/dialects`), each column the language of the
provider it is sent to. **same**: relayed byte for byte. **carried**: all of it. **approximated**: the fields named are left
out or sent as the nearest thing; they are in the response header `x-fairlead-losses`. **refused**: the fields named change
the meaning; the request gets a 400 that names them, unless `onLoss: Ignore`. Written by `make generate`.
";

#[test]
fn the_committed_table_is_todays_and_has_no_empty_cell() {
    let fresh = table();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/translation.md");
    if std::env::var_os("FAIRLEAD_GENERATE").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "docs/translation.md is stale: run `make generate`");
    assert!(!fresh.contains("|  |"), "a cell is empty");
}

fn table() -> String {
    let mut text = HEAD.to_owned();
    for from in DIALECTS {
        write!(text, "\n## From {}\n\n| request |", from.name()).unwrap();
        DIALECTS.iter().for_each(|to| write!(text, " {} |", to.name()).unwrap());
        writeln!(text, "\n|{}", " --- |".repeat(1 + DIALECTS.len())).unwrap();
        for (name, exchange) in authored(from) {
            let Some(request) = exchange.request else { continue };
            let request = decode_request(from, &request.to_string()).unwrap();
            write!(text, "| {} |", name.replace(['-', '_'], " ")).unwrap();
            for to in DIALECTS {
                write!(text, " {} |", cell(from, to, &encode_request(to, &request).losses)).unwrap();
            }
            text.push('\n');
        }
    }
    text
}

fn cell(from: Dialect, to: Dialect, losses: &Losses) -> String {
    if from == to {
        return "same".to_owned();
    }
    let named = |weight| -> BTreeSet<String> {
        let of = losses.all().iter().filter(|loss| loss.weight == weight);
        of.map(|loss| format!("`{}`", loss.field)).collect()
    };
    let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
    let (meaning, hints) = (named(Weight::Meaning), named(Weight::Hint));
    match (meaning.is_empty(), hints.is_empty()) {
        (false, _) => format!("refused: {}", list(meaning)),
        (true, false) => format!("approximated: {}", list(hints)),
        (true, true) => "carried".to_owned(),
    }
}

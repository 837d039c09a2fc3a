//! The decisions as a page for people who migrate.

use std::fmt::Write as _;

use crate::decisions::Decisions;

const HEAD: &str = "# Where we differ from LiteLLM

For people who migrate. We ran what LiteLLM sends to providers and answers to clients against what we send and
answer, over the languages that we speak, and decided each difference: it is in one of these lines, or it is a failing
test. Spelling apart (Google's names in two spellings, fields that are null, ids that are made up), all else is the same.
Written by `make generate` from `gateway/protocol/tests/oracle/decisions.toml`; `make test` holds both to the recordings
where these are at hand.
";

pub(crate) fn write(decisions: &Decisions) -> String {
    let mut text = HEAD.to_owned();
    for topic in decisions.topics() {
        write!(text, "\n## {}\n\n", topic.title).unwrap();
        for decision in &topic.decision {
            let named = decision.paths.iter().filter(|path| *path != "*");
            let places = named.map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
            let places = if places.is_empty() { "the whole body".to_owned() } else { places };
            writeln!(text, "- {} ({places})", decision.why.trim()).unwrap();
        }
    }
    text
}

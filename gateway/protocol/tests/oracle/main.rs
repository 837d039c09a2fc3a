//! LiteLLM as an oracle: what it sends and answers, recorded by running it, against what we do. Each difference is
//! decided in `decisions.toml`, which `docs/litellm-differences.md` tells to people who migrate.
//!
//! The recordings are no part of the project: `FAIRLEAD_LITELLM_GOLDEN` names their folder. Without it only the
//! decisions themselves are held.

#[cfg(test)]
mod bridges;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod report;
#[cfg(test)]
mod streams;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::Value;

    use crate::compare::{Case, differences};
    use crate::decisions::Decisions;
    use crate::{bridges, providers, report};

    /// The file of recordings, if there are any.
    fn recorded(name: &str) -> Option<Value> {
        let folder = PathBuf::from(std::env::var_os("FAIRLEAD_LITELLM_GOLDEN")?);
        let text = std::fs::read_to_string(folder.join(name))
            .unwrap_or_else(|error| panic!("FAIRLEAD_LITELLM_GOLDEN has no {name}: {error}"));
        Some(serde_json::from_str(&text).unwrap())
    }

    fn cases() -> Option<Vec<Case>> {
        let mut cases = providers::requests(&recorded("request_vectors.json")?);
        let responses = recorded("response_vectors.json")?;
        cases.extend(providers::answers(&responses));
        cases.extend(providers::streams(&responses));
        cases.extend(providers::errors(&responses));
        cases.extend(bridges::all(&recorded("bridge_vectors.json")?));
        Some(cases)
    }

    #[test]
    fn each_difference_from_litellm_is_decided_and_each_decision_is_needed() {
        let mut decisions = Decisions::read();
        let Some(cases) = cases() else {
            println!("FAIRLEAD_LITELLM_GOLDEN names no folder: nothing to compare with");
            return;
        };
        let (mut same, mut decided, mut undecided) = (0, 0, Vec::new());
        for case in &cases {
            let differences = differences(case);
            same += usize::from(differences.is_empty());
            for difference in differences {
                if decisions.covers(&case.name, &difference) {
                    decided += 1;
                } else {
                    undecided.push(format!("{}: {difference}", case.name));
                }
            }
        }
        println!("{} cases: {same} the same, {decided} differences decided", cases.len());
        assert!(undecided.is_empty(), "{} undecided:\n{}", undecided.len(), undecided.join("\n"));
        assert_eq!(decisions.unused(), Vec::<String>::new(), "decisions that nothing needs");
        assert!(same > 0);
    }

    #[test]
    fn the_committed_report_is_todays() {
        let fresh = report::write(&Decisions::read());
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/litellm-differences.md");
        if std::env::var_os("FAIRLEAD_GENERATE").is_some() {
            std::fs::write(&path, &fresh).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == fresh, "docs/litellm-differences.md is stale: run `make generate`");
    }
}

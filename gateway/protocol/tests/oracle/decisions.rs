//! The table of decided differences: `decisions.toml` beside this file.

use serde::Deserialize;

use crate::compare::{Difference, text};

/// All decisions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decisions {
    topic: Vec<Topic>,
    #[serde(skip)]
    used: Vec<bool>,
}

/// What belongs together for a reader.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topic {
    pub(crate) title: String,
    pub(crate) decision: Vec<Decision>,
}

/// Differences that have one reason. In patterns `*` stands for any text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// Patterns of the names of cases.
    pub(crate) cases: Vec<String>,
    /// Patterns of the paths in them.
    pub(crate) paths: Vec<String>,
    /// Patterns of what LiteLLM has there, as JSON or `absent`. None is anything.
    #[serde(default)]
    theirs: Vec<String>,
    /// The same of ours.
    #[serde(default)]
    ours: Vec<String>,
    /// What LiteLLM does, what we do, and why that is right.
    pub(crate) why: String,
}

impl Decisions {
    pub(crate) fn read() -> Self {
        let mut read: Self = toml::from_str(include_str!("decisions.toml")).unwrap();
        let all = read.topic.iter().flat_map(|topic| &topic.decision);
        for decision in all.clone() {
            assert!(decision.why.len() > 20, "{:?}: the reason is missing", decision.cases);
            assert!(!decision.cases.is_empty() && !decision.paths.is_empty(), "{}", decision.why);
        }
        read.used = vec![false; all.count()];
        read
    }

    pub(crate) fn topics(&self) -> &[Topic] {
        &self.topic
    }

    /// Whether the difference is decided; every decision for it counts as used.
    pub(crate) fn covers(&mut self, case: &str, difference: &Difference) -> bool {
        let mut is_covered = false;
        let all = self.topic.iter().flat_map(|topic| &topic.decision);
        for (decision, used) in all.zip(&mut self.used) {
            if decision.covers(case, difference) {
                *used = true;
                is_covered = true;
            }
        }
        is_covered
    }

    /// The reasons that nothing needed.
    pub(crate) fn unused(&self) -> Vec<String> {
        let all = self.topic.iter().flat_map(|topic| &topic.decision);
        let unused = all.zip(&self.used).filter(|(_, used)| !**used);
        unused.map(|(decision, _)| format!("{:?} {:?}", decision.cases, decision.paths)).collect()
    }
}

impl Decision {
    fn covers(&self, case: &str, difference: &Difference) -> bool {
        let any = |patterns: &[String], text: &str| patterns.iter().any(|pattern| matches(pattern, text));
        let side = |patterns: &[String], side| patterns.is_empty() || any(patterns, &text(side));
        any(&self.cases, case)
            && any(&self.paths, &difference.path)
            && side(&self.theirs, difference.theirs.as_ref())
            && side(&self.ours, difference.ours.as_ref())
    }
}

/// Whether `text` is what `pattern` says.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some((_, after)) = text.split_once(piece).filter(|_| !piece.is_empty()) else {
            if piece.is_empty() {
                continue;
            }
            return false;
        };
        text = after;
    }
    text.ends_with(last)
}

#[test]
fn patterns_are_read_as_people_mean_them() {
    for (pattern, text, expected) in [
        ("tools[*].name", "tools[3].name", true),
        ("tools[*].name", "tools[3].names", false),
        ("*", "", true),
        ("a*", "b", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c", false),
        ("plain", "plain", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}

//! Which models a key may ask. A model is meant by its name and by every alias, so that an alias is no way around a
//! denial.

use super::Model;

/// See [`config::Access`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    allow: Vec<String>,
    deny: Vec<String>,
}

impl Access {
    pub(super) fn new(from: &config::Access) -> Self {
        Self { allow: from.allow.clone(), deny: from.deny.clone() }
    }

    /// Every model, now and later.
    pub(crate) fn is_everything(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    pub(crate) fn allows(&self, model: &Model) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|one| model.names().any(|name| fits(one, name)));
        !any(&self.deny) && (self.allow.is_empty() || any(&self.allow))
    }
}

/// In a pattern, `*` stands for any text, also none; all else stands for itself.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The first place is as good as any: what comes before it is the star's.
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(name: &str, aliases: &[&str]) -> Model {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        Model { name: name.into(), aliases, deployments: Vec::new() }
    }

    fn access(allow: &[&str], deny: &[&str]) -> Access {
        let owned = |patterns: &[&str]| patterns.iter().map(|one| (*one).to_owned()).collect();
        Access { allow: owned(allow), deny: owned(deny) }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-*", "gpt-", true),
            ("*", "", true),
            ("*/gpt-*-mini", "openai/gpt-4o-mini", true),
            ("*/gpt-*-mini", "gpt-4o-mini", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*bc*c", "abcbcc", true),
            ("a**b", "a-b", true),
            ("claude-?", "claude-3", false),
            ("GPT-4o", "gpt-4o", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_denial_goes_first_and_holds_for_every_name_of_the_model() {
        let small = model("gpt-4o-mini", &["small", "cheap"]);
        assert!(access(&[], &[]).allows(&small));
        assert!(access(&["gpt-*"], &[]).allows(&small));
        assert!(access(&["small"], &[]).allows(&small), "an alias means the model");
        assert!(!access(&["claude-*"], &[]).allows(&small));
        assert!(!access(&["gpt-*"], &["cheap"]).allows(&small));
        assert!(!access(&[], &["*"]).allows(&small));
    }

    proptest! {
        #[test]
        fn a_name_with_any_parts_starred_fits(parts in proptest::collection::vec("[ab]{0,3}", 1..5)) {
            let name = parts.concat();
            for place in 0..parts.len() {
                let mut starred = parts.clone();
                starred[place] = "*".into();
                prop_assert!(fits(&starred.concat(), &name), "{} {}", starred.concat(), name);
            }
        }
    }
}

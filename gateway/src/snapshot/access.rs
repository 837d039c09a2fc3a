//! Which models a key may ask. A model is meant by its name and by every alias, so that an alias is no way around a
//! denial. A key of the store is held to several lists: its own, and those of its team and the like.

use super::Model;

/// What may be asked: what every list allows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    lists: Vec<List>,
}

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A VirtualKey's.
    VirtualKey,
    /// A key's of the store.
    Key,
    /// A user's as a member of a team.
    Member,
    Team,
    User,
    Customer,
}

#[derive(Clone, Debug)]
struct List {
    whose: Whose,
    allow: Vec<String>,
    deny: Vec<String>,
}

impl Access {
    /// See [`config::Access`].
    pub(super) fn new(from: &config::Access) -> Self {
        let (allow, deny) = (from.allow.clone(), from.deny.clone());
        let is_everything = allow.is_empty() && deny.is_empty();
        let list = List { whose: Whose::VirtualKey, allow, deny };
        Self { lists: if is_everything { Vec::new() } else { vec![list] } }
    }

    /// What is on every one of `lists`. An empty one has no model.
    pub(crate) fn of_lists(lists: impl IntoIterator<Item = (Whose, Vec<String>)>) -> Self {
        // What no model is called: else an empty list would be every model.
        let none = || vec![String::new()];
        let lists = lists.into_iter().map(|(whose, allow)| List {
            whose,
            allow: if allow.is_empty() { none() } else { allow },
            deny: Vec::new(),
        });
        Self { lists: lists.collect() }
    }

    /// Every model, now and later.
    pub(crate) fn is_everything(&self) -> bool {
        self.lists.is_empty()
    }

    pub(crate) fn allows(&self, model: &Model) -> bool {
        self.barrier(model).is_none()
    }

    /// Whose list does not have `model`; the first such one.
    pub(crate) fn barrier(&self, model: &Model) -> Option<Whose> {
        self.lists.iter().find(|list| !list.has(model)).map(|list| list.whose)
    }
}

impl List {
    fn has(&self, model: &Model) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|one| model.names().any(|name| fits(one, name)));
        let by_provider = || self.whose != Whose::VirtualKey && self.has_by_provider(model);
        !any(&self.deny) && (self.allow.is_empty() || any(&self.allow) || by_provider())
    }

    /// LiteLLM's `openai/*` means its models also where their public names do not say whose they are.
    fn has_by_provider(&self, model: &Model) -> bool {
        let patterns = || self.allow.iter().filter(|pattern| pattern.contains("/") && pattern.contains('*'));
        let is_there = |name: String| patterns().any(|pattern| fits(pattern, &name));
        let mut deployments = model.deployments.iter();
        patterns().next().is_some()
            && !model.deployments.is_empty()
            && deployments.all(|one| is_there(format!("{}/{}", one.provider, model.name)))
    }
}

impl Whose {
    /// In messages, and in names of counters.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::VirtualKey | Self::Key => "key",
            Self::Member => "member",
            Self::Team => "team",
            Self::User => "user",
            Self::Customer => "customer",
        }
    }
}

/// In a pattern, `*` stands for any text, also none; all else stands for itself.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
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
        Model { name: name.into(), aliases, ..Model::default() }
    }

    fn access(allow: &[&str], deny: &[&str]) -> Access {
        let owned = |patterns: &[&str]| patterns.iter().map(|one| (*one).to_owned()).collect();
        Access::new(&config::Access { allow: owned(allow), deny: owned(deny) })
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

//! Which paths a key may call. `routes.txt` has the groups.

use store::accounts::KeyType;

use super::access::fits;

/// The groups, as a text.
const GROUPS: &str = include_str!("routes.txt");

/// Groups in groups go no deeper.
const DEPTH: usize = 3;

/// The paths that a key may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Routes {
    /// `None` is every path.
    patterns: Option<Vec<String>>,
}

impl Routes {
    /// Those that `allowed` names: groups, paths, and paths with `*`; where it names none, those of the key's type.
    pub(crate) fn new(allowed: &[String], key_type: KeyType) -> Self {
        let of_type = match key_type {
            KeyType::Default => None,
            KeyType::LlmApi => Some("llm_api_routes"),
            KeyType::Management => Some("management_routes"),
            KeyType::ReadOnly => Some("info_routes"),
        };
        let mut patterns = Vec::new();
        for name in allowed.iter().map(String::as_str).chain(of_type.filter(|_| allowed.is_empty())) {
            expand(name.trim(), DEPTH, &mut patterns);
        }
        let is_limited = of_type.is_some() || !allowed.is_empty();
        Self { patterns: is_limited.then_some(patterns) }
    }

    /// Whether `path` is one of them.
    pub(crate) fn allow(&self, path: &str) -> bool {
        let Some(patterns) = &self.patterns else { return true };
        let bare = bare(path);
        patterns.iter().any(|pattern| fits(pattern, bare))
    }
}

/// A group stands for its paths. What is no group is a path.
fn expand(name: &str, depth: usize, patterns: &mut Vec<String>) {
    let lines = GROUPS.lines().filter(|line| line.split(' ').next() == Some(name));
    let mut is_group = false;
    for word in lines.flat_map(|line| line.split(' ').skip(1)) {
        is_group = true;
        match word.strip_prefix('@') {
            Some(group) if depth > 0 => expand(group, depth - 1, patterns),
            Some(_) => {}
            None => patterns.push(bare(word).to_owned()),
        }
    }
    if !is_group {
        patterns.push(bare(name).to_owned());
    }
}

/// Most paths are served with and without it, and a pattern for one must not open or close the other only.
fn bare(path: &str) -> &str {
    path.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(allowed: &[&str], key_type: KeyType) -> Routes {
        Routes::new(&allowed.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>(), key_type)
    }

    #[test]
    fn a_key_type_is_a_group_of_paths() {
        for (key_type, path, expected) in [
            (KeyType::Default, "/key/generate", true),
            (KeyType::LlmApi, "/v1/chat/completions", true),
            (KeyType::LlmApi, "/chat/completions", true),
            (KeyType::LlmApi, "/v1/responses/resp_1/input_items", true),
            (KeyType::LlmApi, "/anthropic/v1/messages", true),
            (KeyType::LlmApi, "/v1beta/models/gemini-2.5-pro:generateContent", true),
            (KeyType::LlmApi, "/key/generate", false),
            (KeyType::LlmApi, "/health", false),
            (KeyType::Management, "/key/generate", true),
            (KeyType::Management, "/key/abc/regenerate", true),
            (KeyType::Management, "/v1/chat/completions", false),
            (KeyType::Management, "/users/list", false),
            (KeyType::ReadOnly, "/key/info", true),
            (KeyType::ReadOnly, "/v1/models", true),
            (KeyType::ReadOnly, "/v1/models/m:generateContent", false),
            (KeyType::ReadOnly, "/key/delete", false),
            (KeyType::ReadOnly, "/v1/embeddings", false),
        ] {
            assert_eq!(routes(&[], key_type).allow(path), expected, "{key_type:?} {path}");
        }
    }

    #[test]
    fn what_is_named_goes_before_the_type_and_may_be_paths_and_groups() {
        let some = routes(&["/chat/completions", "anthropic_routes", "/team/*"], KeyType::Management);
        for (path, expected) in [
            ("/chat/completions", true),
            ("/v1/chat/completions", true),
            ("/v1/messages", true),
            ("/team/info", true),
            ("/teams", false),
            ("/key/generate", false),
            ("/v1/chat/completions/", false),
            ("/v1", false),
        ] {
            assert_eq!(some.allow(path), expected, "{path}");
        }
        assert!(!routes(&["no_such_group"], KeyType::Default).allow("/v1/models"), "it is no path either");
    }

    #[test]
    fn every_group_that_another_names_is_there() {
        for word in GROUPS.lines().flat_map(|line| line.split(' ')).filter_map(|word| word.strip_prefix('@'))
        {
            let is_there = GROUPS.lines().any(|line| line.split(' ').next() == Some(word));
            assert!(is_there || word.is_empty(), "{word}");
        }
    }
}

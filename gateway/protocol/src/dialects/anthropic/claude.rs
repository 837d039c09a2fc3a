//! What a model takes, by the version in its name. The dialect is one, but newer models refuse what older ones
//! need, and a request of another dialect must be written for the one that will read it. So the caller puts the
//! deployment's own model name in the request, and its quirks. A Claude whose name has no version is taken for the
//! newest: such names move on to it. Other models that speak the dialect think within budgets, as it was first.
//!
//! Sources: platform.claude.com/docs/en/build-with-claude/adaptive-thinking and …/effort,
//! …/about-claude/models/migration-guide, docs.aws.amazon.com/bedrock/latest/userguide/
//! claude-messages-adaptive-thinking.html, and the 400 answers in recorded traffic; read 2026-11-21.

use catalogue::Habit;

use crate::hub::Request;

/// The version of a Claude model; `None` for other models that speak the dialect.
///
/// Kimi and GLM, to name two, take a budget and know no effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claude(Option<(u8, u8)>);

/// The API wants a limit, other dialects do not. This is the least of what models from version 4 on write at
/// most, so none refuses it and few answers reach it.
const MAX_TOKENS: u64 = 32_000;

/// The same for models before version 4.
const OLD_MAX_TOKENS: u64 = 4_096;

/// Newer than all that are known.
const NEWEST: (u8, u8) = (u8::MAX, 0);

impl Claude {
    /// Reads a name in any cloud's spelling: `claude-opus-4-6`, `us.anthropic.claude-3-7-sonnet-20250219-v1:0`,
    /// `claude-sonnet-4@20250514`, `anthropic/claude-haiku-4.5`.
    pub(super) fn of(request: &Request) -> Self {
        let named = Self::named(&request.model);
        Self(named.0.or(request.quirks.has(Habit::Claude).then_some(NEWEST)))
    }

    fn named(model: &str) -> Self {
        let model = model.to_ascii_lowercase();
        let Some((_, name)) = model.split_once("claude") else { return Self(None) };
        let mut words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
        // Bedrock's oldest are `claude-v2` and `claude-instant-v1`.
        let major = words.find_map(|word| small(word.strip_prefix('v').unwrap_or(word)));
        let Some(major) = major else { return Self(Some(NEWEST)) };
        let minor = words.next().and_then(small).unwrap_or(0);
        Self(Some((major, minor)))
    }

    /// The limit where the client gave none.
    pub(super) fn max_tokens(self) -> u64 {
        if self.0.is_some_and(|version| version < (4, 0)) { OLD_MAX_TOKENS } else { MAX_TOKENS }
    }

    /// Thinks as much as an effort says. Version 4.6 takes budgets too, later ones refuse them.
    pub(super) fn thinks_by_effort(self) -> bool {
        self.is_from((4, 6))
    }

    /// Knows the effort between high and the most.
    pub(super) fn has_extra_high(self) -> bool {
        self.is_from((4, 7))
    }

    /// Shows no thoughts unless asked to.
    /// Source: docker-agent's pull request 3415 and docs.docker.com on `thinking_display`, read 2026-11-25.
    pub(super) fn hides_thoughts(self) -> bool {
        self.is_from((4, 7))
    }

    /// Refuses temperature, `top_p` and `top_k`.
    pub(super) fn refuses_sampling(self) -> bool {
        self.is_from((4, 7))
    }

    /// Refuses temperature and `top_p` in one request.
    pub(super) fn refuses_both(self) -> bool {
        self.is_from((4, 1))
    }

    fn is_from(self, first: (u8, u8)) -> bool {
        self.0.is_some_and(|version| version >= first)
    }
}

/// A part of a version. Dates are longer.
fn small(word: &str) -> Option<u8> {
    word.parse().ok().filter(|_| word.len() <= 2)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use catalogue::{Catalogue, Quirks};

    use super::*;

    #[test]
    fn every_cloud_s_spelling_is_read() {
        for (model, version) in [
            ("claude-opus-4-6", Some((4, 6))),
            ("anthropic.claude-opus-4-6-v1", Some((4, 6))),
            ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", Some((3, 7))),
            ("claude-sonnet-4@20250514", Some((4, 0))),
            ("anthropic/claude-haiku-4.5", Some((4, 5))),
            ("claude-sonnet-5", Some((5, 0))),
            ("Claude-Fable-5-1", Some((5, 1))),
            ("anthropic.claude-v2:1", Some((2, 1))),
            ("claude-instant-1.2", Some((1, 2))),
            ("claude", Some(NEWEST)),
            ("claude-opus-latest", Some(NEWEST)),
            ("kimi-k2", None),
        ] {
            assert_eq!(Claude::named(model), Claude(version), "{model}");
        }
    }

    #[test]
    fn models_of_one_dialect_take_different_things() {
        assert!(!Claude::named("claude-haiku-4-5").thinks_by_effort());
        assert!(
            Claude::named("claude-opus-4-6").thinks_by_effort()
                && !Claude::named("claude-opus-4-6").has_extra_high()
        );
        assert!(Claude::named("claude-sonnet-5").refuses_sampling());
        assert!(!Claude::named("some-alias").refuses_sampling());
        assert_eq!(Claude::named("claude-3-haiku-20240307").max_tokens(), 4_096);
    }

    #[test]
    fn at_anthropic_an_alias_is_the_newest_claude_and_a_version_counts() {
        let quirks = Arc::new(Catalogue::builtin().quirks("anthropic", "fast"));
        let of = |model: &str, quirks: &Arc<Quirks>| {
            Claude::of(&Request { model: model.into(), quirks: Arc::clone(quirks), ..Request::default() })
        };
        assert!(of("fast", &quirks).thinks_by_effort() && of("fast", &quirks).has_extra_high());
        assert!(!of("claude-haiku-4-5", &quirks).thinks_by_effort());
        assert!(!of("kimi-k2", &Arc::default()).thinks_by_effort());
    }
}

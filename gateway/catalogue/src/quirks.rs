//! What models take otherwise than their language says. `quirks.toml` names what is in two closed lists here, and code
//! in `protocol` knows each entry of them: there is no code in the data.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Dialect;

/// The quirks of one model at one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quirks {
    /// Ways of its own.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub habits: BTreeSet<Habit>,
    /// What it answers with an error.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub refuses: BTreeSet<Setting>,
    /// The same where the request asks for thoughts.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub refuses_thinking: BTreeSet<Setting>,
}

/// A way of a model's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Chat: the limit of tokens is `max_completion_tokens`, not `max_tokens`.
    MaxCompletionTokens,
    /// Chat: the seed is `random_seed`, not `seed`.
    RandomSeed,
    /// Chat: that some tool must be used is `any`, not `required`.
    ToolChoiceAny,
    /// Anthropic: it is a Claude, also where its name does not say so.
    Claude,
}

/// A setting of a request that some models refuse, by its name in OpenAI's chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// How freely words are chosen.
    Temperature,
    /// Of which share of the likeliest words.
    TopP,
    /// Of how many of the likeliest words.
    TopK,
    /// For repeatable answers.
    Seed,
    /// Against words that were used often.
    FrequencyPenalty,
    /// Against words that were used at all.
    PresencePenalty,
    /// Texts that end the answer.
    Stop,
    /// More than one answer.
    N,
    /// Likely tokens at each place.
    Logprobs,
    /// Who asks.
    User,
    /// How urgent it is.
    ServiceTier,
    /// Whether the answer is kept.
    Store,
    /// That a stream shall tell its usage.
    StreamOptions,
    /// How much to think.
    ReasoningEffort,
    /// How much to say.
    Verbosity,
    /// How long the prompt's cache is kept.
    PromptCacheRetention,
}

impl Setting {
    /// Its name in OpenAI's chat.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::TopK => "top_k",
            Self::Seed => "seed",
            Self::FrequencyPenalty => "frequency_penalty",
            Self::PresencePenalty => "presence_penalty",
            Self::Stop => "stop",
            Self::N => "n",
            Self::Logprobs => "logprobs",
            Self::User => "user",
            Self::ServiceTier => "service_tier",
            Self::Store => "store",
            Self::StreamOptions => "stream_options",
            Self::ReasoningEffort => "reasoning_effort",
            Self::Verbosity => "verbosity",
            Self::PromptCacheRetention => "prompt_cache_retention",
        }
    }
}

impl Quirks {
    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.habits.is_empty() && self.refuses.is_empty() && self.refuses_thinking.is_empty()
    }

    /// Whether it has this way.
    #[must_use]
    pub fn has(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }

    /// Whether it refuses `setting` in a request that asks for thoughts, or does not.
    #[must_use]
    pub fn refuse(&self, setting: Setting, thinks: bool) -> bool {
        self.refuses.contains(&setting) || (thinks && self.refuses_thinking.contains(&setting))
    }
}

/// One row of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    providers: Vec<String>,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    #[serde(default)]
    habits: BTreeSet<Habit>,
    #[serde(default)]
    refuse: BTreeSet<Setting>,
    #[serde(default)]
    refuse_thinking: BTreeSet<Setting>,
    #[serde(default)]
    speaks: Vec<Dialect>,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader of the table; a test asks for it"))]
    source: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "the same"))]
    read: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) row: Vec<Row>,
}

/// What the rows that fit say together.
pub(crate) fn of(rows: &[Row], provider: &str, model: &str) -> Quirks {
    let mut quirks = Quirks::default();
    for row in fitting(rows, provider, model) {
        quirks.habits.extend(&row.habits);
        quirks.refuses.extend(&row.refuse);
        quirks.refuses_thinking.extend(&row.refuse_thinking);
    }
    quirks
}

/// The languages of a model that does not speak all that its provider speaks.
pub(crate) fn speaks<'a>(rows: &'a [Row], provider: &str, model: &str) -> Option<&'a [Dialect]> {
    fitting(rows, provider, model).map(|row| row.speaks.as_slice()).find(|speaks| !speaks.is_empty())
}

fn fitting<'a>(rows: &'a [Row], provider: &str, model: &str) -> impl Iterator<Item = &'a Row> {
    let model = model.to_ascii_lowercase();
    // OpenAI's name for what was trained from another model: `ft:gpt-4o:...`.
    let model = model.strip_prefix("ft:").map_or_else(|| model.clone(), str::to_owned);
    rows.iter().filter(move |row| row.fits(provider, &model))
}

impl Row {
    fn fits(&self, provider: &str, model: &str) -> bool {
        let is_in = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, model));
        self.providers.iter().any(|id| id == provider)
            && (self.models.is_empty() || is_in(&self.models))
            && !is_in(&self.except)
    }
}

/// `*` stands for any letters, none included.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => name.strip_prefix(head).is_some_and(|tail| {
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| tail.get(at..).is_some_and(|tail| matches(rest, tail)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    #[test]
    fn every_row_names_known_providers_and_its_source_and_says_something() {
        let catalogue = Catalogue::builtin();
        for row in &catalogue.quirks {
            let place = &row.source;
            assert!(!place.is_empty() && row.read.len() == 10 && row.read.starts_with("20"), "{place}");
            for id in &row.providers {
                assert!(catalogue.provider(id).is_some(), "{place}: no provider {id}");
            }
            assert!(
                !(row.habits.is_empty()
                    && row.refuse.is_empty()
                    && row.refuse_thinking.is_empty()
                    && row.speaks.is_empty()),
                "{place}"
            );
            for pattern in row.models.iter().chain(&row.except) {
                assert_eq!(*pattern, pattern.to_ascii_lowercase(), "{place}");
            }
        }
    }

    #[test]
    fn stars_stand_for_any_letters() {
        for (pattern, name, fits) in [
            ("gpt-5", "gpt-5", true),
            ("gpt-5", "gpt-5-mini", false),
            ("gpt-5*", "gpt-5", true),
            ("gpt-5.*-chat*", "gpt-5.1-chat-latest", true),
            ("gpt-5.*-chat*", "gpt-5.1", false),
            ("*non-reasoning*", "grok-4-fast-non-reasoning", true),
            ("*é", "aé", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn models_that_only_complete_texts_speak_completions() {
        let catalogue = Catalogue::builtin();
        let openai = catalogue.provider("openai").unwrap();
        for model in ["gpt-3.5-turbo-instruct", "davinci-002", "ft:babbage-002:acme::x"] {
            assert_eq!(catalogue.speaks("openai", openai, model), [Dialect::OpenaiCompletions], "{model}");
        }
        assert_eq!(catalogue.speaks("openai", openai, "gpt-3.5-turbo"), openai.speaks);
    }

    #[test]
    fn what_openai_s_models_refuse_hangs_on_their_names() {
        let catalogue = Catalogue::builtin();
        let refuses =
            |model: &str, setting, thinks| catalogue.quirks("openai", model).refuse(setting, thinks);
        for model in ["o1", "o3-mini", "o4-mini-2025-04-16", "GPT-5", "gpt-5-mini", "gpt-5.1-codex-max"] {
            assert!(refuses(model, Setting::Temperature, false), "{model}");
        }
        for model in ["gpt-4o", "gpt-4.1-mini", "gpt-5-chat-latest", "gpt-5.2", "gpt-50", "ft:gpt-4o:acme::x"]
        {
            assert!(!refuses(model, Setting::Temperature, false), "{model}");
        }
        assert!(refuses("gpt-5.2", Setting::Temperature, true), "with an effort it refuses them");
        assert!(refuses("ft:o4-mini:acme", Setting::Stop, false) && !refuses("o1", Setting::Stop, false));
        assert!(catalogue.quirks("azure", "any-name").has(Habit::MaxCompletionTokens));
        assert!(catalogue.quirks("ollama", "gpt-5").is_empty());
    }
}

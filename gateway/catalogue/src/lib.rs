//! Facts about providers and models, as data: `providers.toml` is the table of the first, this file its shape;
//! `prices.rs` has the prices of models, `quirks.toml` and `quirks.rs` what single models take otherwise than their
//! language says. No code per provider; what a row cannot say, a transport in `gateway/src/providers` does.

pub mod price;
pub mod prices;

mod quirks;

pub use quirks::{Habit, Quirks, Setting};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A wire language: JSON shapes and stream events, no URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// OpenAI's chat completions.
    OpenaiChat,
    /// OpenAI's responses.
    OpenaiResponses,
    /// OpenAI's older completions of one text.
    OpenaiCompletions,
    /// Anthropic's messages.
    Anthropic,
    /// Google's generateContent.
    Gemini,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::OpenaiChat, Self::OpenaiResponses, Self::OpenaiCompletions, Self::Anthropic, Self::Gemini];

    /// How servers of this language are told the key, where no row says otherwise.
    #[must_use]
    pub fn usual_auth(self) -> Auth {
        match self {
            Self::OpenaiChat | Self::OpenaiResponses | Self::OpenaiCompletions => Auth::Bearer,
            Self::Anthropic => Auth::Header("x-api-key".into()),
            Self::Gemini => Auth::Header("x-goog-api-key".into()),
        }
    }

    /// What servers of this language speak at their embeddings endpoint, if they have one.
    #[must_use]
    pub fn usual_embeddings(self) -> Option<EmbeddingDialect> {
        match self {
            Self::OpenaiChat | Self::OpenaiResponses | Self::OpenaiCompletions => {
                Some(EmbeddingDialect::OpenaiEmbeddings)
            }
            Self::Anthropic => None,
            Self::Gemini => Some(EmbeddingDialect::GeminiEmbeddings),
        }
    }

    /// Its name in configs, headers and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::OpenaiCompletions => "openai-completions",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}

/// The language of an endpoint that turns texts into vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingDialect {
    /// OpenAI's embeddings.
    OpenaiEmbeddings,
    /// Google's embedContent and batchEmbedContents.
    GeminiEmbeddings,
}

impl EmbeddingDialect {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::OpenaiEmbeddings, Self::GeminiEmbeddings];

    /// Its name in configs, messages and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenaiEmbeddings => "openai-embeddings",
            Self::GeminiEmbeddings => "gemini-embeddings",
        }
    }
}

/// How a credential travels to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// The key alone in a header of this (lower case) name.
    Header(String),
}

/// Whether a provider answers without a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// A deployment without one is refused at apply time.
    Required,
    /// Self-hosted servers: with or without.
    Optional,
}

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Absent where each user has their own: the deployment must name it.
    pub base_url: Option<String>,
    /// How its credential travels.
    pub auth: Auth,
    /// Whether it needs one.
    pub key: Key,
    /// The wire languages of its chat endpoints at `base_url`. Never empty; the preferred one is first.
    pub speaks: Vec<Dialect>,
    /// The language of its embeddings endpoint at `base_url`. Absent where none is known.
    pub embeds: Option<EmbeddingDialect>,
    /// Whether its answers say what they cost (`usage.cost` and the like). Absent: no.
    #[serde(default)]
    pub tells_cost: bool,
    /// Whether it keeps OpenAI's responses, so that clients can go on from them and fetch them by their id. Where it
    /// does not, the gateway keeps them.
    #[serde(default)]
    pub keeps_responses: bool,
    /// Where the facts of this row come from.
    pub source: String,
    /// The day the source was read, `YYYY-MM-DD`.
    pub read: String,
}

/// Every provider that Fairlead knows, by id.
#[derive(Clone, Debug)]
pub struct Catalogue {
    providers: BTreeMap<String, Provider>,
    quirks: Vec<quirks::Row>,
}

/// The id of the provider that answers inside the gateway, with no upstream.
pub const MOCK: &str = "mock";

const PROVIDERS: &str = include_str!("../providers.toml");
const QUIRKS: &str = include_str!("../quirks.toml");

impl Catalogue {
    /// The tables that this release was built with. Parses them: make one and pass it on.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the tables are compiled in, and a test parses them")]
    pub fn builtin() -> Self {
        let providers = toml::from_str(PROVIDERS).expect("providers.toml is well formed");
        let quirks: quirks::Table = toml::from_str(QUIRKS).expect("quirks.toml is well formed");
        Self { providers, quirks: quirks.row }
    }

    /// The row of `id`.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.get(id)
    }

    /// All rows, sorted by id.
    pub fn providers(&self) -> impl Iterator<Item = (&str, &Provider)> {
        self.providers.iter().map(|(id, provider)| (id.as_str(), provider))
    }

    /// Up to three ids that look most like `id`, the likest first, for an error that shows the way out.
    #[must_use]
    pub fn similar(&self, id: &str) -> Vec<&str> {
        let wanted = letters(id);
        let known = self.providers.keys().map(String::as_str).chain([MOCK]);
        let rated = known.map(|name| (strsim::jaro_winkler(&wanted, &letters(name)), name));
        let mut alike: Vec<_> = rated.filter(|(likeness, _)| *likeness > 0.85).collect();
        alike.sort_by(|a, b| b.0.total_cmp(&a.0));
        alike.into_iter().take(3).map(|(_, name)| name).collect()
    }

    /// The wire languages of `model` at `provider`, whose row is `row`: all of the provider's, but for a few models.
    #[must_use]
    pub fn speaks<'a>(&'a self, provider: &str, row: &'a Provider, model: &str) -> &'a [Dialect] {
        quirks::speaks(&self.quirks, provider, model).unwrap_or(&row.speaks)
    }

    /// What `model`, by the provider's own name for it, takes otherwise than its language says.
    #[must_use]
    pub fn quirks(&self, provider: &str, model: &str) -> Quirks {
        quirks::of(&self.quirks, provider, model)
    }
}

/// `Azure-AI` and `azure_ai` are the same guess.
fn letters(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_complete_and_https() {
        let catalogue = Catalogue::builtin();
        for (id, row) in catalogue.providers() {
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{id}: odd id");
            assert!(!row.source.is_empty(), "{id}: where are the facts from?");
            assert!(row.read.len() == 10 && row.read.starts_with("20"), "{id}: date {}", row.read);
            assert!(!row.speaks.is_empty(), "{id}: which wire language?");
            let is_first = row.speaks.first() == Some(&Dialect::OpenaiCompletions);
            assert!(!is_first || row.speaks.len() == 1, "{id}: a text says less than a conversation");
            if let Some(base) = &row.base_url {
                assert!(base.starts_with("https://"), "{id}: {base} is not https");
                assert!(!base.ends_with('/'), "{id}: {base} ends with a slash");
                assert!(!base.contains(['{', '}']), "{id}: {base} is a template; let users name it");
                assert!(!base.contains(' '), "{id}: {base} is more than a URL");
            }
            let usual = row.speaks.iter().filter_map(|dialect| dialect.usual_embeddings());
            assert!(
                row.embeds.is_none_or(|embeds| usual.into_iter().any(|one| one == embeds)),
                "{id}: embeds what it does not speak"
            );
        }
    }

    #[test]
    fn rows_stand_in_order_so_that_a_new_one_has_one_place() {
        let ids: Vec<_> =
            PROVIDERS.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']')).collect();
        assert!(ids.is_sorted(), "sort the rows of providers.toml");
        assert_eq!(ids.len(), Catalogue::builtin().providers().count());
        assert!(ids.len() > 100, "the table has shrunk to {}", ids.len());
    }

    #[test]
    fn self_hosted_servers_of_openais_language_are_taken_to_embed() {
        for (id, row) in Catalogue::builtin().providers() {
            if row.key == Key::Optional {
                assert_eq!(row.embeds, Some(EmbeddingDialect::OpenaiEmbeddings), "{id}");
            }
        }
    }

    #[test]
    fn a_wrong_id_finds_its_neighbours() {
        let similar = |id| Catalogue::builtin().similar(id).first().copied().map(str::to_owned);
        assert_eq!(similar("OpenRouter").as_deref(), Some("openrouter"));
        assert_eq!(similar("opneai").as_deref(), Some("openai"));
        assert_eq!(similar("Azure").as_deref(), Some("azure"));
        assert_eq!(similar("zzzz"), None);
    }
}

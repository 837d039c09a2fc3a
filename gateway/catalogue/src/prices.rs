//! The table of what models cost and can do: `prices.txt`, which `scripts/prices` writes. It is never parsed as a
//! whole: a name is found by binary search in the text, and one line is read. So it costs nothing at start.

use crate::price::{Entry, Price, Rate, Tier};

const TABLE: &str = include_str!("../prices.txt");

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Lower case, often with the provider in front.
    pub name: &'static str,
    /// The provider's id. Parts of one provider are told apart by their names only.
    pub provider: &'static str,
    /// What it is for.
    pub mode: Mode,
    /// The longest prompt, in tokens.
    pub most_input: Option<u64>,
    /// The longest answer, in tokens.
    pub most_output: Option<u64>,
    /// Absent where nobody knows, or where a subscription pays.
    pub price: Option<Price>,
    capabilities: &'static str,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the name of an endpoint, or says all that is known")]
pub enum Mode {
    AudioSpeech,
    AudioTranscription,
    Chat,
    Completion,
    Decisions,
    Embedding,
    Evaluation,
    Extraction,
    Guardrail,
    ImageEdit,
    ImageGeneration,
    Moderation,
    Ocr,
    Realtime,
    Rerank,
    Responses,
    Search,
    VectorStore,
    VideoGeneration,
}

/// What a model can do beyond text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Looks at pictures.
    Vision,
    /// Calls tools.
    Tools,
    /// Calls several at once.
    ParallelTools,
    /// Keeps to a JSON schema.
    Schema,
    /// Thinks before it answers.
    Reasoning,
    /// Remembers the beginning of a prompt.
    PromptCaching,
    /// Listens.
    AudioInput,
    /// Speaks.
    AudioOutput,
    /// Reads PDF.
    Pdf,
    /// Searches the web by itself.
    Search,
}

impl Listing {
    /// Whether it can. What nobody has written down it cannot.
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        let word = match capability {
            Capability::Vision => "vision",
            Capability::Tools => "tools",
            Capability::ParallelTools => "parallel",
            Capability::Schema => "schema",
            Capability::Reasoning => "reasoning",
            Capability::PromptCaching => "caching",
            Capability::AudioInput => "audio-in",
            Capability::AudioOutput => "audio-out",
            Capability::Pdf => "pdf",
            Capability::Search => "search",
        };
        self.capabilities.split(',').any(|known| known == word)
    }

    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let (name, provider) = (words.next()?, words.next()?);
        if let Some(other) = provider.strip_prefix('=') {
            let target = row(other).filter(|line| !line.contains(" ="))?;
            return Some(Self { name, ..Self::parse(target)? });
        }
        let mode = mode(words.next()?)?;
        let (most_input, most_output) = (limit(words.next()?)?, limit(words.next()?)?);
        let capabilities = words.next()?;
        let price = Some(price(words)?).filter(|price| !price.is_empty());
        Some(Self { name, provider, mode, most_input, most_output, price, capabilities })
    }
}

/// The line for `model` at `provider`, as LiteLLM would find it: under the provider's name, under its own, or
/// without what only tells a version. Ignores case.
///
/// Source: LiteLLM 1.110.2, its order of names and which providers' lines hold for which, read 2026-11-25.
#[must_use]
pub fn find(provider: &str, model: &str) -> Option<Listing> {
    let (provider, model) = (family(provider), model.to_ascii_lowercase());
    let own = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
    let bare = own.unwrap_or(&model);
    // Google's own spelling.
    let bare = bare.strip_prefix("models/").unwrap_or(bare);
    let stripped = without_version(provider, bare);
    let names = [
        format!("{provider}/{bare}"),
        model.clone(),
        bare.to_owned(),
        format!("{provider}/{stripped}"),
        stripped.to_owned(),
        format!("{provider}/{model}"),
    ];
    names.iter().filter_map(|name| listing(name)).find(|listing| holds(listing.provider, provider))
}

/// The line of exactly this name, in lower case.
#[must_use]
pub fn listing(name: &str) -> Option<Listing> {
    row(name).and_then(Listing::parse)
}

/// Every name in the table, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    rows().filter_map(|line| line.split(' ').next())
}

fn rows() -> impl Iterator<Item = &'static str> {
    TABLE.lines().skip_while(|line| line.starts_with('#'))
}

/// LiteLLM has several names for parts of one provider; the table has one.
fn family(provider: &str) -> &str {
    let part = |name: &str| provider.starts_with(name);
    match provider {
        _ if part("vertex_ai") => "vertex_ai",
        _ if part("fireworks_ai") => "fireworks_ai",
        "bedrock_converse" => "bedrock",
        "cohere_chat" => "cohere",
        "azure_text" => "azure",
        other => other.strip_prefix("text-completion-").unwrap_or(other),
    }
}

/// Whether what is `listed` for one provider holds for another that serves the same model.
fn holds(listed: &str, provider: &str) -> bool {
    match provider {
        // They pass on what others bill.
        "github" | "nadir" | "litellm_proxy" => true,
        "azure_ai" => matches!(listed, "azure_ai" | "azure" | "openai"),
        "bedrock_mantle" => matches!(listed, "bedrock_mantle" | "bedrock"),
        _ => listed == provider,
    }
}

/// Snapshots mostly cost what their model does.
fn without_version<'a>(provider: &str, model: &'a str) -> &'a str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match provider {
        "vertex_ai" | "gemini" | "databricks" => {
            model.rsplit_once('-').filter(|(_, end)| is_number(end)).map_or(model, |(stem, _)| stem)
        }
        "bedrock" => {
            model.split_once('.').filter(|(place, _)| is_place(place)).map_or(model, |(_, rest)| rest)
        }
        // A tuned model: `ft:gpt-4o:organisation:name:id`.
        _ if model.starts_with("ft:") => model.rsplitn(4, ':').last().unwrap_or(model),
        _ => {
            let (stem, day) = model.split_at_checked(model.len().saturating_sub(11)).unwrap_or((model, ""));
            let parts: Vec<_> = day.split('-').collect();
            let is_day = matches!(parts.as_slice(), ["", year, month, day]
                if (year.len(), month.len(), day.len()) == (4, 2, 2) && [year, month, day].into_iter().all(|part| is_number(part)));
            if is_day { stem } else { model }
        }
    }
}

/// Where Bedrock runs a model; some places have prices of their own, and are found before.
fn is_place(text: &str) -> bool {
    matches!(text, "us" | "eu" | "au" | "jp" | "apac" | "global" | "us-gov")
}

/// The line that begins with `name`, by binary search. Lines are sorted, and a blank sorts before all else.
fn row(name: &str) -> Option<&'static str> {
    let mut rest = TABLE;
    while !rest.is_empty() {
        let middle = rest.len() / 2;
        let start = rest.get(..middle)?.rfind('\n').map_or(0, |at| at + 1);
        let end = rest.get(middle..)?.find('\n').map_or(rest.len(), |at| middle + at);
        let line = rest.get(start..end)?;
        let found = line.split(' ').next()?;
        // The head of the file stands before all names.
        match if line.starts_with('#') { std::cmp::Ordering::Less } else { found.cmp(name) } {
            std::cmp::Ordering::Equal => return Some(line),
            std::cmp::Ordering::Less => rest = rest.get(end + 1..).unwrap_or_default(),
            std::cmp::Ordering::Greater => rest = rest.get(..start)?,
        }
    }
    None
}

#[expect(clippy::option_option, reason = "the outer one is a broken table, the inner one an unknown limit")]
fn limit(word: &str) -> Option<Option<u64>> {
    if word == "-" { Some(None) } else { word.parse().ok().map(Some) }
}

fn price<'a>(words: impl Iterator<Item = &'a str>) -> Option<Price> {
    let (mut tier, mut above, mut entries) = (Tier::Standard, 0, Vec::new());
    for word in words {
        if let Some((meter, dollars)) = word.split_once('=') {
            entries.push(Entry {
                meter: meter.parse().ok()?,
                tier,
                above,
                rate: Rate::per_million(dollars).ok()?,
            });
        } else {
            let (name, tokens) = word.split_once('>').unwrap_or((word, "0"));
            tier = if name.is_empty() { Tier::Standard } else { name.parse().ok()? };
            above = tokens.parse().ok()?;
        }
    }
    Some(Price::new(entries))
}

fn mode(word: &str) -> Option<Mode> {
    Some(match word {
        "audio_speech" => Mode::AudioSpeech,
        "audio_transcription" => Mode::AudioTranscription,
        "chat" => Mode::Chat,
        "completion" => Mode::Completion,
        "decisions" => Mode::Decisions,
        "embedding" => Mode::Embedding,
        "evaluation" => Mode::Evaluation,
        "extraction" => Mode::Extraction,
        "guardrail" => Mode::Guardrail,
        "image_edit" => Mode::ImageEdit,
        "image_generation" => Mode::ImageGeneration,
        "moderation" => Mode::Moderation,
        "ocr" => Mode::Ocr,
        "realtime" => Mode::Realtime,
        "rerank" => Mode::Rerank,
        "responses" => Mode::Responses,
        "search" => Mode::Search,
        "vector_store" => Mode::VectorStore,
        "video_generation" => Mode::VideoGeneration,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::Meter;

    fn found(provider: &str, model: &str) -> Option<&'static str> {
        find(provider, model).map(|listing| listing.name)
    }

    #[test]
    fn every_line_is_sorted_and_read_and_found_by_its_name() {
        let names: Vec<_> = names().collect();
        assert!(names.len() > 4_500, "the table has shrunk to {}", names.len());
        assert!(names.is_sorted_by(|a, b| a < b), "sorted, and each once");
        for name in names {
            assert_eq!(listing(name).unwrap_or_else(|| panic!("{name} is unreadable")).name, name);
        }
    }

    #[test]
    fn a_name_between_before_or_after_all_others_is_not_found() {
        for name in ["", "#", "gpt-4o ", "gpt-4o-", "\u{7f}", "a", "0", "zzzz", "ü", "# What"] {
            assert_eq!(row(name), None, "{name:?}");
        }
    }

    #[test]
    fn models_are_found_where_litellm_finds_them() {
        assert_eq!(found("openai", "gpt-4o"), Some("gpt-4o"));
        assert_eq!(found("openai", "GPT-4o"), Some("gpt-4o"), "case");
        assert_eq!(found("groq", "openai/gpt-oss-120b"), Some("groq/openai/gpt-oss-120b"));
        assert_eq!(found("anthropic", "claude-sonnet-4-5-20250929"), Some("claude-sonnet-4-5-20250929"));
        assert_eq!(found("gemini", "models/gemini-2.5-flash"), Some("gemini/gemini-2.5-flash"));
        assert_eq!(found("gemini", "gemini-2.5-flash-001"), Some("gemini/gemini-2.5-flash"), "a version");
        assert_eq!(found("openai", "gpt-5-2030-01-02"), Some("gpt-5"), "a day");
        assert_eq!(found("openai", "ft:gpt-4o-2024-08-06:us::id"), Some("ft:gpt-4o-2024-08-06"), "tuned");
        assert_eq!(
            found("bedrock", "jp.anthropic.claude-opus-4-1-20250805-v1:0"),
            Some("anthropic.claude-opus-4-1-20250805-v1:0")
        );
        assert_eq!(found("vertex_ai_beta", "gemini-2.5-pro"), found("vertex_ai", "gemini-2.5-pro"));
    }

    #[test]
    fn another_providers_model_of_the_same_name_is_another_model() {
        assert_eq!(found("hosted_vllm", "gpt-4o"), None);
        assert_eq!(found("custom", "claude-sonnet-4-5-20250929"), None);
        assert_eq!(found("azure", "my-deployment"), None);
        assert_eq!(found("github", "gpt-4o"), Some("gpt-4o"), "GitHub passes on what others bill");
    }

    #[test]
    fn a_line_tells_limits_abilities_and_prices() {
        let model = find("openai", "gpt-4o").unwrap();
        assert_eq!(
            (model.mode, model.most_input, model.most_output),
            (Mode::Chat, Some(128_000), Some(16_384))
        );
        assert!(model.can(Capability::Vision) && !model.can(Capability::Reasoning));
        let price = model.price.unwrap();
        assert_eq!(price.rate(Meter::Input, Tier::Standard, 1), Rate::per_million("2.5").unwrap());
        assert_eq!(price.rate(Meter::Input, Tier::Priority, 1), Rate::per_million("4.25").unwrap());
    }

    #[test]
    fn another_name_of_a_model_has_its_price() {
        let alias = listing("bedrock/claude-opus-latest").unwrap();
        assert_eq!(alias.provider, "bedrock");
        assert!(alias.price.is_some());
    }
}

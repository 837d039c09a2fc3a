//! How a loss names a field: as the client's language does. Gemini's clients have two spellings, `fileUri` and
//! `file_uri`; theirs counts.

use catalogue::Dialect;

use crate::hub::Extras;

/// `path` with each name as the client of Gemini spelt it, which its decoder has noted in `extras`.
pub(super) fn spelt(path: &str, extras: &Extras) -> String {
    let spell = |name: &str| {
        let snake = snake(name);
        if extras.notes(Dialect::Gemini, &snake) { snake } else { name.to_owned() }
    };
    path.split('.').map(spell).collect::<Vec<_>>().join(".")
}

fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// A setting, named as the chat dialect names it, in the words of `client`.
pub(super) fn setting_name(client: Dialect, name: &str) -> String {
    match (client, name) {
        (Dialect::Anthropic, "stop") => "stop_sequences".to_owned(),
        (Dialect::Anthropic, "user") => "metadata.user_id".to_owned(),
        (Dialect::Anthropic, "reasoning_effort") => "output_config.effort".to_owned(),
        // LiteLLM's clients of chat have Anthropic's word for it.
        (Dialect::Anthropic | Dialect::OpenaiChat, "reasoning_budget") => "thinking.budget_tokens".to_owned(),
        (Dialect::Gemini, "n") => "generationConfig.candidateCount".to_owned(),
        (Dialect::Gemini, "stop") => "generationConfig.stopSequences".to_owned(),
        (Dialect::Gemini, "reasoning_effort") => "generationConfig.thinkingConfig.thinkingLevel".to_owned(),
        (Dialect::Gemini, "reasoning_budget") => "generationConfig.thinkingConfig.thinkingBudget".to_owned(),
        (Dialect::Gemini, "response_format") => "generationConfig.responseMimeType".to_owned(),
        (Dialect::Gemini, "service_tier") => "serviceTier".to_owned(),
        (Dialect::Gemini, _) => format!("generationConfig.{}", camel(name)),
        (Dialect::OpenaiResponses, "reasoning_effort") => "reasoning.effort".to_owned(),
        (Dialect::OpenaiResponses, "response_format") => "text.format".to_owned(),
        _ => name.to_owned(),
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

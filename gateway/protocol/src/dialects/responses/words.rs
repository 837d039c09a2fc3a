//! The names that fields have in the client's request, for losses. `None` is a client of this dialect itself.

use catalogue::Dialect;

use crate::hub::Seal;

/// A turn: `messages[2]`. System prompts that stand outside the list there are not counted by it.
pub(super) fn turn(from: Option<Dialect>, index: usize, outside: usize) -> String {
    match from {
        Some(Dialect::Gemini) => format!("contents[{}]", index.saturating_sub(outside)),
        Some(Dialect::Anthropic) => format!("messages[{}]", index.saturating_sub(outside)),
        Some(Dialect::OpenaiChat) => format!("messages[{index}]"),
        Some(Dialect::OpenaiCompletions) => format!("prompt[{index}]"),
        _ => format!("input[{index}]"),
    }
}

/// A block of it: `messages[2].content[0]`.
pub(super) fn part(from: Option<Dialect>, turn: &str, index: usize) -> String {
    let list = if from == Some(Dialect::Gemini) { "parts" } else { "content" };
    format!("{turn}.{list}[{index}]")
}

/// What was thought.
pub(super) fn thinking(from: Option<Dialect>) -> &'static str {
    match from {
        Some(Dialect::Gemini) => "text",
        Some(Dialect::Anthropic) => "thinking",
        Some(Dialect::OpenaiChat) => "reasoning_content",
        _ => "summary.text",
    }
}

/// A seal. Those of Anthropic's redacted thoughts say so at their beginning.
pub(super) fn seal(from: Option<Dialect>, seal: &Seal) -> &'static str {
    match from {
        Some(Dialect::Gemini) => "thoughtSignature",
        Some(Dialect::Anthropic) if seal.bytes.starts_with("redacted_thinking") => "data",
        Some(Dialect::Anthropic) => "signature",
        Some(Dialect::OpenaiChat) => "extra_content.google.thought_signature",
        _ => "encrypted_content",
    }
}

/// A file that was uploaded before, or an address.
pub(super) fn file(from: Option<Dialect>) -> &'static str {
    match from {
        Some(Dialect::Gemini) => "fileData.fileUri",
        Some(Dialect::Anthropic) => "source.file_id",
        Some(Dialect::OpenaiChat) => "file.file_id",
        _ => "file_id",
    }
}

/// What is in the request itself.
pub(super) fn data(from: Option<Dialect>) -> &'static str {
    match from {
        Some(Dialect::Gemini) => "inlineData.data",
        Some(Dialect::Anthropic) => "source.data",
        _ => "data",
    }
}

/// The type of what stands at an address.
pub(super) fn mime(from: Option<Dialect>) -> &'static str {
    if from == Some(Dialect::Gemini) { "fileData.mimeType" } else { "mime_type" }
}

/// A document's name.
pub(super) fn title(from: Option<Dialect>) -> &'static str {
    match from {
        Some(Dialect::Gemini) => "displayName",
        Some(Dialect::Anthropic) => "title",
        _ => "filename",
    }
}

/// Which tools may be used.
pub(super) fn tool_choice(from: Option<Dialect>) -> &'static str {
    if from == Some(Dialect::Gemini) { "toolConfig" } else { "tool_choice" }
}

/// A setting by its name in OpenAI chat.
pub(super) fn setting(from: Option<Dialect>, chat: &'static str) -> &'static str {
    match (from, chat) {
        (Some(Dialect::Anthropic), "stop") => "stop_sequences",
        (Some(Dialect::Anthropic), "budget") => "thinking.budget_tokens",
        (Some(Dialect::Gemini), "stop") => "generationConfig.stopSequences",
        (Some(Dialect::Gemini), "n") => "generationConfig.candidateCount",
        (Some(Dialect::Gemini), "top_k") => "generationConfig.topK",
        (Some(Dialect::Gemini), "seed") => "generationConfig.seed",
        (Some(Dialect::Gemini), "frequency_penalty") => "generationConfig.frequencyPenalty",
        (Some(Dialect::Gemini), "presence_penalty") => "generationConfig.presencePenalty",
        (Some(Dialect::Gemini), "budget") => "generationConfig.thinkingConfig.thinkingBudget",
        (_, "budget") => "reasoning.max_tokens",
        _ => chat,
    }
}

/// Fields of other dialects' tools without which the answer may rest on what the client ruled out.
pub(super) fn changes_meaning(name: &str) -> bool {
    matches!(name, "allowed_domains" | "blocked_domains")
}

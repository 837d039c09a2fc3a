//! The names that things have in the client's request, for losses.

use catalogue::Dialect;

use crate::hub::{Extras, Format, Reasoning, Request, Role, Tool, Turn};

/// Where a turn stood.
#[derive(Debug)]
pub(super) enum Place {
    /// In the client's list of turns.
    Listed {
        /// `messages[2]`.
        path: String,
        /// The name of the list of its blocks.
        parts: &'static str,
    },
    /// In a field of its own.
    Beside(&'static str),
}

impl Place {
    /// The place of the turn at `at`.
    pub(super) fn of(request: &Request, at: usize) -> Self {
        let client = request.extras.dialect;
        if let Some(field) = request.turns.get(at).and_then(|turn| beside(client, turn)) {
            return Self::Beside(field);
        }
        let before = request.turns.iter().take(at);
        let at = before.filter(|turn| beside(client, turn).is_none()).count();
        let (list, parts) = match client {
            Some(Dialect::Gemini) => ("contents", "parts"),
            Some(Dialect::OpenaiResponses) => ("input", "content"),
            Some(Dialect::OpenaiCompletions) => ("prompt", "content"),
            Some(Dialect::OpenaiChat | Dialect::Anthropic) | None => ("messages", "content"),
        };
        Self::Listed { path: format!("{list}[{at}]"), parts }
    }

    /// The turn itself.
    pub(super) fn turn(&self) -> String {
        match self {
            Self::Listed { path, .. } => path.clone(),
            Self::Beside(field) => (*field).to_owned(),
        }
    }

    /// Who speaks.
    pub(super) fn role(&self) -> String {
        match self {
            Self::Listed { path, .. } => format!("{path}.role"),
            Self::Beside(field) => (*field).to_owned(),
        }
    }

    /// One of its blocks.
    pub(super) fn part(&self, at: usize) -> String {
        match self {
            Self::Listed { path, parts } => format!("{path}.{parts}[{at}]"),
            Self::Beside(field) => (*field).to_owned(),
        }
    }
}

/// The field of a system prompt that stands beside the list of turns.
fn beside(client: Option<Dialect>, turn: &Turn) -> Option<&'static str> {
    match client? {
        Dialect::Anthropic if turn.role == Role::System => Some("system"),
        Dialect::Gemini if turn.role == Role::System => Some("systemInstruction"),
        client @ Dialect::OpenaiResponses if turn.extras.notes(client, "instructions") => {
            Some("instructions")
        }
        _ => None,
    }
}

/// The tool at `at`. Chat has three places for tools.
pub(super) fn tool(tool: &Tool, at: usize) -> String {
    let is = |note| tool.extras.notes(Dialect::OpenaiChat, note);
    if is("web_search_options") {
        return "web_search_options".to_owned();
    }
    format!("{}[{at}]", if is("functions") { "functions" } else { "tools" })
}

/// Which tools may be used.
pub(super) fn tool_choice(extras: &Extras) -> &'static str {
    match extras.dialect {
        Some(Dialect::Gemini) => "toolConfig",
        Some(Dialect::OpenaiChat) if extras.notes(Dialect::OpenaiChat, "function_call") => "function_call",
        _ => "tool_choice",
    }
}

/// Where the format stood.
pub(super) fn format(request: &Request, format: &Format) -> Vec<&'static str> {
    let is_schema = matches!(format, Format::Schema { .. });
    match request.extras.dialect {
        Some(Dialect::OpenaiResponses) => vec!["text.format"],
        Some(Dialect::Anthropic) if is_older(format) => vec!["output_format"],
        Some(Dialect::Anthropic) => vec!["output_config.format"],
        Some(Dialect::Gemini) if is_schema => {
            let is_older = request.extras.notes(Dialect::Gemini, "responseSchema");
            let schema = if is_older {
                "generationConfig.responseSchema"
            } else {
                "generationConfig.responseJsonSchema"
            };
            vec!["generationConfig.responseMimeType", schema]
        }
        Some(Dialect::Gemini) => vec!["generationConfig.responseMimeType"],
        _ => vec!["response_format"],
    }
}

fn is_older(format: &Format) -> bool {
    let Format::Schema { extras, .. } = format else { return false };
    extras.notes(Dialect::Anthropic, "output_format")
}

/// What says how much to think.
pub(super) fn reasoning(client: Option<Dialect>, reasoning: &Reasoning) -> Vec<&'static str> {
    let chat = |note| reasoning.extras.notes(Dialect::OpenaiChat, note);
    let (effort, budget, summary) = match client {
        Some(Dialect::OpenaiResponses) => ("reasoning.effort", "reasoning.max_tokens", "reasoning.summary"),
        Some(Dialect::Anthropic) => ("output_config.effort", "thinking.budget_tokens", "thinking.display"),
        Some(Dialect::Gemini) => (
            "generationConfig.thinkingConfig.thinkingLevel",
            "generationConfig.thinkingConfig.thinkingBudget",
            "generationConfig.thinkingConfig.includeThoughts",
        ),
        _ if chat("reasoning") => ("reasoning.effort", "reasoning.max_tokens", "reasoning.summary"),
        _ => ("reasoning_effort", "thinking.budget_tokens", "reasoning.summary"),
    };
    let all = [
        (effort, reasoning.effort.is_some()),
        (budget, reasoning.budget.is_some()),
        (summary, reasoning.summary.is_some()),
    ];
    all.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

/// A setting by its name in OpenAI's chat.
pub(super) fn setting(client: Option<Dialect>, name: &'static str) -> &'static str {
    match (client, name) {
        (Some(Dialect::Gemini), "service_tier") => "serviceTier",
        (Some(Dialect::OpenaiResponses), "verbosity") => "text.verbosity",
        _ => name,
    }
}

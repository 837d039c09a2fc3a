//! How much to think: `thinking` and `output_config.effort`.
//!
//! Sources: platform.claude.com/docs/en/build-with-claude/extended-thinking, …/adaptive-thinking and …/effort,
//! read 2026-11-21: a budget is at least 1,024 tokens and less than `max_tokens`; beside thinking there is no
//! forced tool, no prefill and no temperature; with a budget, a turn that waits for tools begins with thoughts.

use super::claude::Claude;
use super::place::tell_extras;
use super::plain::is_home;
use super::{HOME, notes, place, turns};
use crate::dialects::shows;
use crate::hub::{Body, Effort, Extras, Part, Reasoning, Request, Role, ToolChoice, Turn};
use crate::json::{Fields, Writer};
use crate::loss::Losses;

/// The least budget that the API takes.
const LEAST_BUDGET: u64 = 1_024;

/// Reads `thinking`; `effort` was in `output_config`.
pub(super) fn read(fields: &mut Fields<'_>, effort: Option<String>) -> Option<Reasoning> {
    let mut reasoning = read_thinking(fields);
    if let Some(effort) = effort {
        let with = reasoning.get_or_insert_with(|| Reasoning {
            extras: Extras::new(HOME, Vec::new()),
            ..Reasoning::default()
        });
        with.effort = Some(Effort::read(effort));
        with.extras.notes.push(notes::EFFORT);
    }
    reasoning
}

fn read_thinking(fields: &mut Fields<'_>) -> Option<Reasoning> {
    let mut thinking = Fields::read(fields.get("thinking")?)?;
    let (note, budget) = match thinking.take_string("type")?.as_str() {
        "enabled" => (notes::THINKING_ENABLED, thinking.take_u64("budget_tokens")),
        "adaptive" => (notes::THINKING_ADAPTIVE, None),
        "disabled" => (notes::THINKING_DISABLED, Some(0)),
        _ => return None,
    };
    fields.take_any("thinking");
    Some(Reasoning { budget, extras: Extras::new(HOME, thinking.rest()).with(note), ..Reasoning::default() })
}

/// What to write of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// Nothing: what the model does by itself.
    Absent,
    /// As the client wrote it.
    AsWritten,
    /// So many tokens, made from what a client of another dialect wrote.
    Budget(u64),
    /// A step, made from the same, and whether to think at all.
    Effort(&'static str, Thinks),
}

/// Whether a request with an effort also asks for thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinks {
    /// As much as the effort says.
    Adaptively,
    /// Something in the request forbids it.
    No,
}

/// What the client of another dialect wants.
struct Wish<'r> {
    request: &'r Request,
    reasoning: &'r Reasoning,
    claude: Claude,
    field: String,
}

/// Decides. `max_tokens` is what will be written.
pub(super) fn plan(request: &Request, max_tokens: u64, losses: &mut Losses) -> Thinking {
    let Some(reasoning) = &request.reasoning else { return Thinking::Absent };
    if is_home(&reasoning.extras) {
        return Thinking::AsWritten;
    }
    tell_extras(losses, "reasoning", &reasoning.extras);
    if reasoning.summary.is_some() {
        losses.hint("reasoning.summary", "Anthropic always shows a summary");
    }
    let client = request.extras.dialect.unwrap_or(HOME);
    let setting = if reasoning.budget.is_some() { "reasoning_budget" } else { "reasoning_effort" };
    let field = place::setting(client, setting);
    let wish = Wish { request, reasoning, claude: Claude::of(request), field };
    if wish.claude.thinks_by_effort() { wish.by_effort(losses) } else { wish.by_budget(max_tokens, losses) }
}

impl Wish<'_> {
    fn by_effort(&self, losses: &mut Losses) -> Thinking {
        let Some((effort, is_exact)) = self.step(losses) else { return Thinking::Absent };
        if !is_exact {
            losses.hint(&self.field, "approximated by a step of effort");
        }
        match obstacle(self.request) {
            Some(why @ (Obstacle::ForcedTool | Obstacle::Prefill)) => {
                losses.hint(&self.field, why.note());
                Thinking::Effort(effort, Thinks::No)
            }
            Some(Obstacle::ThoughtsMissing) | None => Thinking::Effort(effort, Thinks::Adaptively),
        }
    }

    /// The step, and whether it is just what was asked for.
    fn step(&self, losses: &mut Losses) -> Option<(&'static str, bool)> {
        if let Some(budget) = self.reasoning.budget {
            return match budget {
                0 => None,
                1..=1_024 => Some(("low", false)),
                1_025..=8_192 => Some(("medium", false)),
                _ => Some(("high", false)),
            };
        }
        match self.reasoning.effort.as_ref()? {
            Effort::None => None,
            Effort::Minimal => Some(("low", false)),
            Effort::Low => Some(("low", true)),
            Effort::Medium => Some(("medium", true)),
            Effort::High => Some(("high", true)),
            Effort::XHigh if self.claude.has_extra_high() => Some(("xhigh", true)),
            Effort::XHigh => Some(("max", false)),
            Effort::Max => Some(("max", true)),
            Effort::Other(_) => self.unknown_step(losses),
        }
    }

    fn unknown_step<T>(&self, losses: &mut Losses) -> Option<T> {
        losses.hint(&self.field, "Anthropic does not know this step");
        None
    }

    fn by_budget(&self, max_tokens: u64, losses: &mut Losses) -> Thinking {
        let Some(wanted) = self.tokens(losses) else { return Thinking::Absent };
        if let Some(why) = obstacle(self.request) {
            losses.hint(&self.field, why.note());
            return Thinking::Absent;
        }
        let budget = wanted.max(LEAST_BUDGET).min(max_tokens.saturating_sub(1));
        if budget < LEAST_BUDGET {
            losses.hint(&self.field, "the limit of tokens leaves none to think");
            return Thinking::Absent;
        }
        if self.reasoning.budget.is_none() {
            losses.hint(&self.field, "approximated by a budget of tokens");
        } else if budget != wanted {
            losses.hint(&self.field, "approximated: at least 1,024 and less than the limit of tokens");
        }
        Thinking::Budget(budget)
    }

    /// LiteLLM gives `low` to `high` the same ones; its 128 for `minimal` the API refuses.
    fn tokens(&self, losses: &mut Losses) -> Option<u64> {
        if let Some(budget) = self.reasoning.budget {
            return (budget > 0).then_some(budget);
        }
        match self.reasoning.effort.as_ref()? {
            Effort::None => None,
            Effort::Minimal | Effort::Low => Some(LEAST_BUDGET),
            Effort::Medium => Some(2_048),
            Effort::High => Some(4_096),
            Effort::XHigh | Effort::Max => Some(8_192),
            Effort::Other(_) => self.unknown_step(losses),
        }
    }
}

/// Why the API would refuse to think about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    ForcedTool,
    Prefill,
    /// Only where thinking has a budget.
    ThoughtsMissing,
}

impl Obstacle {
    fn note(self) -> &'static str {
        match self {
            Self::ForcedTool => "Anthropic does not think where a tool is forced",
            Self::Prefill => "Anthropic does not think where its answer is begun",
            Self::ThoughtsMissing => {
                "Anthropic does not go on to think where the thoughts before the tools are missing"
            }
        }
    }
}

fn obstacle(request: &Request) -> Option<Obstacle> {
    if matches!(
        request.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { required: true, .. })
    ) {
        return Some(Obstacle::ForcedTool);
    }
    let last = request.turns.last()?;
    if last.role == Role::Assistant {
        return Some(Obstacle::Prefill);
    }
    // The loop of tools that the model is in, from the last that it said to the end. It may be several turns: OpenAI's
    // responses have one for the thoughts and one for each call.
    let waits = matches!(last.role, Role::Tool) || last.parts.iter().any(is_result);
    let is_said = |turn: &&Turn| turn.role == Role::Assistant;
    let mut said =
        request.turns.iter().rev().skip_while(|turn| !is_said(turn)).take_while(is_said).peekable();
    said.peek().filter(|_| waits)?;
    let has_thoughts = said.flat_map(|turn| &turn.parts).any(|part| match &part.body {
        Body::Thinking { seal, .. } => turns::is_sealed_here(seal.as_ref()),
        _ => false,
    });
    (!has_thoughts).then_some(Obstacle::ThoughtsMissing)
}

fn is_result(part: &Part) -> bool {
    matches!(part.body, Body::ToolResult { .. })
}

/// Writes `thinking`.
pub(super) fn write(object: &mut Writer<'_>, request: &Request, thinking: &Thinking) {
    match (thinking, &request.reasoning) {
        (Thinking::AsWritten, Some(reasoning)) => write_as_written(object, reasoning),
        (Thinking::Budget(tokens), _) => {
            object.nested("thinking", |object| {
                object.string("type", "enabled").number("budget_tokens", *tokens);
            });
        }
        (Thinking::Effort(_, Thinks::Adaptively), reasoning) => {
            let is_asked = Claude::of(request).hides_thoughts()
                && reasoning.as_ref().is_some_and(|asked| shows::is_wanted(request, asked));
            object.nested("thinking", |object| {
                object.string("type", "adaptive").string_if("display", is_asked.then_some("summarized"));
            });
        }
        _ => {}
    }
}

fn write_as_written(object: &mut Writer<'_>, reasoning: &Reasoning) {
    let extras = &reasoning.extras;
    let kinds = [
        (notes::THINKING_ENABLED, "enabled"),
        (notes::THINKING_ADAPTIVE, "adaptive"),
        (notes::THINKING_DISABLED, "disabled"),
    ];
    let Some((_, kind)) = kinds.into_iter().find(|(note, _)| extras.notes(HOME, note)) else { return };
    object.nested("thinking", |object| {
        object.string("type", kind);
        if let Some(budget) = reasoning.budget.filter(|_| kind == "enabled") {
            object.number("budget_tokens", budget);
        }
        object.all(extras.of(HOME));
    });
}

/// The effort to write in `output_config`.
pub(super) fn effort<'r>(request: &'r Request, thinking: &Thinking) -> Option<&'r str> {
    match (thinking, &request.reasoning) {
        (Thinking::Effort(effort, _), _) => Some(effort),
        (Thinking::AsWritten, Some(reasoning)) if reasoning.extras.notes(HOME, notes::EFFORT) => {
            reasoning.effort.as_ref().map(Effort::name)
        }
        _ => None,
    }
}

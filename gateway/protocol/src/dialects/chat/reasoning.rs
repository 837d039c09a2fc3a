//! How much to think: OpenAI's `reasoning_effort`, OpenRouter's `reasoning`, and Anthropic's `thinking` as LiteLLM's
//! clients send it.
//! Sources: platform.openai.com/docs/guides/reasoning, openrouter.ai/docs/use-cases/reasoning-tokens,
//! docs.litellm.ai/docs/reasoning_content, as recorded by 2026-11-21.

use catalogue::Setting;

use super::losses::tell;
use super::ways::{CHAT, Node};
use crate::dialects::taker::taken;
use crate::hub::{Effort, Reasoning, Request};
use crate::json::{Fields, Writer};
use crate::loss::Losses;

/// Takes one of the forms. If there are more, the others stay extras.
pub(super) fn decode(node: &mut Node<'_>) -> Option<Reasoning> {
    if let Some(fields) = node.fields.take_object("reasoning") {
        return Some(object_form(Node::of(fields)));
    }
    if let Some(step) = node.fields.take_string("reasoning_effort") {
        return Some(Reasoning { effort: Some(Effort::read(step)), ..Reasoning::default() });
    }
    thinking(node)
}

fn object_form(mut inner: Node<'_>) -> Reasoning {
    inner.note("reasoning");
    let step = inner.fields.take_string("effort");
    let budget = inner.fields.take_u64("max_tokens");
    let summary = inner.fields.take_string("summary");
    Reasoning { effort: step.map(Effort::read), budget, summary, extras: inner.extras() }
}

/// `thinking` with more in it than a budget is another provider's, and stays an extra.
fn thinking(node: &mut Node<'_>) -> Option<Reasoning> {
    let mut inner = Fields::read(node.fields.get("thinking")?)?;
    let kind = inner.take_string("type")?;
    let (budget, note) = match kind.as_str() {
        "enabled" => (inner.take_u64("budget_tokens")?, "thinking:enabled"),
        "disabled" => (0, "thinking:disabled"),
        _ => return None,
    };
    if !inner.is_empty() {
        return None;
    }
    node.fields.take("thinking")?;
    let mut extras = Node::default();
    extras.note(note);
    Some(Reasoning { budget: Some(budget), extras: extras.extras(), ..Reasoning::default() })
}

pub(super) fn encode(object: &mut Writer<'_>, request: &Request, losses: &mut Losses) {
    let reasoning = taken(CHAT, request, Setting::ReasoningEffort, request.reasoning.as_ref(), losses);
    let Some(reasoning) = reasoning else { return };
    let extras = &reasoning.extras;
    let step = reasoning.effort.as_ref().map(|effort| step(effort, request, losses));
    if extras.notes(CHAT, "reasoning") {
        write_object_form(object, reasoning, step);
    } else if extras.notes(CHAT, "thinking:enabled") {
        object.nested("thinking", |inner| {
            inner.string("type", "enabled").number("budget_tokens", reasoning.budget.unwrap_or(0));
        });
    } else if extras.notes(CHAT, "thinking:disabled") {
        object.nested("thinking", |inner| {
            inner.string("type", "disabled");
        });
    } else {
        approximate(object, reasoning, step, losses);
    }
    tell(losses, extras, "reasoning");
}

fn write_object_form(object: &mut Writer<'_>, reasoning: &Reasoning, step: Option<&str>) {
    object.nested("reasoning", |inner| {
        inner.string_if("effort", step);
        if let Some(budget) = reasoning.budget {
            inner.number("max_tokens", budget);
        }
        inner.string_if("summary", reasoning.summary.as_deref()).all(reasoning.extras.of(CHAT));
    });
}

/// What every provider knows is the step; a budget becomes the nearest.
fn approximate(object: &mut Writer<'_>, reasoning: &Reasoning, step: Option<&str>, losses: &mut Losses) {
    let nearest = reasoning.budget.map(|budget| match budget {
        0 => "none",
        1..=1024 => "low",
        1025..=2048 => "medium",
        _ => "high",
    });
    if nearest.is_some() && (step.is_some() || nearest != Some("none")) {
        losses.hint("thinking.budget_tokens", "chat completions count reasoning in steps, not tokens");
    }
    object.string_if("reasoning_effort", step.or(nearest));
    if reasoning.summary.is_some() {
        losses.hint("reasoning.summary", "chat completions show what the provider shows");
    }
}

/// Of the two highest steps, more models know `xhigh`.
fn step<'r>(effort: &'r Effort, request: &Request, losses: &mut Losses) -> &'r str {
    if *effort == Effort::Max && request.extras.dialect != Some(CHAT) {
        losses.hint("reasoning_effort", "approximated: `xhigh` is the highest step that most models know");
        return Effort::XHigh.name();
    }
    effort.name()
}

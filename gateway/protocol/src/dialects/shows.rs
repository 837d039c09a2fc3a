//! Whether a client is shown what the model thought, where the provider must be asked for it.

use catalogue::Dialect;

use crate::hub::{Effort, Reasoning, Request};

/// Clients of the Responses API ask for a summary. Those of other languages read thoughts wherever they come, as from
/// providers that always show them; LiteLLM's rely on it.
pub(super) fn is_wanted(request: &Request, reasoning: &Reasoning) -> bool {
    let thinks = reasoning.budget != Some(0) && reasoning.effort != Some(Effort::None);
    let says_all = request.extras.dialect == Some(Dialect::OpenaiResponses);
    reasoning.summary.is_some() || (thinks && !says_all && !hides(reasoning))
}

/// Anthropic's clients may say that they want none.
fn hides(reasoning: &Reasoning) -> bool {
    let display = reasoning.extras.of(Dialect::Anthropic).iter().find(|(name, _)| name == "display");
    display.is_some_and(|(_, raw)| raw.get() == "\"omitted\"")
}

//! Whether a target of a route is one of a request: an expression in CEL over the facts of the request.
//! Source: github.com/google/cel-spec, doc/langdef.md, read 2026-11-25.

use cel::context::VariableResolver;
use cel::{Context, Program, Value};

/// An expression, ready to be asked.
#[derive(Debug)]
pub(crate) struct Condition(Program);

impl Condition {
    /// # Errors
    /// What is wrong with `text`.
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        Program::compile(text).map(Self).map_err(|error| error.to_string())
    }

    /// Whether it holds for these facts. One that comes to no truth does not.
    pub(crate) fn holds(&self, facts: &dyn VariableResolver) -> bool {
        let mut context = Context::default();
        context.set_variable_resolver(facts);
        match self.0.execute(&context) {
            Ok(Value::Bool(holds)) => holds,
            Ok(_) => false,
            Err(error) => {
                tracing::debug!(%error, "a condition of a route cannot be told for a request");
                false
            }
        }
    }
}

//! Whether a target of a route is one of a request. `config::Condition` reads what is written.

use cel::context::VariableResolver;
use cel::{Context, Value};
use config::Condition;

/// Whether `condition` holds for these facts. One that comes to no truth does not.
pub(crate) fn holds(condition: &Condition, facts: &dyn VariableResolver) -> bool {
    let mut context = Context::default();
    context.set_variable_resolver(facts);
    match condition.program().execute(&context) {
        Ok(Value::Bool(holds)) => holds,
        Ok(_) => false,
        Err(error) => {
            tracing::debug!(%error, "a condition of a route cannot be told for a request");
            false
        }
    }
}

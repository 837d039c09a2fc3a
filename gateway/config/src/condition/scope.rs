//! What an expression names, and how much it may do: known facts and functions only, no deeper than a thread's stack
//! bears, and no loops in loops in loops.

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, operators};

use super::{ConditionError, FACTS, FUNCTIONS};

/// How deep an expression may be: each step down takes some ten kilobytes of stack where it runs.
const DEPTH: usize = 24;

/// Loops in each other: with a third, a thousand characters could take minutes.
const LOOPS: usize = 2;

const OPERATORS: &[&str] = &[
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
    operators::NOT_STRICTLY_FALSE,
    operators::IN,
];

/// Where in an expression we are.
#[derive(Default)]
struct Place<'e> {
    /// The names that macros around it give.
    names: Vec<&'e str>,
    depth: usize,
    loops: usize,
}

pub(super) fn check(expression: &IdedExpr) -> Result<(), ConditionError> {
    Place::default().visit(expression)
}

impl<'e> Place<'e> {
    fn visit(&mut self, expression: &'e IdedExpr) -> Result<(), ConditionError> {
        if self.depth == DEPTH {
            return Err(ConditionError::TooComplex("is nested too deeply"));
        }
        self.depth += 1;
        let seen = self.visit_parts(&expression.expr);
        self.depth -= 1;
        seen
    }

    fn visit_parts(&mut self, expression: &'e Expr) -> Result<(), ConditionError> {
        match expression {
            Expr::Ident(name) => self.name(name),
            Expr::Literal(_) => Ok(()),
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                if !OPERATORS.contains(&name) && !FUNCTIONS.contains(&name) {
                    return Err(ConditionError::UnknownFunction(name.to_owned()));
                }
                self.visit_all(call.target.as_deref().into_iter().chain(&call.args))
            }
            Expr::Select(select) => self.visit(&select.operand),
            Expr::List(list) => self.visit_all(&list.elements),
            Expr::Map(map) => {
                let entries = map.entries.iter().flat_map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => [Some(&entry.key), Some(&entry.value)],
                    EntryExpr::StructField(field) => [Some(&field.value), None],
                });
                self.visit_all(entries.flatten())
            }
            Expr::Comprehension(comprehension) => self.visit_loop(comprehension),
            Expr::Struct(made) => Err(ConditionError::UnknownFunction(made.type_name.clone())),
            Expr::Unspecified => Err(ConditionError::Unreadable),
        }
    }

    fn visit_all(&mut self, parts: impl IntoIterator<Item = &'e IdedExpr>) -> Result<(), ConditionError> {
        parts.into_iter().try_for_each(|part| self.visit(part))
    }

    fn visit_loop(&mut self, comprehension: &'e ComprehensionExpr) -> Result<(), ConditionError> {
        if self.loops == LOOPS {
            return Err(ConditionError::TooComplex("has loops in loops in loops"));
        }
        self.visit(&comprehension.iter_range)?;
        self.visit(&comprehension.accu_init)?;
        let outside = self.names.len();
        self.names.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
        self.names.extend(comprehension.iter_var2.as_deref());
        self.loops += 1;
        let inside = [&comprehension.loop_cond, &comprehension.loop_step, &comprehension.result];
        let seen = self.visit_all(inside);
        self.loops -= 1;
        self.names.truncate(outside);
        seen
    }

    fn name(&self, name: &str) -> Result<(), ConditionError> {
        if FACTS.contains(&name) || self.names.contains(&name) {
            return Ok(());
        }
        Err(ConditionError::UnknownFact(name.to_owned()))
    }
}

//! Conditions of route targets: CEL over the facts of a request. Whoever renders reads them to tell people what is wrong,
//! gateways read them again to run them. What is read here can be run by anybody's request: it ends soon, needs little
//! stack, and gives true or false, as far as that can be told before.

mod scope;

use cel::{Context, ExecutionError, Program, Value};

/// What a condition can speak of, and the gateway tells it: `model` (string, as the client named it), `tags` (list of
/// strings), `tokens` (int, about how many the input has), `max_tokens` (int, 0 if not said), `stream`, `tools`, `images`,
/// `json_schema` (bool), `customer`, `key`, `team`, `user` (string, empty if none), `language` (string, of the client:
/// openai-chat, openai-responses, anthropic, gemini …).
pub const FACTS: &[&str] = &[
    "model",
    "tags",
    "tokens",
    "max_tokens",
    "stream",
    "tools",
    "images",
    "json_schema",
    "customer",
    "key",
    "team",
    "user",
    "language",
];

/// What a condition can call, besides operators and the macros `all`, `exists`, `exists_one`, `filter`, `map`.
pub const FUNCTIONS: &[&str] =
    &["contains", "double", "endsWith", "int", "max", "min", "size", "startsWith", "string", "uint"];

/// Characters of a condition.
const LONGEST: usize = 1_024;

/// The parser goes down some hundred kilobytes for each bracket of an unoptimised build, and 96 deep at most.
const STACK_BYTES: usize = 32 << 20;

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Nobody needs more, and it is read on every pod.
    #[error("has more than {LONGEST} characters")]
    TooLong,
    /// No CEL. The parser's words.
    #[error("is no CEL expression: line {line}, column {column}: {reason}; the facts are {facts}", facts = FACTS.join(", "))]
    Syntax {
        /// From 1.
        line: isize,
        /// From 1.
        column: isize,
        /// The first of them.
        reason: String,
    },
    /// A misspelt fact would never hold, in silence.
    #[error("speaks of {0}, which is no fact of a request: the facts are {facts}", facts = FACTS.join(", "))]
    UnknownFact(String),
    /// It would fail for every request.
    #[error("calls {0}, which conditions cannot: they can call {functions}", functions = FUNCTIONS.join(", "))]
    UnknownFunction(String),
    /// It could take for ever, or all of a thread's stack.
    #[error("{0}: write it shorter, or as several targets")]
    TooComplex(&'static str),
    /// It cannot hold or not hold.
    #[error("is {0}, not true or false: compare it with something")]
    NotBoolean(&'static str),
    /// It would fail for every request that comes so far.
    #[error("compares or computes with what does not go together: {0}")]
    Mismatch(String),
    /// The parser gave up.
    #[error("cannot be read: write it more simply")]
    Unreadable,
}

/// A condition that can be run.
#[derive(Debug)]
pub struct Condition {
    program: Program,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// [`ConditionError`], for the author of the text.
    pub fn read(text: &str) -> Result<Self, ConditionError> {
        if text.chars().count() > LONGEST {
            return Err(ConditionError::TooLong);
        }
        let text = text.to_owned();
        // With a stack of its own: the parser would break through that of a usual thread, and the process with it. And
        // a panic in the parser ends here.
        let thread = std::thread::Builder::new().name("condition".into()).stack_size(STACK_BYTES);
        let reader = thread.spawn(move || read(&text)).map_err(|_| ConditionError::Unreadable)?;
        reader.join().unwrap_or(Err(ConditionError::Unreadable))
    }

    /// Runs with a context that has all of [`FACTS`].
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }
}

fn read(text: &str) -> Result<Condition, ConditionError> {
    let program = Program::compile(text).map_err(|errors| syntax(&errors))?;
    scope::check(program.expression())?;
    try_out(&program)?;
    Ok(Condition { program })
}

fn syntax(errors: &cel::ParseErrors) -> ConditionError {
    let Some(first) = errors.errors.first() else { return ConditionError::Unreadable };
    let reason: String = first.msg.lines().next().unwrap_or_default().chars().take(200).collect();
    ConditionError::Syntax { line: first.pos.0, column: first.pos.1, reason }
}

/// Runs it once, over a request that is like none, to see what comes out. That it fails for want of a value says nothing:
/// other requests have others.
fn try_out(program: &Program) -> Result<(), ConditionError> {
    let mut facts = Context::default();
    for fact in FACTS {
        facts.add_variable_from_value(*fact, sample(fact));
    }
    match program.execute(&facts) {
        Ok(Value::Bool(_)) => Ok(()),
        Ok(other) => Err(ConditionError::NotBoolean(kind_of(&other))),
        Err(
            error @ (ExecutionError::NoSuchOverload
            | ExecutionError::ValuesNotComparable(..)
            | ExecutionError::UnsupportedBinaryOperator(..)
            | ExecutionError::UnsupportedUnaryOperator(..)
            | ExecutionError::UnexpectedType { .. }
            | ExecutionError::UnsupportedTargetType { .. }
            | ExecutionError::NotSupportedAsMethod { .. }
            | ExecutionError::InvalidArgumentCount { .. }
            | ExecutionError::MissingArgumentOrTarget),
        ) => Err(ConditionError::Mismatch(error.to_string().chars().take(200).collect())),
        Err(_) => Ok(()),
    }
}

fn sample(fact: &str) -> Value {
    match fact {
        "tags" => Value::from(vec!["a tag"]),
        "tokens" | "max_tokens" => Value::Int(1),
        "stream" | "tools" | "images" | "json_schema" => Value::Bool(true),
        _ => Value::from("a name"),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => "a number",
        Value::String(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
        _ => "a value",
    }
}

#[cfg(test)]
mod tests;

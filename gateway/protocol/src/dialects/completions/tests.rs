//! Edges of the dialect. `tests/dialects` holds its laws over whole exchanges.

mod answers;
mod requests;

use serde_json::Value;

use crate::dialects::Echo;

fn echo() -> Echo {
    Echo { model: "asked".into(), id: "0".repeat(32), created: 7, stream_usage: true }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

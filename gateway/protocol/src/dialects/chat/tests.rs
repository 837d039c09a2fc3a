//! Edges of the dialect. `tests/dialects` holds its laws over whole exchanges.

mod answers;
mod requests;
mod streams;

use serde_json::Value;

use super::ways::CHAT;
use crate::dialects::Echo;
use crate::hub::{At, Body, Extras, Part, Seal};
use crate::json::RawJson;

fn echo() -> Echo {
    Echo { model: "asked".into(), id: "0".repeat(32), created: 7, stream_usage: true }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn call(id: &str, name: &str, seal: Option<Seal>) -> Part {
    Part::new(Body::ToolCall { id: id.into(), name: name.into(), arguments: "{}".into(), seal })
}

fn seal(dialect: catalogue::Dialect, bytes: &str) -> Seal {
    Seal { dialect, bytes: bytes.into() }
}

fn extras(dialect: catalogue::Dialect, name: &str, json: &str) -> Extras {
    Extras::new(dialect, vec![(name.into(), RawJson::parse(json).unwrap())])
}

fn at(part: usize) -> At {
    At { candidate: 0, part }
}

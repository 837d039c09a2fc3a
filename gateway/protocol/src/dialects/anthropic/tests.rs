//! Rules at the edges. Identity and tolerance are in `tests/dialects`.

mod answers;
mod requests;
mod settings;
mod streams;

use catalogue::Dialect;
use serde_json::Value;

use super::super::Echo;
use crate::hub::{Body, Extras, Part, Request, Role, Seal, Turn};
use crate::loss::{Encoded, Weight};

fn echo() -> Echo {
    Echo { model: "alias".into(), id: "1".repeat(32), created: 1, stream_usage: false }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A turn of a client that speaks chat.
fn turn(role: Role, parts: Vec<Part>) -> Turn {
    Turn { role, parts, extras: Extras::new(Dialect::OpenaiChat, Vec::new()) }
}

fn said(role: Role, text: &str) -> Turn {
    turn(role, vec![Part::text(text)])
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    let (id, name, arguments) = (id.to_owned(), name.to_owned(), arguments.to_owned());
    Part::new(Body::ToolCall { id, name, arguments, seal: None })
}

fn result(call: &str, text: &str) -> Part {
    let parts = vec![Part::text(text)];
    Part::new(Body::ToolResult { call: call.to_owned(), name: None, parts, failed: false })
}

fn thought(text: &str, seal: Option<(Dialect, &str)>) -> Part {
    let seal = seal.map(|(dialect, bytes)| Seal { dialect, bytes: bytes.to_owned() });
    Part::new(Body::Thinking { text: text.to_owned(), seal })
}

/// A request of a client that speaks chat.
fn request(turns: Vec<Turn>) -> Request {
    let extras = Extras::new(Dialect::OpenaiChat, Vec::new());
    Request { model: "claude-haiku-4-5".into(), turns, extras, ..Request::default() }
}

fn told(encoded: &Encoded) -> Vec<(&str, Weight)> {
    encoded.losses.all().iter().map(|loss| (loss.field.as_str(), loss.weight)).collect()
}

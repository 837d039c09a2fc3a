//! Clients and providers of each language, as data: one question, one answer in words, one by a tool. Tests read
//! both sides through here, so that a cell of the table is one assertion.

mod anthropic;
mod chat;
mod completions;
mod gemini;
mod responses;

use catalogue::Dialect;
use serde_json::{Value, json};

pub(crate) const SYSTEM: &str = "Be brief.";
pub(crate) const QUESTION: &str = "Weather in Oslo?";
pub(crate) const TOOL: &str = "weather";
pub(crate) const RESULT: &str = "Rain, 4 degrees";

/// What every answer in words says, and every usage.
pub(crate) const WORDS: &str = "Sunny.";
pub(crate) const USAGE: (u64, u64) = (11, 5);

/// One language, as clients and providers of it write and read.
pub(crate) struct Speaker {
    pub(crate) dialect: Dialect,
    /// Whether it has turns and tools. The other kind says one text.
    pub(crate) converses: bool,
    /// Where clients send. Gemini's has the model and the wish for a stream in it.
    pub(crate) path: fn(stream: bool) -> &'static str,
    /// Where providers get it, and a header that only they get.
    pub(crate) endpoint: fn(stream: bool) -> &'static str,
    /// A request for the model `any`.
    pub(crate) ask: fn(stream: bool) -> Value,
    /// The same after the model has asked for the tool and the tool has answered.
    pub(crate) follow_up: fn() -> Value,
    /// What a provider sees in a request.
    pub(crate) heard: fn(&Value) -> Heard,
    pub(crate) answer: fn() -> Value,
    pub(crate) tool_answer: fn() -> Value,
    pub(crate) stream: fn() -> String,
    pub(crate) tool_stream: fn() -> String,
    /// What a client sees in an answer.
    pub(crate) said: fn(&Value) -> Said,
    /// What a client sees in a stream that ended well.
    pub(crate) streamed: fn(&str) -> Said,
    /// The message of an error body.
    pub(crate) error: fn(&Value) -> Option<String>,
    /// The message of an error event that ends `stream`.
    pub(crate) stream_error: fn(&str) -> Option<String>,
}

/// What a provider sees.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) system: String,
    pub(crate) question: String,
    pub(crate) tools: Vec<String>,
    /// The call in the history, and its result.
    pub(crate) call: Option<(String, Value)>,
    pub(crate) result: Option<String>,
}

/// What a client sees.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) call: Option<(String, Value)>,
    pub(crate) usage: Option<(u64, u64)>,
}

pub(crate) const ALL: [&Speaker; 5] =
    [&chat::SPEAKER, &responses::SPEAKER, &completions::SPEAKER, &anthropic::SPEAKER, &gemini::SPEAKER];

pub(crate) fn speaker(dialect: Dialect) -> &'static Speaker {
    ALL.into_iter().find(|one| one.dialect == dialect).expect("each has one")
}

impl Speaker {
    /// A request for the model `any` that a provider that speaks `provider` can answer: with the tool, if that may be.
    pub(crate) fn ask_of(&self, provider: &Self, stream: bool) -> Value {
        let mut ask = (self.ask)(stream);
        if !provider.converses {
            ask.as_object_mut().expect("an object").remove("tools");
        }
        ask
    }

    /// Whether both can say that a tool is called.
    pub(crate) fn may_call(&self, provider: &Self) -> bool {
        self.converses && provider.converses
    }
}

pub(crate) fn arguments() -> Value {
    json!({"city": "Oslo"})
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

/// The `data` of each frame that has some and is JSON.
fn data(stream: &str) -> Vec<Value> {
    let lines = stream.lines().filter_map(|line| line.strip_prefix("data:"));
    lines.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
}

fn frames(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

/// With the event's type before its data, as OpenAI's responses and Anthropic have it.
fn named_frames(events: &[Value]) -> String {
    let name = |event: &Value| event["type"].as_str().expect("a type").to_owned();
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", name(event))).collect()
}

/// All texts in `value` under keys named `text`, or itself if it is one.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(texts).collect(),
        Value::Object(fields) => fields.get("text").map(texts).unwrap_or_default(),
        _ => String::new(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn parsed(value: &Value) -> Value {
    serde_json::from_str(value.as_str().unwrap_or_default()).unwrap_or_default()
}

fn counts(usage: &Value, input: &str, output: &str) -> Option<(u64, u64)> {
    Some((usage[input].as_u64()?, usage[output].as_u64()?))
}

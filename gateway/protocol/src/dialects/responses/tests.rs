//! The edges: what the laws over the corpus do not reach, most of it what other dialects' content becomes.

mod answers;
mod requests;
mod streams;

use serde_json::Value;

use crate::dialects::Echo;
use crate::hub::{Answer, Event, Fold};

fn echo() -> Echo {
    Echo { model: "sea".into(), id: "0".repeat(32), created: 7, stream_usage: true }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn fold(events: impl IntoIterator<Item = Event>) -> Answer {
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish().expect("no fault")
}

/// The answer or the frames of an authored exchange.
fn response_of(exchange: &str) -> Value {
    json(exchange)["response"].take()
}

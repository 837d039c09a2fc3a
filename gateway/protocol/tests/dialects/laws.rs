//! Identity, fold and tolerance: each dialect by itself.

use catalogue::Dialect;
use protocol::dialects::{
    Echo, decode_answer, decode_request, encode_answer, encode_request, stream_encoder,
};
use serde_json::Value;

use crate::support::{decode, differences, encode, exchanges, fold};

fn echo() -> Echo {
    Echo { model: "echoed".into(), id: "0".repeat(32), created: 1, stream_usage: true }
}

/// Counts, and shows the first failures instead of only one.
struct Tally {
    law: &'static str,
    kept: usize,
    broken: Vec<String>,
}

impl Tally {
    fn new(law: &'static str) -> Self {
        Self { law, kept: 0, broken: Vec::new() }
    }

    fn add(&mut self, place: &str, differences: Vec<String>) {
        if differences.is_empty() {
            self.kept += 1;
        } else {
            self.broken.push(format!("{place}\n    {}", differences.join("\n    ")));
        }
    }

    fn close(self, dialect: Dialect) {
        let Self { law, kept, broken } = self;
        println!("{}: {law} holds for {kept}, not for {}", dialect.name(), broken.len());
        let shown: Vec<_> = broken.iter().take(8).cloned().collect();
        assert!(
            broken.is_empty(),
            "{law}, {}: {} broken\n{}",
            dialect.name(),
            broken.len(),
            shown.join("\n")
        );
        assert!(kept > 0, "{law}, {}: nothing to hold it over", dialect.name());
    }
}

fn requests_come_back(dialect: Dialect) {
    let mut tally = Tally::new("encode(decode(request)) is the request");
    for exchange in exchanges(dialect) {
        let Some(request) = exchange.request else { continue };
        let differences = match decode_request(dialect, &request.to_string()) {
            Ok(decoded) => {
                let encoded = encode_request(dialect, &decoded);
                let back: Value = serde_json::from_str(&encoded.body).unwrap_or(Value::Null);
                let mut found = differences(&request, &back);
                found.extend(encoded.losses.all().iter().map(|loss| format!("a loss at home: {loss:?}")));
                found
            }
            Err(error) => vec![error.to_string()],
        };
        tally.add(&exchange.place, differences);
    }
    tally.close(dialect);
}

fn answers_come_back(dialect: Dialect) {
    let mut tally = Tally::new("encode(decode(answer)) is the answer");
    for exchange in exchanges(dialect) {
        let Some(answer) = exchange.answer else { continue };
        // Read as often as what it is compared with: this reader of numbers is off by a last digit now and then.
        let mut answer: Value = serde_json::from_str(&answer.to_string()).unwrap();
        let differences = match decode_answer(dialect, &answer.to_string()) {
            Ok(decoded) => {
                let encoded = encode_answer(dialect, &decoded, &echo());
                let mut back: Value = serde_json::from_str(&encoded.body).unwrap_or(Value::Null);
                // The client's name for the model stands in for the provider's.
                for value in [&mut answer, &mut back] {
                    for key in ["model", "modelVersion"] {
                        value.as_object_mut().map(|fields| fields.remove(key));
                    }
                }
                differences(&answer, &back)
            }
            Err(error) => vec![error.to_string()],
        };
        tally.add(&exchange.place, differences);
    }
    tally.close(dialect);
}

fn streams_come_back(dialect: Dialect) {
    let mut tally = Tally::new("a stream written anew folds to the same answer");
    for exchange in exchanges(dialect) {
        let Some(stream) = exchange.stream else { continue };
        let events = decode(dialect, &stream);
        let Ok(mut first) = fold(events.clone()) else { continue };
        let mut encoder = stream_encoder(dialect, Echo { model: first.model.clone(), ..echo() });
        let again = encode(&mut *encoder, &events);
        let differences = match fold(decode(dialect, again.as_bytes())) {
            Ok(mut second) => {
                // A provider that names no id gets one.
                if first.id.is_empty() {
                    second.id.clear();
                }
                if first.created.is_none() {
                    second.created = None;
                }
                first.extras.fields.sort_by(|a, b| a.0.cmp(&b.0));
                second.extras.fields.sort_by(|a, b| a.0.cmp(&b.0));
                if first == second { Vec::new() } else { vec![format!("{first:#?}\nbecame\n{second:#?}")] }
            }
            Err(fault) => vec![format!("it became a fault: {fault:?}")],
        };
        tally.add(&exchange.place, differences);
    }
    tally.close(dialect);
}

/// Deletes each field once and retypes each leaf once; nothing may panic, and answers must still decode.
fn odd_answers_are_read(dialect: Dialect) {
    let mut tally = Tally::new("an answer with a field less or retyped is still read");
    for exchange in exchanges(dialect).into_iter().take(60) {
        let Some(answer) = exchange.answer else { continue };
        let mut broken = Vec::new();
        for pointer in pointers(&answer) {
            for odd in
                [None, Some(Value::from(7.5)), Some(Value::from("odd")), Some(Value::Array(Vec::new()))]
            {
                let mut changed = answer.clone();
                change(&mut changed, &pointer, odd.clone());
                if let Err(error) = decode_answer(dialect, &changed.to_string()) {
                    broken.push(format!("{pointer} as {odd:?}: {error}"));
                }
                // Requests may be refused, but not with a panic.
                decode_request(dialect, &changed.to_string()).ok();
            }
        }
        broken.truncate(5);
        tally.add(&exchange.place, broken);
    }
    tally.close(dialect);
}

fn pointers(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(String::new(), value, &mut found);
    found
}

fn walk(path: String, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            walk(format!("{path}/{key}"), value, found);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| walk(format!("{path}/{at}"), value, found));
        }
        _ => {}
    }
    if !path.is_empty() {
        found.push(path);
    }
}

fn change(value: &mut Value, pointer: &str, odd: Option<Value>) {
    if let Some(odd) = odd {
        if let Some(place) = value.pointer_mut(pointer) {
            *place = odd;
        }
        return;
    }
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.remove(&key)),
        Some(Value::Array(items)) => drop(items.remove(key.parse::<usize>().unwrap())),
        _ => {}
    }
}

macro_rules! laws_of {
    ($name:ident, $dialect:expr) => {
        mod $name {
            use catalogue::Dialect;

            #[test]
            fn requests_come_back() {
                super::requests_come_back($dialect);
            }

            #[test]
            fn answers_come_back() {
                super::answers_come_back($dialect);
            }

            #[test]
            fn streams_come_back() {
                super::streams_come_back($dialect);
            }

            #[test]
            fn odd_answers_are_read() {
                super::odd_answers_are_read($dialect);
            }
        }
    };
}

laws_of!(chat, Dialect::OpenaiChat);
laws_of!(responses, Dialect::OpenaiResponses);
laws_of!(completions, Dialect::OpenaiCompletions);
laws_of!(anthropic, Dialect::Anthropic);
laws_of!(gemini, Dialect::Gemini);

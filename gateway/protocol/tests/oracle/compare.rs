//! One case: what LiteLLM made of something and what we make of it; and where the two differ.

use std::fmt;

use serde_json::{Map, Value};

/// What both made of one input.
pub(crate) struct Case {
    /// `request/gemini/gemini-2.5-flash/tools_auto`.
    pub(crate) name: String,
    pub(crate) theirs: Value,
    pub(crate) ours: Value,
}

/// A place where the two differ. `None` is nothing there.
pub(crate) struct Difference {
    pub(crate) path: String,
    pub(crate) theirs: Option<Value>,
    pub(crate) ours: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} theirs={} ours={}", self.path, text(self.theirs.as_ref()), text(self.ours.as_ref()))
    }
}

/// A side as decisions name it.
pub(crate) fn text(side: Option<&Value>) -> String {
    side.map_or_else(|| "absent".to_owned(), Value::to_string)
}

/// Where the sides of `case` differ.
pub(crate) fn differences(case: &Case) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), Some(&case.theirs), Some(&case.ours), &mut found);
    found
}

fn compare(path: String, theirs: Option<&Value>, ours: Option<&Value>, found: &mut Vec<Difference>) {
    match (theirs, ours) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for key in keys(a, b) {
                let place = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(place, a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for at in 0..a.len().max(b.len()) {
                compare(format!("{path}[{at}]"), a.get(at), b.get(at), found);
            }
        }
        (Some(a), Some(b)) if a == b || is_same_number(a, b) || is_same_json(a, b) => {}
        (theirs, ours) => {
            found.push(Difference { path, theirs: theirs.cloned(), ours: ours.cloned() });
        }
    }
}

/// However it is spelt.
fn is_same_number(a: &Value, b: &Value) -> bool {
    a.is_number() && a.as_f64() == b.as_f64()
}

/// Arguments of calls are objects in a text, with or without spaces.
fn is_same_json(a: &Value, b: &Value) -> bool {
    let object = |value: &Value| serde_json::from_str::<Value>(value.as_str()?).ok().filter(Value::is_object);
    object(a).is_some_and(|read| object(b) == Some(read))
}

fn keys<'v>(a: &'v Map<String, Value>, b: &'v Map<String, Value>) -> impl Iterator<Item = &'v String> {
    a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)))
}

/// The same with `change` applied to every object, the innermost first.
pub(crate) fn each_object(
    value: &Value,
    change: &impl Fn(Map<String, Value>) -> Map<String, Value>,
) -> Value {
    match value {
        Value::Object(fields) => Value::Object(change(
            fields.iter().map(|(key, value)| (key.clone(), each_object(value, change))).collect(),
        )),
        Value::Array(items) => items.iter().map(|item| each_object(item, change)).collect(),
        other => other.clone(),
    }
}

/// Without fields that are null: to read an answer, one that is absent is the same.
pub(crate) fn without_nulls(value: &Value) -> Value {
    each_object(value, &|fields| fields.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// Without the fields that differ from call to call.
pub(crate) fn without(value: &Value, names: &[&str]) -> Value {
    each_object(value, &|fields| {
        fields.into_iter().filter(|(name, _)| !names.contains(&name.as_str())).collect()
    })
}

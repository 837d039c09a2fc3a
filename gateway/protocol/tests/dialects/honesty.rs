//! Nothing is lost in silence: a sentinel planted in each leaf of a request turns up in what another dialect
//! encodes, or the losses name its field.

use catalogue::Dialect;
use protocol::dialects::{decode_request, encode_request};
use serde_json::Value;

use crate::support::{DIALECTS, exchanges};

pub(crate) const SENTINEL: &str = "zq7SENTINELqz";

/// What is lost in silence, if anything is.
fn silence(from: Dialect, to: Dialect) -> Option<String> {
    let mut silent = std::collections::BTreeMap::<String, usize>::new();
    let mut checked = 0;
    for exchange in exchanges(from).into_iter().take(120) {
        let Some(request) = exchange.request else { continue };
        for pointer in text_leaves(&request) {
            let mut planted = request.clone();
            let Some(place) = planted.pointer_mut(&pointer) else { continue };
            *place = Value::from(SENTINEL);
            // A value that may not be anything else is refused, and that is honest.
            let Ok(decoded) = decode_request(from, &planted.to_string()) else { continue };
            // Gemini's model is in the path.
            if to == Dialect::Gemini && pointer == "/model" {
                continue;
            }
            let encoded = encode_request(to, &decoded);
            checked += 1;
            let told = encoded.losses.all().iter().any(|loss| covers(&loss.field, &pointer));
            if !encoded.body.contains(SENTINEL) && !told {
                *silent.entry(general(&pointer)).or_default() += 1;
            }
        }
    }
    println!("{} to {}: {checked} leaves checked", from.name(), to.name());
    assert!(checked > 0);
    (!silent.is_empty()).then(|| format!("{} to {} loses in silence: {silent:#?}", from.name(), to.name()))
}

/// A loss covers the field it names, all that is in it, and what consists of nothing else. What is before that name may be spelt otherwise, since the
/// hub has its own order of things: `messages[3].content[0]` is `/contents/3/parts/0` and `/input/3/output/0` too.
pub(crate) fn covers(field: &str, pointer: &str) -> bool {
    let name = field.rsplit('.').next().unwrap_or_default();
    let name = plain(name.split('[').next().unwrap_or_default());
    // Dialects have other names for one thing, and a loss may give both: `signature (encrypted_content)`.
    let named = pointer.split('/').filter(|part| !part.is_empty() && part.parse::<usize>().is_err());
    let whole = named.clone().next_back().is_some_and(|last| field.contains(last));
    let thought = named.clone().any(|part| THOUGHTS.contains(&part))
        && ["signature", "reasoning", "thinking", "thought", "encrypted"]
            .iter()
            .any(|word| name.contains(word));
    whole || thought || named.map(plain).any(|part| name.contains(&part))
}

/// Where chat clients carry thoughts and their seals. What becomes of them is told by what they are.
const THOUGHTS: [&str; 4] = ["reasoning_details", "reasoning_content", "thinking_blocks", "extra_content"];

/// Without the ways of writing a name.
fn plain(name: &str) -> String {
    match name {
        "parts" | "input" | "output" => "content".to_owned(),
        "contents" => "messages".to_owned(),
        "document_name" => "filename".to_owned(),
        _ => name.replace('_', "").to_lowercase(),
    }
}

/// `/messages/3/content` and `/messages/4/content` are one finding.
pub(crate) fn general(pointer: &str) -> String {
    pointer
        .split('/')
        .map(|part| if part.parse::<usize>().is_ok() { "*" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

pub(crate) fn text_leaves(value: &Value) -> Vec<String> {
    fn walk(path: String, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                walk(format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), value, found);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, value)| walk(format!("{path}/{at}"), value, found));
            }
            // Kinds and roles are judged by the decoder, not carried as text.
            Value::String(_) if !path.ends_with("/type") && !path.ends_with("/role") => found.push(path),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(String::new(), value, &mut found);
    found
}

macro_rules! honest_from {
    ($name:ident, $from:expr) => {
        #[test]
        fn $name() {
            let silent: Vec<_> = DIALECTS.into_iter().filter_map(|to| silence($from, to)).collect();
            assert!(silent.is_empty(), "{}", silent.join("\n"));
        }
    };
}

honest_from!(chat_requests_lose_nothing_in_silence, Dialect::OpenaiChat);
honest_from!(responses_requests_lose_nothing_in_silence, Dialect::OpenaiResponses);
honest_from!(completions_requests_lose_nothing_in_silence, Dialect::OpenaiCompletions);
honest_from!(anthropic_requests_lose_nothing_in_silence, Dialect::Anthropic);
honest_from!(gemini_requests_lose_nothing_in_silence, Dialect::Gemini);

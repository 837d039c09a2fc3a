//! OpenRouter's `reasoning_details` of a stream: pieces that are put together again, so that they can be sent back.
//! Source: openrouter.ai/docs/use-cases/reasoning-tokens, as recorded by 2026-11-21.

use serde_json::value::RawValue;

use crate::json::{Fields, RawJson, Writer, string};

/// The pieces so far.
#[derive(Debug, Default)]
pub(super) struct Details(Vec<Vec<(String, Value)>>);

#[derive(Debug)]
enum Value {
    /// Grows with each piece.
    Text(String),
    Raw(RawJson),
}

impl Value {
    fn json(&self) -> String {
        match self {
            Self::Text(text) => string(text),
            Self::Raw(raw) => raw.get().to_owned(),
        }
    }
}

impl Details {
    /// Takes the list of one chunk.
    pub(super) fn push(&mut self, list: Vec<&RawValue>) {
        for piece in list.into_iter().filter_map(Fields::read) {
            self.add(piece.rest().into_iter().map(value).collect());
        }
    }

    /// All pieces as one list; afterwards there are none.
    pub(super) fn take(&mut self) -> Option<String> {
        let pieces = std::mem::take(&mut self.0);
        if pieces.is_empty() {
            return None;
        }
        let mut text = String::new();
        let mut list = Writer::list(&mut text);
        for piece in pieces {
            list.element(|out| {
                let mut object = Writer::object(out);
                for (key, value) in &piece {
                    object.raw(key, &value.json());
                }
                object.end();
            });
        }
        list.end();
        Some(text)
    }

    fn add(&mut self, piece: Vec<(String, Value)>) {
        match self.0.last_mut().filter(|last| goes_on(last, &piece)) {
            Some(last) => piece.into_iter().for_each(|field| merge(last, field)),
            None => self.0.push(piece),
        }
    }
}

fn value((key, raw): (String, RawJson)) -> (String, Value) {
    let text = matches!(key.as_str(), "text" | "summary").then(|| serde_json::from_str(raw.get()).ok());
    let value = text.flatten().map_or(Value::Raw(raw), Value::Text);
    (key, value)
}

/// Encrypted pieces come whole; the others go on while they name the same place.
fn goes_on(last: &[(String, Value)], piece: &[(String, Value)]) -> bool {
    let is_whole = said(piece, "type").is_some_and(|kind| kind == "\"reasoning.encrypted\"");
    let same = |key| said(last, key) == said(piece, key);
    let ids_agree = said(last, "id").is_none() || said(piece, "id").is_none() || same("id");
    !is_whole && same("type") && same("index") && ids_agree
}

/// The JSON of a field that says something.
fn said(piece: &[(String, Value)], key: &str) -> Option<String> {
    let (_, value) = piece.iter().find(|(name, _)| name == key)?;
    Some(value.json()).filter(|json| json != "null" && json != "\"\"")
}

fn merge(into: &mut Vec<(String, Value)>, (key, value): (String, Value)) {
    let Some((_, known)) = into.iter_mut().find(|(name, _)| *name == key) else {
        into.push((key, value));
        return;
    };
    match (known, value) {
        (Value::Text(known), Value::Text(more)) => known.push_str(&more),
        (_, Value::Raw(raw)) if matches!(raw.get(), "null" | "\"\"") => {}
        (known, value) => *known = value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_together(chunks: &[&str]) -> String {
        let mut details = Details::default();
        for chunk in chunks {
            details.push(serde_json::from_str(chunk).unwrap());
        }
        details.take().unwrap()
    }

    #[test]
    fn pieces_of_one_place_are_one_and_its_signature_stays() {
        let whole = put_together(&[
            r#"[{"type":"reasoning.text","text":"a ","index":0,"signature":null}]"#,
            r#"[{"type":"reasoning.text","text":"b","index":0}]"#,
            r#"[{"type":"reasoning.text","signature":"s","index":0}]"#,
            r#"[{"type":"reasoning.encrypted","data":"x","index":0},{"type":"reasoning.encrypted","data":"y","index":0}]"#,
        ]);
        let expected = concat!(
            r#"[{"type":"reasoning.text","text":"a b","index":0,"signature":"s"},"#,
            r#"{"type":"reasoning.encrypted","data":"x","index":0},{"type":"reasoning.encrypted","data":"y","index":0}]"#,
        );
        assert_eq!(whole, expected);
        assert_eq!(put_together(&[&whole]), whole, "what is put together stays as it is");
    }
}

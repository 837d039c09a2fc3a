//! The reader of one object and the writer: they agree with a reader that makes a tree.

use protocol::json::{Fields, RawJson, Writer, string};
use serde_json::Value;

use super::sound;

pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let quoted = string(&text);
    let back = serde_json::from_str::<String>(&quoted);
    assert!(back.is_ok_and(|back| back == text), "a text is another after it was written: {quoted}");
    fields(&text);
    if let Some(raw) = RawJson::parse(&text) {
        assert!(text.contains(raw.get()), "a raw value is spelt anew");
    }
}

fn fields(text: &str) {
    let parsed = Fields::parse(text);
    let tree = serde_json::from_str::<Value>(text);
    if let Ok(Value::Object(tree)) = &tree {
        let known = parsed.as_ref().is_some_and(|fields| tree.keys().all(|key| fields.get(key).is_some()));
        assert!(known, "a field of a tree is missing");
    }
    let Some(fields) = parsed else { return };
    let rest = fields.rest();
    let mut names: Vec<_> = rest.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair.first() != pair.last()), "a field is there twice");
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.all(&rest);
    object.end();
    sound::object("what was read and written", &out);
    if let (Ok(tree), Ok(again)) = (tree, serde_json::from_str::<Value>(&out)) {
        assert!(tree == again, "an object is another after it was written: {out}");
    }
}

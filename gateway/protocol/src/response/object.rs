//! A response object, looked at without a tree: where the fields stand that a gateway reads or writes.

use std::ops::Range;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::json::{Writer, string};
use crate::scan::place_of;

/// What matters of a response object. A field that is there twice makes it unreadable.
#[derive(Debug, Default, Deserialize)]
pub struct Outline<'a> {
    #[serde(borrow, default, deserialize_with = "some")]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    pub(super) previous_response_id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    pub(super) store: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    status: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    output: Option<&'a RawValue>,
}

/// serde would read `null` as absent, but it has a place, too.
pub(super) fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Outline<'a> {
    /// Looks at `json`. `None` if it is no object.
    #[must_use]
    pub fn read(json: &'a str) -> Option<Self> {
        // serde would read a list, too.
        json.trim_ascii_start().starts_with('{').then(|| serde_json::from_str(json).ok())?
    }

    /// Whether the model has said all that it is going to: a conversation can go on from here.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.status.map(RawValue::get), None | Some(r#""completed""# | r#""incomplete""#))
    }

    /// The list of its items.
    #[must_use]
    pub fn output(&self) -> Option<&'a str> {
        self.output.map(RawValue::get).filter(|output| output.starts_with('['))
    }
}

/// A string's place and content. Empty ones name nothing.
pub(super) fn named(raw: Option<&RawValue>, json: &str) -> Option<(Range<usize>, String)> {
    let raw = raw?;
    let text: String = serde_json::from_str(raw.get()).ok()?;
    (!text.is_empty()).then(|| (place_of(raw, json), text))
}

/// What a client is told of a response that is no more.
///
/// Source: platform.openai.com/docs/api-reference/responses/delete, read 2026-11-21.
#[must_use]
pub fn deleted(id: &str) -> String {
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.raw("id", &string(id)).string("object", "response").flag("deleted", true);
    object.end();
    out
}

//! Changes the few fields of a request that must change, and no other byte.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::scan::Envelope;

/// `body` with `model` in the place that `envelope` found for it.
///
/// No copy is made where the name is already that. `envelope` must be the scan of this very body;
/// of another, the body comes back as it is.
#[must_use]
pub fn with_model(body: &Bytes, envelope: &Envelope, model: &str) -> Bytes {
    if envelope.model == model {
        return body.clone();
    }
    replaced(body, envelope, &[quoted(model).as_bytes()])
}

/// The same, and the provider of this chat stream is asked to tell the usage.
///
/// Only for an `envelope` without `stream_options`: a key that is there twice is read in two ways.
#[must_use]
pub fn with_model_and_usage(body: &Bytes, envelope: &Envelope, model: &str) -> Bytes {
    if envelope.has_stream_options {
        return with_model(body, envelope, model);
    }
    replaced(body, envelope, &[quoted(model).as_bytes(), ASKS_USAGE])
}

/// What replaces `model` of `envelope`, if another is wanted.
#[must_use]
pub fn model_edit(envelope: &Envelope, model: &str) -> Option<(Range<usize>, String)> {
    (envelope.model != model).then(|| (envelope.model_at.clone(), quoted(model)))
}

/// `body` with each text in its place. No copy is made where there is nothing to do. Places must not overlap; one
/// that is none in `body` leaves all as it is.
#[must_use]
pub fn edited(body: &Bytes, mut edits: Vec<(Range<usize>, String)>) -> Bytes {
    if edits.is_empty() {
        return body.clone();
    }
    edits.sort_by_key(|(place, _)| place.start);
    let more = edits.iter().map(|(_, text)| text.len()).sum::<usize>();
    let mut out = BytesMut::with_capacity(body.len() + more);
    let mut done = 0;
    for (place, text) in edits {
        let Some(before) = body.get(done..place.start) else { return body.clone() };
        out.extend_from_slice(before);
        out.extend_from_slice(text.as_bytes());
        done = place.end;
    }
    let Some(rest) = body.get(done..) else { return body.clone() };
    out.extend_from_slice(rest);
    out.freeze()
}

/// Source: platform.openai.com/docs/api-reference/chat/create, read 2026-11-21.
const ASKS_USAGE: &[u8] = br#","stream_options":{"include_usage":true}"#;

fn quoted(model: &str) -> String {
    serde_json::Value::from(model).to_string()
}

/// `body` with `parts` in the place of the model's name.
fn replaced(body: &Bytes, envelope: &Envelope, parts: &[&[u8]]) -> Bytes {
    let (Some(before), Some(after)) =
        (body.get(..envelope.model_at.start), body.get(envelope.model_at.end..))
    else {
        return body.clone();
    };
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut spliced = BytesMut::with_capacity(before.len() + length + after.len());
    spliced.extend_from_slice(before);
    parts.iter().for_each(|part| spliced.extend_from_slice(part));
    spliced.extend_from_slice(after);
    spliced.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(body: &'static str, model: &str) -> Bytes {
        let bytes = Bytes::from_static(body.as_bytes());
        let envelope = Envelope::scan(&bytes).expect("sound");
        with_model(&bytes, &envelope, model)
    }

    #[test]
    fn order_spacing_and_numbers_stay() {
        let out = spliced(r#"{ "t":1.50e0,"model" :"fast" ,"x":[ 1 ]}"#, "a\"b");
        assert_eq!(out, r#"{ "t":1.50e0,"model" :"a\"b" ,"x":[ 1 ]}"#);
    }

    #[test]
    fn the_same_name_costs_no_copy() {
        let bytes = Bytes::from_static(br#"{"model":"m"}"#);
        let envelope = Envelope::scan(&bytes).expect("sound");
        assert_eq!(with_model(&bytes, &envelope, "m").as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn edits_come_in_any_order_and_wrong_places_change_nothing() {
        let body = Bytes::from_static(b"0123456789");
        let edit = |place: Range<usize>, text: &str| (place, text.to_owned());
        assert_eq!(edited(&body, vec![edit(7..8, ""), edit(1..3, "ab!"), edit(5..5, "+")]), "0ab!34+5689");
        assert_eq!(edited(&body, vec![edit(1..3, "x"), edit(2..4, "y")]), body);
        assert_eq!(edited(&body, vec![edit(9..11, "x")]), body);
        assert_eq!(edited(&body, Vec::new()).as_ptr(), body.as_ptr());
    }

    #[test]
    fn usage_is_asked_for_once() {
        let asked = |body: &'static str| {
            let bytes = Bytes::from_static(body.as_bytes());
            let envelope = Envelope::scan(&bytes).expect("sound");
            with_model_and_usage(&bytes, &envelope, "n")
        };
        assert_eq!(
            asked(r#"{"stream":true, "model": "m" }"#),
            r#"{"stream":true, "model": "n","stream_options":{"include_usage":true} }"#
        );
        assert_eq!(asked(r#"{"model":"n"}"#), r#"{"model":"n","stream_options":{"include_usage":true}}"#);
        assert_eq!(asked(r#"{"model":"m","stream_options":null}"#), r#"{"model":"n","stream_options":null}"#);
    }
}

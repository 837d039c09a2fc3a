//! Changes the one field of a request that must change, and no other byte.

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
    let (Some(before), Some(after)) =
        (body.get(..envelope.model_at.start), body.get(envelope.model_at.end..))
    else {
        return body.clone();
    };
    let quoted = serde_json::Value::from(model).to_string();
    let mut spliced = BytesMut::with_capacity(before.len() + quoted.len() + after.len());
    spliced.extend_from_slice(before);
    spliced.extend_from_slice(quoted.as_bytes());
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
}

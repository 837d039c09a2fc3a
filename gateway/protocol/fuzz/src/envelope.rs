//! The scan of a request and the splice: they agree with a reader that makes a tree, and change one value only.

use bytes::Bytes;
use protocol::scan::{Envelope, ScanError, check_object};
use protocol::splice;
use serde_json::Value;

/// Needs escapes, and is no name that an input has by chance.
const NEW: &str = "an\"other\\\u{1}/módel";

pub(crate) fn check(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    let scanned = Envelope::scan(&body);
    match (&scanned, check_object(&body)) {
        (Ok(_), sound) => assert!(sound.is_ok(), "a request that is no object: {sound:?}"),
        (Err(error), Err(other)) => assert!(*error == other, "{error} or {other}?"),
        (Err(error), Ok(())) => assert!(of_a_field(error), "an object is refused: {error}"),
    }
    if let Ok(envelope) = scanned {
        agrees_with_a_tree(&envelope, &body);
        splices(&envelope, &body);
    }
}

fn of_a_field(error: &ScanError) -> bool {
    matches!(error, ScanError::ModelMissing | ScanError::ModelNotString | ScanError::StreamNotBoolean)
}

fn agrees_with_a_tree(envelope: &Envelope, body: &[u8]) {
    // Trees have a depth, and numbers that are too large: the scan needs neither.
    let Ok(tree) = serde_json::from_slice::<Value>(body) else { return };
    assert!(tree["model"] == envelope.model.as_str(), "another model: {}", envelope.model);
    assert!((tree["stream"] == true) == envelope.stream, "another kind of answer");
    let usage = &tree["stream_options"]["include_usage"];
    // Of a key that is there twice in `stream_options`, the tree takes one.
    assert!(!envelope.wants_usage || usage == true, "usage that nobody wants");
    assert!(envelope.has_stream_options == tree.get("stream_options").is_some(), "other options");
}

fn splices(envelope: &Envelope, body: &Bytes) {
    let spliced = splice::with_model(body, envelope, NEW);
    let again = Envelope::scan(&spliced);
    let before = body.get(..envelope.model_at.start);
    let after = body.get(envelope.model_at.end..);
    let Ok(again) = again else { return assert!(envelope.model == NEW, "a splice breaks the request") };
    assert!(again.model == NEW, "the splice made {}", again.model);
    assert!(spliced.get(..again.model_at.start) == before, "a splice changes what is before");
    assert!(spliced.get(again.model_at.end..) == after, "a splice changes what is after");
    let asked = splice::with_model_and_usage(body, envelope, NEW);
    let asked = Envelope::scan(&asked);
    let wants = asked.as_ref().is_ok_and(|asked| asked.model == NEW && asked.has_stream_options);
    assert!(wants, "asking for usage breaks the request: {asked:?}");
}

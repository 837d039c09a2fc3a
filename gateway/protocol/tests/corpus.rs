//! The laws over whole exchanges: those in `corpus/`, written by hand after the providers' documentation,
//! and those in the folder that `FAIRLEAD_CORPUS` names, recorded (one JSON file for each).
#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends by panicking")]

use std::path::{Path, PathBuf};

use bytes::Bytes;
use catalogue::Dialect;
use protocol::answer::{self, Answer};
use protocol::frames::sse::{self, Splitter};
use protocol::observe::Observer;
use protocol::scan::Envelope;
use protocol::{fault, splice};
use serde_json::Value;

#[derive(Default, Debug)]
struct Covered {
    requests: usize,
    streams: usize,
    answers: usize,
    errors: usize,
}

#[test]
fn every_exchange_keeps_the_laws() {
    let mut covered = Covered::default();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    json_files(&own).iter().for_each(|file| check(file, &mut covered));
    assert!(
        covered.requests >= 4 && covered.streams >= 2 && covered.errors >= 1,
        "{covered:?}: corpus/ is incomplete"
    );
    println!("authored: {covered:?}");
    if let Some(recorded) = std::env::var_os("FAIRLEAD_CORPUS") {
        let files = json_files(Path::new(&recorded));
        assert!(!files.is_empty(), "FAIRLEAD_CORPUS has no exchanges");
        let mut covered = Covered::default();
        files.iter().for_each(|file| check(file, &mut covered));
        println!("recorded: {covered:?}");
    }
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn check(file: &Path, covered: &mut Covered) {
    let text = std::fs::read_to_string(file).expect("readable");
    let exchange: Value = serde_json::from_str(&text).expect("JSON");
    if exchange["kind"] != "chat" {
        return;
    }
    let place = file.display().to_string();
    check_request(&exchange["request"], &place, covered);
    let response = &exchange["response"];
    let status = response["status"].as_u64().unwrap_or_default();
    let body = response["body"].to_string();
    if response["framing"] == "sse" {
        check_stream(&response["chunks"], &place);
        covered.streams += 1;
    } else if response["body"].is_null() {
        // The recorder kept none.
    } else if status == 200 {
        assert!(
            matches!(answer::check(Dialect::OpenaiChat, body.as_bytes()), Answer::Sound { .. }),
            "{place}: a good answer is refused"
        );
        covered.answers += 1;
    } else {
        let reading = fault::read(u16::try_from(status).expect("a status"), body.as_bytes());
        assert!(reading.message.is_some(), "{place}: {body} has no message");
        covered.errors += 1;
    }
}

fn check_request(request: &Value, place: &str, covered: &mut Covered) {
    // Azure's older paths name the model in the URL; those are not ours to relay.
    let Some(model) = request["body"]["model"].as_str() else { return };
    let body = Bytes::from(request["body"].to_string());
    let envelope = Envelope::scan(&body).unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_eq!(envelope.model, model, "{place}");
    assert_eq!(envelope.stream, request["body"]["stream"] == true, "{place}");
    let spliced = splice::with_model(&body, &envelope, "another/model");
    let mut expected = request["body"].clone();
    expected["model"] = "another/model".into();
    assert_eq!(serde_json::from_slice::<Value>(&spliced).expect("JSON"), expected, "{place}");
    let back = splice::with_model(&spliced, &Envelope::scan(&spliced).expect("sound"), model);
    assert_eq!(back, body, "{place}: there and back changes bytes");
    covered.requests += 1;
}

fn check_stream(chunks: &Value, place: &str) {
    let chunks = chunks.as_array().unwrap_or_else(|| panic!("{place}: no chunks"));
    let stream: String = chunks.iter().filter_map(Value::as_str).collect();
    let whole = frames(stream.as_bytes(), usize::MAX);
    for size in [1, 7, 64] {
        assert_eq!(frames(stream.as_bytes(), size), whole, "{place}: chunks of {size} differ");
    }
    assert_eq!(whole.concat(), stream.as_bytes(), "{place}: bytes differ");
    let mut observer = Observer::new(Dialect::OpenaiChat);
    for frame in &whole {
        observer.frame(frame);
        let Some(data) = sse::data(frame) else { continue };
        let slow = serde_json::from_slice::<Value>(&data).unwrap_or_default();
        if slow["usage"].is_object() {
            assert!(observer.seen().usage.is_some(), "{place}: usage was not seen in {slow}");
        }
    }
    assert!(
        observer.seen().is_complete() || observer.seen().error.is_some(),
        "{place}: a whole stream looks cut: {stream}"
    );
}

/// All frames, and what is left over as the last.
fn frames(stream: &[u8], size: usize) -> Vec<Bytes> {
    let mut splitter = Splitter::new(1 << 24);
    let mut frames = Vec::new();
    for chunk in stream.chunks(size.min(stream.len().max(1))) {
        splitter.push(chunk);
        while let Some(frame) = splitter.next_frame().expect("below the limit") {
            frames.push(frame);
        }
    }
    frames.push(splitter.finish());
    frames
}

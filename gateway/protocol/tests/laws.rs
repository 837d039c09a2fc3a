//! Laws that hold for any bytes: chunking, splicing, and that nothing panics.
#![expect(clippy::expect_used, reason = "a test ends by panicking")]

use bytes::Bytes;
use catalogue::Dialect;
use proptest::prelude::*;
use protocol::embeddings::{Form, decode_answer, decode_request, name_places};
use protocol::frames::sse::{Kind, Splitter};
use protocol::observe::Observer;
use protocol::scan::Envelope;
use protocol::{answer, fault, frames::sse, splice};

fn split<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Bytes>, Bytes) {
    let mut splitter = Splitter::new(1 << 20);
    let mut frames = Vec::new();
    for chunk in chunks {
        splitter.push(chunk);
        while let Some(frame) = splitter.next_frame().expect("below the limit") {
            frames.push(frame);
        }
    }
    (frames, splitter.finish())
}

/// Bytes that look like a stream often enough to matter.
fn streamish() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(b"data: {\"choices\":[{\"finish_reason\":\"stop\"}]}".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b": ping".to_vec()),
        Just("data: é漢🦀".as_bytes().to_vec()),
        Just(b"data: [DONE]".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

fn object() -> impl Strategy<Value = (String, String)> {
    let value =
        prop_oneof![Just("1.50e+3"), Just("\"a\\u00e9\""), Just("[ {\"model\":\"x\"} ]"), Just("null")];
    let fields = proptest::collection::vec((value, "[ \t\n]{0,2}"), 0..6);
    let name = prop_oneof![Just("\"gpt\""), Just("\"a\\/b\""), Just("\"\\u0041\""), Just("\"é\"")];
    (fields, name, 0..6_usize).prop_map(|(fields, name, place)| {
        let mut parts: Vec<String> = Vec::new();
        for (index, (value, space)) in fields.iter().enumerate() {
            parts.push(format!("{space}\"f{index}\"{space}:{space}{value}{space}"));
        }
        parts.insert(place.min(parts.len()), format!(" \"model\" : {name}"));
        (format!("{{{}}}", parts.join(",")), name.to_owned())
    })
}

proptest! {
    // A failure prints its input; no file is left behind.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_frames(bytes in streamish(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let chunks = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        let whole = split([bytes.as_slice()]);
        prop_assert_eq!(&split(chunks), &whole);
        prop_assert_eq!(&split(bytes.chunks(1)), &whole);
        let mut joined = whole.0.concat();
        joined.extend_from_slice(&whole.1);
        prop_assert_eq!(joined, bytes, "no byte may change");
    }

    #[test]
    fn a_splice_changes_the_model_and_nothing_else((body, old) in object(), new in ".{1,12}") {
        let bytes = Bytes::from(body.clone());
        let envelope = Envelope::scan(&bytes).expect("sound");
        let spliced = splice::with_model(&bytes, &envelope, &new);
        let again = Envelope::scan(&spliced).expect("still sound");
        prop_assert_eq!(&again.model, &new);
        let quoted = std::str::from_utf8(&spliced[again.model_at]).expect("text");
        prop_assert_eq!(body.replacen(&old, quoted, 1), std::str::from_utf8(&spliced).expect("text"));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        no_panic(&bytes);
    }

    #[test]
    fn no_near_json_panics(text in "[\\[\\]{}\":,a-z0-9\\\\ ]{0,60}", head in prop_oneof![Just("{\"model\":"), Just("data: {\"error\":"), Just("{\"usage\":"), Just("")]) {
        no_panic(format!("{head}{text}").as_bytes());
    }
}

fn no_panic(bytes: &[u8]) {
    drop(Envelope::scan(bytes));
    drop(answer::check(Dialect::OpenaiChat, bytes));
    drop(fault::read(500, bytes));
    drop(fault::read_stream_error(bytes));
    assert!(matches!(sse::kind(bytes), Kind::Event | Kind::Comment | Kind::Blank | Kind::Foreign));
    let text = String::from_utf8_lossy(bytes);
    for form in [Form::Openai, Form::GeminiOne, Form::GeminiBatch] {
        drop(decode_request(form, &text));
        drop(decode_answer(form, &text));
        drop(name_places(form, bytes, "any"));
    }
    let mut observer = Observer::new(Dialect::OpenaiChat);
    observer.frame(bytes);
    for frame in split([bytes]).0 {
        observer.frame(&frame);
    }
}

//! Laws of stored responses: ids lead back, a stamp changes what it names and no other byte, however a stream is cut.
#![expect(clippy::expect_used, reason = "a test ends by panicking")]

use bytes::Bytes;
use proptest::prelude::*;
use protocol::response::{
    Own, Page, ResponseId, Stamp, Stamper, Tag, Thoughts, input_items, joined, page, without_ids,
};
use protocol::scan::Envelope;

/// A response object around the JSON strings `id` and `previous`, spelt in many ways.
fn object() -> impl Strategy<Value = (String, String, String)> {
    let id = prop_oneof![Just("\"resp_1\""), Just("\"r\\u00e9sp\""), Just("\"a\\/b\""), Just("\"é\"")];
    let value =
        prop_oneof![Just("1.50e+3"), Just("[ {\"id\":\"x\"} ]"), Just("\"\\\"id\\\":\""), Just("null")];
    let fields = proptest::collection::vec((value, "[ \t]{0,2}"), 0..5);
    (id.clone(), id, fields, 0..6_usize, 0..6_usize).prop_map(|(id, previous, fields, at, then)| {
        let mut parts: Vec<String> = fields
            .iter()
            .enumerate()
            .map(|(n, (value, space))| format!("{space}\"f{n}\":{space}{value}"))
            .collect();
        parts.insert(at.min(parts.len()), format!(" \"id\" : {id}"));
        parts.insert(then.min(parts.len()), format!("\"previous_response_id\":{previous} "));
        (format!("{{{}}}", parts.join(",")), id.to_owned(), previous.to_owned())
    })
}

fn placed(tag: Tag, json: &str) -> String {
    serde_json::Value::from(tag.place(&serde_json::from_str::<String>(json).expect("a string"))).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_placed_id_leads_back(tag in any::<[u8; 8]>(), own in ".{1,80}") {
        let id = Tag(tag).place(&own);
        prop_assert_eq!(ResponseId::read(&id), ResponseId::Placed { tag: Tag(tag), own });
    }

    #[test]
    fn any_text_is_some_id(text in "(resp_)?[A-Za-z0-9+/=_-]{0,60}|.{0,40}") {
        match ResponseId::read(&text) {
            ResponseId::Placed { tag, own } => prop_assert!(!own.is_empty() && !tag.place(&own).is_empty()),
            ResponseId::Own => prop_assert_eq!(text.len(), 37),
            ResponseId::Litellm { .. } | ResponseId::Bare => {}
        }
    }

    #[test]
    fn a_stamp_changes_its_fields_and_nothing_else((json, id, previous) in object(), tag in any::<[u8; 8]>()) {
        let tag = Tag(tag);
        let out = Stamp::Placed(tag).object(&Bytes::from(json.clone()));
        let wanted = json
            .replacen(&format!("\"id\" : {id}"), &format!("\"id\" : {}", placed(tag, &id)), 1)
            .replacen(&format!("_id\":{previous} "), &format!("_id\":{} ", placed(tag, &previous)), 1);
        prop_assert_eq!(String::from_utf8_lossy(&out), wanted);
    }

    #[test]
    fn a_stream_is_stamped_alike_however_it_is_cut(
        (json, _, _) in object(), tag in any::<[u8; 8]>(), cut in any::<prop::sample::Index>(), kept in any::<bool>(),
    ) {
        let frames: Vec<String> = ["response.created", "response.output_text.delta", "response.completed"]
            .map(|kind| format!("event: {kind}\ndata: {{\"type\":\"{kind}\", \"response\" : {json} }}\n\n"))
            .to_vec();
        let own = Own { id: "resp_own".into(), previous: None, is_kept: kept };
        for stamp in [Stamp::Placed(Tag(tag)), Stamp::Own(own)] {
            let mut whole = Stamper::new(stamp.clone());
            let expected = whole.frames(frames.concat().into());
            let mut parts = Stamper::new(stamp);
            let at = cut.index(frames.len());
            let (first, rest) = (frames[..at].concat(), frames[at..].concat());
            let out = [parts.frames(first.into()), parts.frames(rest.into())].concat();
            prop_assert_eq!(&out, &expected);
            prop_assert_eq!(parts.take_ended(), whole.take_ended());
        }
    }

    #[test]
    fn no_items_panic(text in "[\\[\\]{}\":,a-z0-9\\\\ ]{0,60}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let all = Page { after: None, limit: 3, order: protocol::response::Order::Ascending };
        prop_assert!(page(&text, "s", &all).is_ok());
        prop_assert!(without_ids(&text, Thoughts::Kept).starts_with('['));
        prop_assert!(joined(&[&text, "[1]"]).contains('1'));
        let body = Bytes::from(format!("{{\"model\":\"m\",\"input\":{text}}}"));
        if let Ok(envelope) = Envelope::scan(&body) {
            drop(input_items(&body, &envelope));
        }
        let mut stamper = Stamper::new(Stamp::Placed(Tag([0; 8])));
        drop(stamper.frames(Bytes::from(bytes)));
    }
}

/// What is written of `stamp` into what providers have answered is all that changes: with each new id put back, the
/// bytes are theirs again. Without recordings there is nothing to look at.
#[test]
fn recorded_answers_are_stamped_and_no_other_byte_changes() {
    let Some(folder) = std::env::var_os("FAIRLEAD_CORPUS") else { return };
    let (mut streams, mut wholes) = (0, 0);
    for text in recorded(std::path::Path::new(&folder)) {
        let exchange: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let answer = &exchange["response"];
        if exchange["kind"] != "responses" || answer["status"] != 200 {
            continue;
        }
        let chunks: Option<Vec<&str>> =
            answer["chunks"].as_array().and_then(|all| all.iter().map(|chunk| chunk.as_str()).collect());
        let body = chunks.as_ref().map_or_else(|| answer["body"].to_string(), |chunks| chunks.concat());
        let out = match chunks {
            Some(_) => Stamper::new(Stamp::Placed(Tag([7; 8]))).frames(body.clone().into()),
            None => Stamp::Placed(Tag([7; 8])).object(&body.clone().into()),
        };
        let out = String::from_utf8(out.to_vec()).expect("text");
        let placed: std::collections::BTreeSet<&str> =
            out.split('"').filter(|id| matches!(ResponseId::read(id), ResponseId::Placed { .. })).collect();
        let back = placed.iter().fold(out.clone(), |text, id| match ResponseId::read(id) {
            ResponseId::Placed { own, .. } => text.replace(id, &own),
            _ => text,
        });
        assert_eq!(back, body, "{}", exchange["id"]);
        assert!(!placed.is_empty() || !body.contains("\"resp_"), "{}", exchange["id"]);
        *(if answer["chunks"].is_array() { &mut streams } else { &mut wholes }) += 1;
    }
    assert!(streams > 0 && wholes > 0, "FAIRLEAD_CORPUS has no responses");
    println!("recorded: {streams} streams, {wholes} whole answers");
}

fn recorded(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "json"));
    let texts = files.map(|file| std::fs::read_to_string(file).expect("readable"));
    texts
        .chain(folders.iter().flat_map(|folder| recorded(folder)))
        .filter(|text| text.starts_with('{'))
        .collect()
}

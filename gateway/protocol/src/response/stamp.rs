//! Writes into a response object what a gateway knows better than the provider: its id, what it went on from, and
//! whether it is kept. No other byte changes. In a stream only the frames that carry the object are looked into.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Tag;
use super::object::{Outline, named, some};
use crate::frames::sse::{self, Splitter};
use crate::json::string;
use crate::scan::place_of;
use crate::splice::edited;

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The provider keeps the response: its ids get the name of the deployment.
    Placed(Tag),
    /// The gateway answers for it.
    Own(Own),
}

/// What a response of the gateway's own says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// As the client shall know it.
    pub id: String,
    /// What the client named as the response before.
    pub previous: Option<String>,
    /// Whether it is kept.
    pub is_kept: bool,
}

impl Stamp {
    /// The object `json` with its stamp; what is no object stays.
    #[must_use]
    pub fn object(&self, json: &Bytes) -> Bytes {
        let Some(text) = std::str::from_utf8(json).ok() else { return json.clone() };
        let Some(outline) = Outline::read(text) else { return json.clone() };
        let edits = match self {
            Self::Placed(tag) => placed(*tag, &outline, text),
            Self::Own(own) => own.edits(&outline, text),
        };
        edited(json, edits)
    }
}

type Edit = (Range<usize>, String);

fn placed(tag: Tag, outline: &Outline<'_>, text: &str) -> Vec<Edit> {
    let ids = [outline.id, outline.previous_response_id].into_iter().filter_map(|raw| named(raw, text));
    ids.map(|(place, own)| (place, string(&tag.place(&own)))).collect()
}

impl Own {
    fn edits(&self, outline: &Outline<'_>, text: &str) -> Vec<Edit> {
        let previous = self.previous.as_deref().map_or_else(|| "null".to_owned(), string);
        let fields = [
            ("id", outline.id, string(&self.id)),
            ("previous_response_id", outline.previous_response_id, previous),
            ("store", outline.store, self.is_kept.to_string()),
        ];
        let mut edits = Vec::new();
        let mut missing = String::new();
        for (name, raw, value) in fields {
            match raw {
                Some(raw) => edits.push((place_of(raw, text), value)),
                None => missing += &format!("{}:{value},", string(name)),
            }
        }
        // A response is never empty, so a comma is right.
        if let Some(at) = text.find('{').filter(|_| !missing.is_empty()) {
            edits.push((at + 1..at + 1, missing));
        }
        edits
    }
}

/// Stamps the frames of one stream.
#[derive(Debug)]
pub struct Stamper {
    stamp: Stamp,
    ended: Option<Bytes>,
}

/// Frames of responses are as large as what they answer. The bytes are there already, so nothing is refused.
const ANY_LENGTH: usize = usize::MAX;

/// The frames that end an answer that a conversation can go on from.
const ENDINGS: [&str; 2] = ["response.completed", "response.incomplete"];

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, deserialize_with = "some")]
    r#type: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "some")]
    response: Option<&'a RawValue>,
}

impl Stamper {
    /// For one stream.
    #[must_use]
    pub fn new(stamp: Stamp) -> Self {
        Self { stamp, ended: None }
    }

    /// Whole frames, as many as there are, with their stamps. A last one may lack its blank line.
    pub fn frames(&mut self, frames: Bytes) -> Bytes {
        // Inside a JSON string its quotes are escaped, so the text of an answer does not look like it.
        if memmem::find(&frames, b"\"response\"").is_none() {
            return frames;
        }
        let mut splitter = Splitter::new(ANY_LENGTH);
        splitter.push(&frames);
        let mut out = Vec::with_capacity(frames.len() + 256);
        while let Ok(Some(frame)) = splitter.next_frame() {
            out.extend_from_slice(&self.frame(frame));
        }
        out.extend_from_slice(&self.frame(splitter.finish()));
        out.into()
    }

    /// The response object of the frame that ended the answer, once: it has been seen, and is stamped.
    pub fn take_ended(&mut self) -> Option<Bytes> {
        self.ended.take()
    }

    /// The same frames, and from now on all, as those of a response that nobody keeps after all.
    pub fn unkept(&mut self, frames: Bytes) -> Bytes {
        if let Stamp::Own(own) = &mut self.stamp {
            own.is_kept = false;
        }
        let out = self.frames(frames);
        self.ended = None;
        out
    }

    fn frame(&mut self, frame: Bytes) -> Bytes {
        let Some((place, kind)) = object_in(&frame) else { return frame };
        let stamped = self.stamp.object(&frame.slice(place.clone()));
        if ENDINGS.contains(&kind.as_str()) {
            self.ended = Some(stamped.clone());
        }
        let (before, after) = (frame.slice(..place.start), frame.slice(place.end..));
        [before, stamped, after].concat().into()
    }
}

/// Where the response object of a frame stands, and the frame's type. JSON that a server breaks into several `data`
/// lines is not looked into: none is known that does.
fn object_in(frame: &Bytes) -> Option<(Range<usize>, String)> {
    let data = match sse::data(frame)? {
        std::borrow::Cow::Borrowed(data) => std::str::from_utf8(data).ok()?,
        std::borrow::Cow::Owned(_) => return None,
    };
    let event: Event<'_> =
        serde_json::from_str(data.trim_ascii_start().starts_with('{').then_some(data)?).ok()?;
    let response = event.response.filter(|raw| raw.get().starts_with('{'))?;
    let within = place_of(response, data);
    let start = (data.as_ptr() as usize).saturating_sub(frame.as_ptr() as usize);
    let kind = event.r#type.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let kind = kind.or_else(|| Some(String::from_utf8_lossy(&sse::field(frame, "event")?).into_owned()));
    Some((start + within.start..start + within.end, kind.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: Tag = Tag([9; 8]);

    fn stamped(stamp: &Stamp, json: &'static str) -> String {
        String::from_utf8(stamp.object(&Bytes::from_static(json.as_bytes())).to_vec()).expect("text")
    }

    fn own(previous: Option<&str>, is_kept: bool) -> Stamp {
        Stamp::Own(Own { id: "resp_new".into(), previous: previous.map(str::to_owned), is_kept })
    }

    #[test]
    fn a_provider_that_keeps_it_gets_only_its_ids_wrapped() {
        let (id, previous) = (TAG.place("r1"), TAG.place("r0"));
        let out = stamped(
            &Stamp::Placed(TAG),
            r#" {"x": 1.50, "id" :"r1","previous_response_id": "\u00720" ,"output":[{"id":"m1"}],"store":true}"#,
        );
        assert_eq!(
            out,
            format!(
                r#" {{"x": 1.50, "id" :"{id}","previous_response_id": "{previous}" ,"output":[{{"id":"m1"}}],"store":true}}"#
            )
        );
        for same in [r#"{"previous_response_id":null,"id":7}"#, "[]", "{", r#"{"id":"a","id":"b"}"#] {
            assert_eq!(stamped(&Stamp::Placed(TAG), same), same);
        }
    }

    #[test]
    fn a_response_of_our_own_says_what_is_true_and_says_it_once() {
        assert_eq!(
            stamped(
                &own(Some("resp_old"), true),
                r#"{"id":"r1","previous_response_id":null,"store":false,"output":[]}"#
            ),
            r#"{"id":"resp_new","previous_response_id":"resp_old","store":true,"output":[]}"#
        );
        assert_eq!(
            stamped(&own(None, false), r#"{ "store" : true,"output":[]}"#),
            r#"{"id":"resp_new","previous_response_id":null, "store" : false,"output":[]}"#
        );
    }

    #[test]
    fn only_frames_with_the_object_change_and_the_last_is_shown() {
        let frames = concat!(
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r1\"}}\n\n",
            "event: response.output_text.delta\ndata: {\"delta\":\"\\\"response\\\":{\\\"id\\\":\\\"r1\\\"}\"}\r\n\r\n",
            "data: {\"response\": {\"id\":\"r1\",\"output\":[]} ,\"type\":\"response.completed\"}",
        );
        let mut stamper = Stamper::new(Stamp::Placed(TAG));
        let out = stamper.frames(Bytes::from_static(frames.as_bytes()));
        let id = TAG.place("r1");
        let expected = frames.replace("{\"id\":\"r1\"", &format!("{{\"id\":\"{id}\""));
        assert_eq!(out, expected);
        let ended = stamper.take_ended().expect("an end");
        assert_eq!(ended, format!("{{\"id\":\"{id}\",\"output\":[]}}"));
        assert_eq!(stamper.take_ended(), None);
    }

    #[test]
    fn what_could_not_be_kept_says_so() {
        let mut stamper = Stamper::new(own(None, true));
        let frame = "event: response.completed\ndata: {\"response\":{\"id\":\"r1\",\"output\":[]}}\n\n";
        let out = stamper.frames(Bytes::from_static(frame.as_bytes()));
        assert!(stamper.take_ended().is_some(), "known by its event's name");
        assert!(String::from_utf8_lossy(&out).contains("\"store\":true"), "{out:?}");
        let out = stamper.unkept(out);
        assert_eq!(String::from_utf8_lossy(&out).matches("\"store\":false").count(), 1, "{out:?}");
    }
}

//! How a conversation goes on from a response that the gateway keeps: its items are put before the new ones, in the
//! request's own JSON, so that every dialect reads them as if the client had sent them. `instructions` are not carried
//! over: the API says so (platform.openai.com/docs/api-reference/responses/create, `instructions`, read 2026-11-21).

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::json::{Fields, RawJson, Writer};
use crate::scan::Envelope;
use crate::splice::edited;

/// `input` is neither a text nor a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"input\" must be a text or a list of items")]
pub struct InputNotItems;

/// The items of a request, as a JSON list. A text is a message of the user's; none is no item.
///
/// # Errors
/// [`InputNotItems`].
pub fn input_items(body: &Bytes, envelope: &Envelope) -> Result<String, InputNotItems> {
    let place = envelope.places.input.clone();
    let input = place.and_then(|place| std::str::from_utf8(body.get(place)?).ok()).unwrap_or("null");
    match input.as_bytes().first() {
        Some(b'[') => Ok(input.to_owned()),
        Some(b'"') => Ok(said(input)),
        Some(b'n') => Ok("[]".to_owned()),
        _ => Err(InputNotItems),
    }
}

/// `text` is a JSON string.
fn said(text: &str) -> String {
    let mut out = String::new();
    let mut list = Writer::list(&mut out);
    list.element(|out| {
        let mut item = Writer::object(out);
        item.string("type", "message").string("role", "user");
        item.list_of("content", [text], |out, text| {
            let mut part = Writer::object(out);
            part.string("type", "input_text").raw("text", text);
            part.end();
        });
        item.end();
    });
    list.end();
    out
}

/// One list of the items of all `lists`, each as it is written.
#[must_use]
pub fn joined(lists: &[&str]) -> String {
    let mut out = String::with_capacity(lists.iter().map(|list| list.len()).sum::<usize>() + 2);
    out.push('[');
    for list in lists {
        let inside =
            list.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
        let inside = inside.trim();
        if !inside.is_empty() {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(inside);
        }
    }
    out.push(']');
    out
}

/// `body` with `items` for its input, and without the id of the response that they are from.
#[must_use]
pub fn continued(body: &Bytes, envelope: &Envelope, items: &str) -> Bytes {
    let places = &envelope.places;
    let edits = match (&places.input, &places.previous) {
        (Some(input), Some(previous)) => {
            vec![(input.clone(), items.to_owned()), (previous.clone(), "null".to_owned())]
        }
        (Some(input), None) => vec![(input.clone(), items.to_owned())],
        (None, Some(previous)) => vec![(previous.clone(), format!("null,\"input\":{items}"))],
        (None, None) => Vec::new(),
    };
    edited(body, edits)
}

/// What becomes of thoughts where items are sent without ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thoughts {
    /// For a translation: they are read like all else.
    Kept,
    /// For a provider that keeps responses itself: it would look for them among its own.
    LeftOut,
    /// For a server that was told to keep nothing: those of which it gave the id alone are lost to it.
    Told,
}

/// `items` as a client would write them: no ids of items and no states, which only the server that kept them knows.
/// A provider that keeps responses itself answers 400 to ids that it never gave, and takes no thoughts of others.
///
/// Source: public bug reports of OpenAI's answers ("Item with id … not found"), read 2026-11-21.
#[must_use]
pub fn without_ids(items: &str, thoughts: Thoughts) -> String {
    let list: Vec<&RawValue> = serde_json::from_str(items).unwrap_or_default();
    let mut out = String::with_capacity(items.len());
    let mut kept = Writer::list(&mut out);
    for raw in list {
        let Some(mut fields) = Fields::read(raw) else { continue };
        match fields.get("type").map(RawValue::get) {
            Some(r#""reasoning""#) if !thoughts.take(&fields) => continue,
            None
            | Some(r#""message""# | r#""function_call""# | r#""function_call_output""# | r#""reasoning""#) => {
                fields.take_any("id");
                fields.take_any("status");
                kept.element(|out| write(out, &fields.rest()));
            }
            Some(_) => {
                kept.element(|out| out.push_str(raw.get()));
            }
        }
    }
    kept.end();
    out
}

/// `items` as they are, for the server that made them; without ids, and the thoughts that have nothing else, where there
/// are such. The API gives out no more of a thought unless it is asked for `reasoning.encrypted_content`, and looks for
/// its id in vain if the answer was not kept.
#[must_use]
pub fn resent(items: &str) -> String {
    let list: Vec<&RawValue> = serde_json::from_str(items).unwrap_or_default();
    let mut thoughts = list
        .into_iter()
        .filter_map(Fields::read)
        .filter(|fields| fields.get("type").is_some_and(|kind| kind.get() == r#""reasoning""#));
    if thoughts.all(|fields| is_told(&fields)) {
        items.to_owned()
    } else {
        without_ids(items, Thoughts::Told)
    }
}

/// A summary is for people: models are not given it again.
fn is_told(thought: &Fields<'_>) -> bool {
    ["encrypted_content", "content"]
        .iter()
        .any(|name| thought.get(name).is_some_and(|raw| !matches!(raw.get(), "null" | "[]" | r#""""#)))
}

impl Thoughts {
    fn take(self, thought: &Fields<'_>) -> bool {
        match self {
            Self::Kept => true,
            Self::LeftOut => false,
            Self::Told => is_told(thought),
        }
    }
}

fn write(out: &mut String, fields: &[(String, RawJson)]) {
    let mut object = Writer::object(out);
    object.all(fields);
    object.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(body: &'static str) -> Result<String, InputNotItems> {
        let body = Bytes::from_static(body.as_bytes());
        input_items(&body, &Envelope::scan(&body).expect("sound"))
    }

    fn continued(body: &'static str, items: &str) -> Bytes {
        let body = Bytes::from_static(body.as_bytes());
        super::continued(&body, &Envelope::scan(&body).expect("sound"), items)
    }

    #[test]
    fn a_text_is_a_message_and_a_list_stays_as_it_is_spelt() {
        let said = r#"[{"type":"message","role":"user","content":[{"type":"input_text","text":"a\u00e9"}]}]"#;
        assert_eq!(items(r#"{"model":"m","input":"a\u00e9"}"#).as_deref(), Ok(said));
        assert_eq!(items(r#"{"model":"m","input": [ {"n":1.0} ]}"#).as_deref(), Ok(r#"[ {"n":1.0} ]"#));
        assert_eq!(items(r#"{"model":"m","input":null}"#).as_deref(), Ok("[]"));
        assert_eq!(items(r#"{"model":"m"}"#).as_deref(), Ok("[]"));
        assert_eq!(items(r#"{"model":"m","input":{}}"#), Err(InputNotItems));
    }

    #[test]
    fn lists_are_joined_whatever_is_empty() {
        assert_eq!(joined(&["[]", " [1, 2] ", "[ ]", "[3]"]), "[1, 2,3]");
        assert_eq!(joined(&[]), "[]");
    }

    #[test]
    fn only_the_input_and_the_id_change() {
        assert_eq!(
            continued(r#"{"a":1.0, "input" : "x","previous_response_id":"r" ,"model":"m"}"#, "[1]"),
            r#"{"a":1.0, "input" : [1],"previous_response_id":null ,"model":"m"}"#
        );
        assert_eq!(
            continued(r#"{"model":"m","previous_response_id":"r"}"#, "[1]"),
            r#"{"model":"m","previous_response_id":null,"input":[1]}"#
        );
    }

    #[test]
    fn a_provider_that_keeps_items_sees_no_ids_but_its_own() {
        let items = r#"[{"id":"msg_1","type":"message","content":[{"id":"x"}]},{"type":"reasoning","id":"rs_1","status":null},
            {"type":"function_call","id":"fc_1","call_id":"c","status":"completed"},{"role":"user","content":"t"},{"type":"web_search_call","id":"ws_1"}]"#;
        let seen = |thought: &str| {
            format!(
                r#"[{{"type":"message","content":[{{"id":"x"}}]}},{thought}{{"type":"function_call","call_id":"c"}},{{"role":"user","content":"t"}},{{"type":"web_search_call","id":"ws_1"}}]"#
            )
        };
        assert_eq!(without_ids(items, Thoughts::LeftOut), seen(""));
        assert_eq!(without_ids(items, Thoughts::Kept), seen(r#"{"type":"reasoning"},"#));
        assert_eq!(resent(items), seen(""), "there is nothing but its id");
    }

    #[test]
    fn the_server_that_made_them_gets_items_as_they_were() {
        for thought in [r#""encrypted_content":"x""#, r#""content":[{"type":"reasoning_text","text":"t"}]"#] {
            let items = format!(
                r#"[ {{"type":"reasoning","id":"rs_1",{thought}}},{{"type":"function_call","id":"fc_1"}}]"#
            );
            assert_eq!(resent(&items), items);
        }
        assert_eq!(resent(r#"[{"id":"msg_1"}]"#), r#"[{"id":"msg_1"}]"#);
        let summed = r#"[{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"t"}],"content":[],"encrypted_content":null},{"type":"message","id":"msg_1","role":"assistant"}]"#;
        assert_eq!(resent(summed), r#"[{"type":"message","role":"assistant"}]"#);
    }
}

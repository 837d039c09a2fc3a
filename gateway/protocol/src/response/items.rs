//! Pages of the items of a kept response.
//! Source: platform.openai.com/docs/api-reference/responses/input-items, read 2026-11-21.

use serde_json::value::RawValue;

use crate::json::{Fields, RawJson, Writer, string};

/// Which items to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Those behind this one, in the order asked for.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
    /// Newest first is the API's default.
    pub order: Order,
}

/// Which come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The oldest.
    Ascending,
    /// The newest.
    #[default]
    Descending,
}

/// The page shall begin after an item that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'after' names no input item of this response; use the last_id of the page before")]
pub struct UnknownItem;

/// The page of `items`, a JSON list, as the list object of the API. Items that the client sent without an id get one
/// that is made from `seed` and their place, so that it stays the same.
///
/// # Errors
/// [`UnknownItem`].
pub fn page(items: &str, seed: &str, page: &Page) -> Result<String, UnknownItem> {
    let list: Vec<&RawValue> = serde_json::from_str(items).unwrap_or_default();
    let mut all: Vec<_> =
        list.into_iter().enumerate().filter_map(|(at, raw)| Item::read(raw, seed, at)).collect();
    if page.order == Order::Descending {
        all.reverse();
    }
    let start = match &page.after {
        None => 0,
        Some(id) => all.iter().position(|item| item.id == *id).ok_or(UnknownItem)? + 1,
    };
    let rest = all.get(start..).unwrap_or_default();
    let shown = rest.get(..page.limit.min(rest.len())).unwrap_or_default();
    let id = |item: Option<&Item>| item.map_or_else(|| "null".to_owned(), |item| string(&item.id));
    let mut out = String::new();
    let mut object = Writer::object(&mut out);
    object.string("object", "list").list_of("data", shown, |out, item| item.write(out));
    object.raw("first_id", &id(shown.first())).raw("last_id", &id(shown.last()));
    object.flag("has_more", shown.len() < rest.len());
    object.end();
    Ok(out)
}

/// An item in the form that answers have: typed, and its content a list.
struct Item {
    id: String,
    fields: Vec<(String, RawJson)>,
}

impl Item {
    fn read(raw: &RawValue, seed: &str, at: usize) -> Option<Self> {
        let mut fields = Fields::read(raw)?;
        let kind = fields.take_string("type").unwrap_or_else(|| "message".to_owned());
        let id = fields.take_string("id").unwrap_or_else(|| format!("{}_{seed}i{at:04x}", prefix(&kind)));
        let content = if kind == "message" { content(&mut fields) } else { None };
        let made = [("type", Some(string(&kind))), ("content", content)];
        let made =
            made.into_iter().filter_map(|(name, json)| Some((name.to_owned(), RawJson::parse(&json?)?)));
        Some(Self { id, fields: made.chain(fields.rest()).collect() })
    }

    fn write(&self, out: &mut String) {
        let mut object = Writer::object(out);
        object.string("id", &self.id).all(&self.fields);
        object.end();
    }
}

/// The content of a message that was written as a text alone.
fn content(fields: &mut Fields<'_>) -> Option<String> {
    let is_said = fields.get("role").is_some_and(|role| role.get() == r#""assistant""#);
    let text = fields.take_string("content")?;
    let kind = if is_said { "output_text" } else { "input_text" };
    Some(format!(r#"[{{"type":"{kind}","text":{}}}]"#, string(&text)))
}

fn prefix(kind: &str) -> &'static str {
    match kind {
        "message" => "msg",
        "function_call" => "fc",
        "function_call_output" => "fco",
        "reasoning" => "rs",
        _ => "item",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEMS: &str = r#"[{"role":"user","content":"a"},{"type":"message","role":"assistant","id":"msg_b","content":[{"type":"output_text","text":"b"}]},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"d"}]"#;

    fn shown(after: Option<&str>, limit: usize, order: Order) -> (Vec<String>, bool) {
        let page = Page { after: after.map(str::to_owned), limit, order };
        let list: serde_json::Value =
            serde_json::from_str(&super::page(ITEMS, "s", &page).expect("known")).expect("JSON");
        let ids: Vec<_> = list["data"]
            .as_array()
            .expect("data")
            .iter()
            .map(|item| item["id"].as_str().expect("id").to_owned())
            .collect();
        assert_eq!(list["object"], "list");
        assert_eq!(list["first_id"].as_str(), ids.first().map(String::as_str));
        assert_eq!(list["last_id"].as_str(), ids.last().map(String::as_str));
        (ids, list["has_more"].as_bool().expect("a flag"))
    }

    #[test]
    fn pages_follow_each_other_in_either_order() {
        let all = ["msg_si0000", "msg_b", "fc_si0002", "fco_si0003"];
        assert_eq!(shown(None, 20, Order::Ascending), (all.map(str::to_owned).to_vec(), false));
        assert_eq!(shown(None, 2, Order::Descending), (vec![all[3].to_owned(), all[2].to_owned()], true));
        assert_eq!(
            shown(Some(all[2]), 2, Order::Descending),
            (vec![all[1].to_owned(), all[0].to_owned()], false)
        );
        assert_eq!(shown(Some(all[3]), 2, Order::Ascending), (vec![], false));
        let lost = Page { after: Some("msg_x".into()), limit: 1, order: Order::Ascending };
        assert_eq!(page(ITEMS, "s", &lost), Err(UnknownItem));
    }

    #[test]
    fn a_message_has_a_type_and_a_list_and_all_else_stays() {
        let all = Page { after: None, limit: 1, order: Order::Ascending };
        let list = page(r#"[{"role":"user","content":"a\n","x":1.0}]"#, "s", &all).expect("a page");
        assert!(
            list.contains(r#"{"id":"msg_si0000","type":"message","content":[{"type":"input_text","text":"a\n"}],"role":"user","x":1.0}"#),
            "{list}"
        );
    }
}

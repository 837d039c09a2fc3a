//! Tool calls: `tool_calls` and the older `function_call`, and Gemini's signatures on them.
//!
//! Google's chat endpoint puts a signature into `extra_content`; LiteLLM puts it into the id, since many clients drop
//! fields that they do not know. Both are read, and clients get both.
//! Sources: platform.openai.com/docs/api-reference/chat/object, ai.google.dev/gemini-api/docs/thought-signatures,
//! github.com/BerriAI/litellm/pull/18374, read 2026-11-21.

use catalogue::Dialect;
use serde_json::value::RawValue;

use super::thinking;
use super::ways::{Blank, CHAT, Node, all_but, has, nested, write_blanks};
use crate::hub::{Body, Extras, Part, Seal};
use crate::json::{Fields, RawJson, Writer, string};

const BLANKS: [Blank; 2] = [Blank("id", "null", "id:null"), Blank("id", "\"\"", "id:empty")];

/// What LiteLLM writes between an id and its signature.
const SEPARATOR: &str = "__thought__";

/// Reads the call at `at` of the list.
pub(super) fn decode(at: usize, raw: &RawValue) -> Part {
    let known = Node::read(raw).and_then(|mut node| {
        if node.fields.get("index").is_some_and(|index| index.get() == at.to_string()) {
            node.fields.take("index");
            node.note("index");
        }
        read(node)
    });
    known.unwrap_or_else(|| {
        let mut node = Node::default();
        node.note("tool_calls");
        let body = Body::Foreign { dialect: CHAT, json: RawJson::from(raw) };
        Part { extras: node.extras(), ..Part::new(body) }
    })
}

/// The call of a node, if it is one of a function.
pub(super) fn read(mut node: Node<'_>) -> Option<Part> {
    match node.fields.take_string("type") {
        Some(kind) if kind == "function" => {}
        Some(_) => return None,
        None if node.fields.get("type").is_none() => node.note("type:none"),
        None => {}
    }
    let mut function = node.fields.take_object("function")?;
    let name = function.take_string("name").unwrap_or_default();
    let arguments = arguments(&mut node, &mut function);
    node.keep_rest("function", function);
    let (id, in_id) = id(&mut node);
    let seal = signature(&mut node).or(in_id);
    let cache = node.cache();
    Some(Part { cache, extras: node.extras(), ..Part::new(Body::ToolCall { id, name, arguments, seal }) })
}

/// The arguments as text. Some servers give the object itself.
fn arguments(node: &mut Node<'_>, function: &mut Fields<'_>) -> String {
    if let Some(text) = function.take_string("arguments") {
        return text;
    }
    match function.take_raw("arguments") {
        Some(raw) => {
            node.note("arguments:raw");
            raw.get().to_owned()
        }
        None => {
            node.note("arguments:none");
            String::new()
        }
    }
}

fn id(node: &mut Node<'_>) -> (String, Option<Seal>) {
    if node.fields.get("id").is_none() {
        node.note("id:none");
    }
    node.blanks(&BLANKS);
    let raw = node.fields.get("id").map(RawJson::from);
    let (id, seal) = split_id(node.fields.take_string("id").unwrap_or_default());
    if let (Some(_), Some(raw)) = (&seal, raw) {
        node.keep("id", raw);
    }
    (id, seal)
}

/// Parts LiteLLM's signature from an id.
pub(super) fn split_id(id: String) -> (String, Option<Seal>) {
    match id.split_once(SEPARATOR) {
        Some((plain, token)) if !token.is_empty() => {
            (plain.to_owned(), Some(thinking::open(token, Dialect::Gemini).0))
        }
        _ => (id, None),
    }
}

/// Takes `extra_content.google.thought_signature`. It stays where more stands beside it.
pub(super) fn signature(node: &mut Node<'_>) -> Option<Seal> {
    let mut outer = Fields::read(node.fields.get("extra_content")?)?;
    let mut google = outer.take_object("google")?;
    let token = google.take_string("thought_signature")?;
    let (seal, is_bare) = thinking::open(&token, Dialect::Gemini);
    if outer.is_empty() && google.is_empty() && (is_bare || seal.dialect != Dialect::Gemini) {
        node.fields.take("extra_content");
        node.note("extra_content");
    }
    Some(seal)
}

/// Reads `function_call`, which has no id.
pub(super) fn decode_legacy(node: &mut Node<'_>) -> Option<Part> {
    let mut fields = Fields::read(node.fields.get("function_call")?)?;
    let name = fields.take_string("name").filter(|name| !name.is_empty())?;
    let arguments = fields.take_string("arguments")?;
    if !fields.is_empty() {
        return None;
    }
    node.fields.take("function_call")?;
    let mut part = Node::default();
    part.note("function_call");
    let body = Body::ToolCall { id: String::new(), name, arguments, seal: None };
    Some(Part { extras: part.extras(), ..Part::new(body) })
}

/// Writes `function_call`.
pub(super) fn write_legacy(object: &mut Writer<'_>, name: &str, arguments: &str) {
    object.nested("function_call", |call| {
        call.string("name", name).string("arguments", arguments);
    });
}

/// A call to be written.
#[derive(Debug)]
pub(super) struct Call<'c> {
    pub(super) id: &'c str,
    pub(super) name: &'c str,
    pub(super) arguments: &'c str,
    /// As far as it may be told here.
    pub(super) seal: Option<&'c Seal>,
    pub(super) extras: &'c Extras,
}

impl Call<'_> {
    /// Writes the fields of the call at `index` of the list.
    pub(super) fn write(&self, object: &mut Writer<'_>, index: usize) {
        let notes = |note| self.extras.notes(CHAT, note);
        write_blanks(object, self.extras, &BLANKS);
        let is_told = has(self.extras, "id") || notes("id:none") || notes("id:null") || notes("id:empty");
        if !is_told {
            object.string("id", &self.sealed_id());
        }
        if !notes("type:none") && !has(self.extras, "type") {
            object.string("type", "function");
        }
        object.nested("function", |function| self.write_function(function));
        if notes("index") {
            object.number("index", index as u64);
        }
        self.write_signature(object);
        object.all(all_but(self.extras, "function"));
    }

    fn write_function(&self, function: &mut Writer<'_>) {
        function.string("name", self.name);
        let notes = |note| self.extras.notes(CHAT, note);
        if notes("arguments:raw") && RawJson::parse(self.arguments).is_some() {
            function.raw("arguments", self.arguments);
        } else if !notes("arguments:none") || !self.arguments.is_empty() {
            function.string("arguments", self.arguments);
        }
        function.all(&nested(self.extras, "function"));
    }

    fn write_signature(&self, object: &mut Writer<'_>) {
        if let Some(seal) = self.seal.filter(|_| !self.kept_its_seal()) {
            write_signature(object, seal);
        }
    }

    /// The id as clients that drop unknown fields must have it.
    fn sealed_id(&self) -> String {
        let fresh = self.seal.filter(|_| !self.kept_its_seal() && !self.extras.notes(CHAT, "extra_content"));
        match fresh.filter(|seal| seal.dialect == Dialect::Gemini) {
            Some(seal) => format!("{}{SEPARATOR}{}", self.id, seal.bytes),
            None => self.id.to_owned(),
        }
    }

    /// Whether what the seal was read from is written as it stood.
    fn kept_its_seal(&self) -> bool {
        has(self.extras, "extra_content")
            || (has(self.extras, "id") && !self.extras.notes(CHAT, "extra_content"))
    }
}

/// Writes `extra_content`: Gemini's own seals as Google writes them, those of others as tokens.
pub(super) fn write_signature(object: &mut Writer<'_>, seal: &Seal) {
    let token = if seal.dialect == Dialect::Gemini { seal.bytes.clone() } else { seal.to_token(CHAT) };
    let json = format!("{{\"google\":{{\"thought_signature\":{}}}}}", string(&token));
    object.raw("extra_content", &json);
}

//! What the model thought, and the state that must come back with it.
//!
//! OpenAI shows no thoughts here; the others do, in fields of their own:
//! - `reasoning_content` (DeepSeek, vLLM, xAI ...) or `reasoning` (OpenRouter, Groq ...): text.
//! - `reasoning_details` (OpenRouter): pieces with signatures or encrypted data, to be sent back as they are. The
//!   whole list is the seal: its author is whoever answered in this dialect.
//! - `thinking_blocks` (LiteLLM): Anthropic's blocks. Seals of other dialects travel here as tokens.
//! - `thinking` chunks in `content` (Mistral).
//!
//! Sources: api-docs.deepseek.com/guides/reasoning_model, openrouter.ai/docs/use-cases/reasoning-tokens,
//! docs.litellm.ai/docs/reasoning_content, docs.mistral.ai/capabilities/reasoning, as recorded by 2026-11-21.

use catalogue::Dialect;
use serde_json::value::RawValue;

use super::ways::{CHAT, Node, has};
use crate::dialects::anthropic::REDACTED;
use crate::hub::{Body, Extras, Part, Seal};
use crate::json::{Fields, RawJson, Writer};

/// Takes all thoughts that stand in fields of the message.
pub(super) fn decode(node: &mut Node<'_>) -> Vec<Part> {
    if let Some(parts) = blocks(node) {
        return parts;
    }
    let details = list(node, "reasoning_details");
    let mut part = Node::default();
    let text = text(node, &mut part);
    if text.is_none() && details.is_none() {
        return Vec::new();
    }
    let text = text.unwrap_or_else(|| {
        part.note("reasoning:none");
        details.as_ref().map(|details| details_text(details.get())).unwrap_or_default()
    });
    let seal = details.map(|details| Seal { dialect: CHAT, bytes: details.get().to_owned() });
    vec![Part { extras: part.extras(), ..Part::new(Body::Thinking { text, seal }) }]
}

fn text(node: &mut Node<'_>, part: &mut Node<'_>) -> Option<String> {
    let same = match (node.fields.get("reasoning"), node.fields.get("reasoning_content")) {
        (Some(a), Some(b)) => a.get() == b.get() && a.get().starts_with('"'),
        _ => false,
    };
    if same {
        node.fields.take("reasoning");
        part.note("reasoning:both");
        return node.fields.take_string("reasoning_content");
    }
    node.fields.take_string("reasoning_content").or_else(|| {
        let text = node.fields.take_string("reasoning")?;
        part.note("reasoning");
        Some(text)
    })
}

/// Takes a list that has something in it.
fn list(node: &mut Node<'_>, key: &str) -> Option<RawJson> {
    let items: Vec<&RawValue> = serde_json::from_str(node.fields.get(key)?.get()).ok()?;
    if items.is_empty() { None } else { node.fields.take_raw(key) }
}

/// The texts and summaries of OpenRouter's pieces.
pub(super) fn details_text(details: &str) -> String {
    let pieces: Vec<&RawValue> = serde_json::from_str(details).unwrap_or_default();
    let text = |raw: &RawValue| {
        let mut piece = Fields::read(raw)?;
        piece.take_string("text").or_else(|| piece.take_string("summary"))
    };
    pieces.into_iter().filter_map(text).collect()
}

/// LiteLLM's blocks, if all of them are understood. `reasoning_content` repeats their text.
fn blocks(node: &mut Node<'_>) -> Option<Vec<Part>> {
    let raw: Vec<&RawValue> = serde_json::from_str(node.fields.get("thinking_blocks")?.get()).ok()?;
    let parts: Vec<Part> = raw.into_iter().map(block).collect::<Option<_>>()?;
    if parts.is_empty() {
        return None;
    }
    node.fields.take("thinking_blocks");
    let joined = crate::json::string(&parts.iter().map(thought).collect::<String>());
    let said =
        node.fields.get("reasoning_content").and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    if said.is_some_and(|said| crate::json::string(&said) == joined) {
        node.fields.take("reasoning_content");
        node.note("reasoning_content:joined");
    }
    Some(parts)
}

fn thought(part: &Part) -> &str {
    match &part.body {
        Body::Thinking { text, .. } => text,
        _ => "",
    }
}

fn block(raw: &RawValue) -> Option<Part> {
    let mut node = Node::read(raw)?;
    node.note("thinking_blocks");
    let (text, token) = match node.fields.take_string("type")?.as_str() {
        "thinking" => (node.fields.take_string("thinking")?, node.fields.take_string("signature")),
        "redacted_thinking" => {
            node.note("redacted");
            (String::new(), Some(node.fields.take_string("data")?))
        }
        _ => return None,
    };
    let is_redacted = node.notes("redacted");
    let seal = token.map(|token| {
        let (mut seal, is_bare) = open(&token, Dialect::Anthropic);
        if is_bare {
            node.note("seal:bare");
            if is_redacted {
                seal.bytes.insert_str(0, REDACTED);
            }
        }
        seal
    });
    Some(Part { extras: node.extras(), ..Part::new(Body::Thinking { text, seal }) })
}

/// Reads a token that a client sent back. One that names no author is of `usual`, whose seals LiteLLM and Google
/// put into the same place.
pub(super) fn open(token: &str, usual: Dialect) -> (Seal, bool) {
    let seal = Seal::from_token(token, CHAT);
    if seal.dialect == CHAT { (Seal { dialect: usual, ..seal }, true) } else { (seal, false) }
}

/// Reads Mistral's part of type `thinking`.
pub(super) fn chunk(node: &mut Node<'_>) -> Option<Body> {
    node.note("chunk");
    let raw = node.fields.take_raw("thinking")?;
    let pieces: Vec<Piece> =
        serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok()?.into_iter().map(piece).collect();
    // One piece of text is made again; anything else is kept beside what could be read of it.
    if !matches!(pieces.as_slice(), [Piece { is_plain: true, .. }]) {
        node.keep("thinking", raw);
    }
    Some(Body::Thinking { text: pieces.into_iter().map(|piece| piece.text).collect(), seal: None })
}

struct Piece {
    text: String,
    is_plain: bool,
}

fn piece(raw: &RawValue) -> Piece {
    let mut fields = Fields::read(raw).unwrap_or_default();
    let is_text = fields.take_string("type").is_some_and(|kind| kind == "text");
    let text = fields.take_string("text");
    Piece { is_plain: is_text && text.is_some() && fields.is_empty(), text: text.unwrap_or_default() }
}

/// Writes Mistral's part of type `thinking`.
pub(super) fn write_chunk(object: &mut Writer<'_>, text: &str, extras: &Extras) {
    object.string("type", "thinking");
    if has(extras, "thinking") {
        return;
    }
    object.list_of("thinking", [text], |out, text| {
        let mut piece = Writer::object(out);
        piece.string("type", "text").string("text", text);
        piece.end();
    });
}

/// Writes LiteLLM's block. A seal of this dialect has a place of its own, so it is none of these. Anthropic's stand
/// there as Anthropic wrote them, as LiteLLM's clients know them.
pub(super) fn write_block(out: &mut String, text: &str, seal: Option<&Seal>, extras: &Extras) {
    let is_ours = extras.notes(CHAT, "thinking_blocks");
    let is_bare = |seal: &Seal| {
        if is_ours { extras.notes(CHAT, "seal:bare") } else { seal.dialect == Dialect::Anthropic }
    };
    let token = seal.map(|seal| if is_bare(seal) { bare(seal).to_owned() } else { seal.to_token(CHAT) });
    let was_redacted = seal.is_some_and(|seal| bare(seal) != seal.bytes);
    let is_redacted = if is_ours { extras.notes(CHAT, "redacted") } else { was_redacted };
    let mut object = Writer::object(out);
    if is_redacted {
        object.string("type", "redacted_thinking").string_if("data", token.as_deref());
    } else {
        object.string("type", "thinking").string("thinking", text).string_if("signature", token.as_deref());
    }
    object.all(extras.of(CHAT));
    object.end();
}

/// A seal without the mark of Anthropic's decoder.
fn bare(seal: &Seal) -> &str {
    seal.bytes.strip_prefix(REDACTED).filter(|_| seal.dialect == Dialect::Anthropic).unwrap_or(&seal.bytes)
}

/// One list of the lists that were sealed, as OpenRouter gave them.
pub(super) fn join_details<'s>(seals: impl Iterator<Item = &'s Seal>) -> Option<String> {
    let mut text = String::new();
    let mut list = Writer::list(&mut text);
    let mut is_empty = true;
    for seal in seals {
        for piece in serde_json::from_str::<Vec<&RawValue>>(&seal.bytes).unwrap_or_default() {
            list.element(|out| out.push_str(piece.get()));
            is_empty = false;
        }
    }
    list.end();
    (!is_empty).then_some(text)
}

//! The frames that clients read: `event:` and `data:`, a blank line, and in `data` the event's name as `type`.
//!
//! What the SDKs need is what `lib/streaming/_messages.py` of the Python SDK reads: `usage` in the first and
//! the last but one, deltas of the type of their block, a signature in one piece. Read 2026-11-21.

use super::blocks_encode::redacted;
use super::plain::{is_home, kept, write_extras};
use super::{HOME, answer, citations, usage};
use crate::dialects::Echo;
use crate::hub::{Body, Citation, Extras, Opening};
use crate::json::{RawJson, Writer};
use crate::usage::Usage;

/// Writes a frame.
pub(super) fn frame(out: &mut String, name: &str, fill: impl FnOnce(&mut Writer<'_>)) {
    out.push_str("event: ");
    out.push_str(name);
    out.push_str("\ndata: ");
    let mut object = Writer::object(out);
    object.string("type", name);
    fill(&mut object);
    object.end();
    out.push_str("\n\n");
}

/// The first frame. Its usage is the provider's own at home; others tell theirs at the end.
pub(super) fn message_start(out: &mut String, (id, extras): (&str, &Extras), echo: &Echo) {
    frame(out, "message_start", |object| {
        object.nested("message", |message| {
            answer::write_head(message, (id, extras), echo);
            message.raw("content", "[]").raw("stop_reason", "null").raw("stop_sequence", "null");
            if !is_home(extras) {
                message.field("usage", |out| usage::write(out, &Usage::default()));
            }
            write_extras(message, extras, &["content", "stop_reason", "stop_sequence"]);
        });
    });
}

/// A block begins, empty if it can be filled.
pub(super) fn block_start(out: &mut String, index: u64, opening: &Opening, call_id: &str) {
    let Opening { body, extras } = opening;
    start(out, index, |out| {
        if let Body::Foreign { json, .. } = body {
            out.push_str(json.get());
            return;
        }
        let mut block = Writer::object(out);
        match body {
            Body::Thinking { seal, .. } => match seal.as_ref().and_then(redacted) {
                Some(data) => block.string("type", "redacted_thinking").string("data", data),
                None => block.string("type", "thinking").string("thinking", "").string("signature", ""),
            },
            Body::ToolCall { name, .. } => {
                block.string("type", "tool_use").string("id", call_id).string("name", name).raw("input", "{}")
            }
            _ => block.string("type", "text").string("text", ""),
        };
        write_extras(&mut block, extras, &["signature", "input"]);
        block.end();
    });
}

fn start(out: &mut String, index: u64, block: impl FnOnce(&mut String)) {
    frame(out, "content_block_start", |object| {
        object.number("index", index).field("content_block", block);
    });
}

/// More of a text field of a block: `text_delta` has `text`.
pub(super) fn delta(out: &mut String, index: u64, (kind, key): (&str, &str), more: &str) {
    frame(out, "content_block_delta", |object| {
        object.number("index", index).nested("delta", |delta| {
            delta.string("type", kind).string(key, more);
        });
    });
}

/// A citation of a text block.
pub(super) fn citation(out: &mut String, index: u64, citation: &Citation) {
    frame(out, "content_block_delta", |object| {
        object.number("index", index).nested("delta", |delta| {
            delta.string("type", "citations_delta").field("citation", |out| citations::write(out, citation));
        });
    });
}

/// A block ends.
pub(super) fn block_stop(out: &mut String, index: u64) {
    frame(out, "content_block_stop", |object| {
        object.number("index", index);
    });
}

/// How the message ended.
pub(super) struct Ending<'a> {
    /// `None` where a provider of this dialect gave none.
    pub(super) reason: Option<&'a str>,
    /// The text that ended it.
    pub(super) stop: Option<&'a str>,
    /// What nobody models.
    pub(super) extras: &'a Extras,
    /// The provider's own object.
    pub(super) raw_usage: Option<&'a RawJson>,
    /// What it comes to.
    pub(super) usage: Usage,
}

/// The last frame but one. All extras stand in its `delta` but those that the API has beside it.
pub(super) fn message_delta(out: &mut String, ending: &Ending<'_>) {
    let Ending { reason, stop, extras, raw_usage, usage } = ending;
    let beside = ["usage", "context_management"];
    frame(out, "message_delta", |object| {
        object.nested("delta", |delta| {
            delta.string_if("stop_reason", *reason).string_if("stop_sequence", *stop);
            if stop.is_none() && !is_home(extras) {
                delta.raw("stop_sequence", "null");
            }
            write_extras(delta, extras, &beside);
        });
        object.raw_if("context_management", kept(extras, "context_management"));
        match raw_usage {
            Some(raw) => object.raw("usage", raw.get()),
            None => object.field("usage", |out| usage::write(out, usage)),
        };
    });
}

/// A block that carries a seal and nothing else.
pub(super) fn sealing_block(out: &mut String, index: u64, signature: &str) {
    start(out, index, |out| {
        let mut block = Writer::object(out);
        block.string("type", "thinking").string("thinking", "").string("signature", "");
        block.end();
    });
    delta(out, index, ("signature_delta", "signature"), signature);
    block_stop(out, index);
}

/// The raw usage among the extras of this dialect.
pub(super) fn raw_usage(extras: &Extras) -> Option<&RawJson> {
    extras.of(HOME).iter().find(|(name, _)| name == "usage").map(|(_, raw)| raw)
}

//! A part of a turn or an answer, written.

use super::node::{is_home, key, own, under};
use super::part_decode::{
    DISPLAY_NAME, FILE_DATA, FILE_URI, FUNCTION_CALL, FUNCTION_RESPONSE, INLINE_DATA, INNER, MIME_TYPE,
    SIGNATURE, WRAPPERS,
};
use super::tell::{Tell, join};
use super::{HOME, seal};
use crate::hub::{Body, Extras, Media, MediaKind, Part, Seal, Source};
use crate::json::{Fields, Writer};

/// Who reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Google: only its own seals.
    Provider,
    /// A client: any seal, wrapped, so that it comes back.
    Client,
}

/// Writes a part to `out`. `false`, and nothing is written, if it has nothing that could be sent.
pub(super) fn encode(part: &Part, reader: Reader, (path, tell): (&str, &mut Tell), out: &mut String) -> bool {
    tell.beside(path, part);
    if reader == Reader::Provider {
        tell.citations(path, part);
    }
    let extras = &part.extras;
    match &part.body {
        Body::Text(text) => write_text(text, extras, out),
        Body::Refusal(text) => {
            tell.hint(path, "a refusal is sent as text");
            write_text(text, extras, out)
        }
        Body::Media(media) => write_media(media, extras, (path, tell), out),
        Body::Thinking { text, seal } => {
            let token = token(seal.as_ref(), reader, (path, tell));
            if text.is_empty() && token.is_none() && !is_home(extras) {
                return false;
            }
            object(extras, out, |part| {
                part.string("text", text).flag("thought", true);
                part.string_if(key(extras, SIGNATURE), token.as_deref());
            })
        }
        Body::ToolCall { id, name, arguments, seal } => {
            let token = token(seal.as_ref(), reader, (path, tell));
            object(extras, out, |part| {
                let call = Call { id, name, arguments };
                part.nested(key(extras, FUNCTION_CALL), |inner| call.write(extras, (path, tell), inner));
                part.string_if(key(extras, SIGNATURE), token.as_deref());
            })
        }
        Body::ToolResult { call, name, parts, failed } => {
            let result = Outcome { call, name: name.as_deref().unwrap_or(call), parts, failed: *failed };
            object(extras, out, |part| {
                part.nested(key(extras, FUNCTION_RESPONSE), |inner| {
                    result.write(extras, (reader, path, tell), inner);
                });
            })
        }
        Body::Foreign { dialect: HOME, json } => {
            out.push_str(json.get());
            true
        }
        Body::Foreign { json, .. } => {
            tell.foreign(path, json);
            false
        }
    }
}

/// The token of a seal, if `reader` may see it.
fn token(seal: Option<&Seal>, reader: Reader, (path, tell): (&str, &mut Tell)) -> Option<String> {
    let seal = seal?;
    if reader == Reader::Provider && seal.dialect != HOME {
        tell.hint(join(path, "signature (encrypted_content)"), "sealed by another provider");
        return None;
    }
    Some(if reader == Reader::Provider { seal.bytes.clone() } else { seal::write(seal) })
}

fn object(extras: &Extras, out: &mut String, fill: impl FnOnce(&mut Writer<'_>)) -> bool {
    let mut part = Writer::object(out);
    fill(&mut part);
    part.all(own(extras, INNER));
    part.end();
    true
}

/// Google refuses empty texts, and they say nothing.
fn write_text(text: &str, extras: &Extras, out: &mut String) -> bool {
    if text.is_empty() && !is_home(extras) {
        return false;
    }
    object(extras, out, |part| {
        part.string("text", text);
        if extras.notes(HOME, "thought:false") {
            part.flag("thought", false);
        }
    })
}

fn inner(object: &mut Writer<'_>, extras: &Extras, prefix: &'static str) {
    for (name, raw) in under(extras, prefix) {
        object.raw(name, raw.get());
    }
}

struct Call<'p> {
    id: &'p str,
    name: &'p str,
    arguments: &'p str,
}

impl Call<'_> {
    fn write(&self, extras: &Extras, (path, tell): (&str, &mut Tell), out: &mut Writer<'_>) {
        if !self.id.is_empty() {
            out.string("id", self.id);
        }
        out.string("name", self.name);
        let arguments = self.arguments.trim_ascii();
        if !extras.notes(HOME, "args:absent") {
            match Fields::parse(arguments) {
                Some(_) => out.raw("args", arguments),
                None if arguments.is_empty() => out.raw("args", "{}"),
                // The model wrote what is no object; it is kept as one text.
                None => {
                    tell.hint(join(path, "arguments"), "no JSON object, so sent as a text in one");
                    out.nested("args", |args| {
                        args.string("arguments", self.arguments);
                    })
                }
            };
        }
        inner(out, extras, "functionCall");
    }
}

struct Outcome<'p> {
    call: &'p str,
    name: &'p str,
    parts: &'p [Part],
    failed: bool,
}

impl Outcome<'_> {
    fn write(&self, extras: &Extras, (reader, path, tell): (Reader, &str, &mut Tell), out: &mut Writer<'_>) {
        if !self.call.is_empty() {
            out.string("id", self.call);
        }
        out.string("name", self.name);
        if !extras.notes(HOME, "response:absent") {
            out.field("response", |out| self.write_response((path, tell), out));
        }
        let (mut list, mut count) = (String::new(), 0);
        let mut beside = Writer::list(&mut list);
        for (at, part) in self.parts.iter().enumerate() {
            let path = format!("{path}.content[{at}]");
            let mut one = String::new();
            let is_text = matches!(part.body, Body::Text(_) | Body::Refusal(_));
            // A result inside a result is nothing that a dialect writes.
            let is_result = matches!(part.body, Body::ToolResult { .. });
            if is_result {
                tell.meaning(&path, "a result cannot hold another");
            } else if !is_text && encode(part, reader, (&path, tell), &mut one) {
                beside.element(|out| out.push_str(&one));
                count += 1;
            }
        }
        beside.end();
        if extras.notes(HOME, "parts:alone") && count == 1 {
            out.raw("parts", list.trim_matches(['[', ']']));
        } else if count > 0 || extras.notes(HOME, "parts:empty") {
            out.raw("parts", &list);
        }
        inner(out, extras, "functionResponse");
    }

    /// One text that is an object is the response; any other goes into `output`, or into `error` if the tool
    /// failed. These are the documented keys (see [`super::part_decode`]).
    fn write_response(&self, (path, tell): (&str, &mut Tell), out: &mut String) {
        let texts = self.parts.iter().enumerate().filter_map(|(at, part)| match &part.body {
            Body::Text(text) | Body::Refusal(text) => Some((at, part, text)),
            _ => None,
        });
        let texts: Vec<_> = texts.collect();
        for (at, part, _) in &texts {
            tell.beside(&format!("{path}.content[{at}]"), part);
            tell.citations(&format!("{path}.content[{at}]"), part);
        }
        let wrapper = texts
            .first()
            .and_then(|(_, part, _)| WRAPPERS.into_iter().find(|wrapper| part.extras.notes(HOME, wrapper)));
        if texts.len() > 1 {
            tell.hint(join(path, "content"), "several texts of a result are sent as one");
        }
        let text = texts.iter().map(|(_, _, text)| text.as_str()).collect::<Vec<_>>().join("\n");
        let fields = Fields::parse(&text).filter(|_| wrapper.is_none());
        if fields.is_some_and(|fields| !self.failed || fields.get("error").is_some()) {
            out.push_str(text.trim_ascii());
            return;
        }
        let mut response = Writer::object(out);
        response.string(wrapper.unwrap_or(if self.failed { "error" } else { "output" }), &text);
        response.end();
    }
}

fn write_media(media: &Media, extras: &Extras, (path, tell): (&str, &mut Tell), out: &mut String) -> bool {
    let name = media.name.as_deref().filter(|_| is_home(extras));
    if media.name.is_some() && name.is_none() {
        tell.hint(join(path, tell.media_name()), "Gemini has no names of files");
    }
    match &media.source {
        Source::Inline { mime, data } => object(extras, out, |part| {
            part.nested(key(extras, INLINE_DATA), |blob| {
                blob.string(key(extras, MIME_TYPE), mime).string("data", data);
                blob.string_if(key(extras, DISPLAY_NAME), name);
                inner(blob, extras, "inlineData");
            });
        }),
        Source::Url { url, mime } => {
            let guessed = if is_home(extras) { None } else { Some(guess(media.kind, url)) };
            let mime = mime.as_deref().or(guessed);
            write_file((url, mime, name), extras, out)
        }
        Source::File { dialect: HOME, id } => write_file((id, None, name), extras, out),
        Source::File { .. } => {
            tell.meaning(join(path, "file_id"), "the file is at another provider");
            false
        }
        Source::Text(text) => {
            tell.hint(path, "a document of text is sent as plain text");
            write_text(text, extras, out)
        }
    }
}

fn write_file(
    (uri, mime, name): (&str, Option<&str>, Option<&str>),
    extras: &Extras,
    out: &mut String,
) -> bool {
    object(extras, out, |part| {
        part.nested(key(extras, FILE_DATA), |file| {
            file.string(key(extras, FILE_URI), uri).string_if(key(extras, MIME_TYPE), mime);
            file.string_if(key(extras, DISPLAY_NAME), name);
            inner(file, extras, "fileData");
        });
    })
}

/// The type by the end of the path, since Vertex wants one: `fileData.mimeType` is required there.
/// Source: cloud.google.com/vertex-ai/generative-ai/docs/reference/java, FileDataOrBuilder (read 2026-11-21).
fn guess(kind: MediaKind, url: &str) -> &'static str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let end = path.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    match (end.as_str(), kind) {
        ("png", _) => "image/png",
        ("webp", _) => "image/webp",
        ("gif", _) => "image/gif",
        ("heic", _) => "image/heic",
        ("wav", _) => "audio/wav",
        ("webm", _) => "video/webm",
        ("txt" | "md", _) => "text/plain",
        ("jpg" | "jpeg", _) | (_, MediaKind::Image) => "image/jpeg",
        (_, MediaKind::Audio) => "audio/mpeg",
        (_, MediaKind::Video) => "video/mp4",
        (_, MediaKind::Document) => "application/pdf",
    }
}
